// SPDX-License-Identifier: Apache-2.0
import { formatContentDigest } from '@clyra/core/inspection/content-digest';
import type { Exchange } from '../gateway/change-attempt.ts';
import { RequestHeaders } from '../gateway/request-headers.ts';

/** What proves a delivery to the gateway, or could prove it to somebody else, is nobody else's. */
const PROOFS: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'x-signature',
  'webhook-id',
  'webhook-timestamp',
  'webhook-signature',
  'idempotency-key',
  'content-digest',
]);

/** The headers of a request, of a delivery without what its vendor proved itself with. */
export function withoutProofs({ request, delivery }: Pick<Exchange, 'request' | 'delivery'>): RequestHeaders {
  if (delivery === undefined) return request.headers;
  const token = delivery.source.token?.header;
  const { raw } = request.headers;
  const isKept = (index: number): boolean => {
    const name = (raw[index] as string).toLowerCase();
    return name !== token && !PROOFS.has(name);
  };
  return new RequestHeaders(raw.filter((_, index) => isKept(index - (index % 2))));
}

/** A destination that knows idempotency keys gets ours; the digest is that of what it is sent. */
export function deliveredHeaders({ delivery, caller, body }: Exchange): Record<string, string> {
  if (delivery === undefined) return {};
  const [key] = caller.idempotencyKeys;
  return {
    ...(key === undefined ? {} : { 'idempotency-key': key }),
    ...(body.size === 0 ? {} : { 'content-digest': formatContentDigest(body.digest) }),
  };
}
