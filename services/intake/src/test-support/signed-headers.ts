// SPDX-License-Identifier: Apache-2.0
import { type RequestToSign, signRequest } from '@clyra/core/inspection/request-signature';

/** Who sends the rows: a credential for actor `bot` of a tenant whose policy has the routes of POLICY_TEXT. */
export type BadInputContext = {
  readonly keyId: string;
  readonly secret: Uint8Array;
  readonly tenant: string;
  readonly nowMs: number;
  /** A nonce or key that was never used. */
  readonly unique: () => string;
};

type Signed = Pick<RequestToSign, 'method' | 'target' | 'body'>;

/** The headers of a request that actor `bot` signs, under a nonce and a key of its own; `changed` wins over all. */
export function signedHeaders(
  context: BadInputContext,
  request: Signed,
  changed: Partial<RequestToSign> = {},
): Readonly<Record<string, string>> {
  return signRequest({
    keyId: context.keyId,
    secret: context.secret,
    tenant: context.tenant,
    actor: 'bot',
    nowMs: context.nowMs,
    nonce: context.unique(),
    idempotencyKey: context.unique(),
    ...request,
    ...changed,
  });
}
