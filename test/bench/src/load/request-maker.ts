// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { signRequest } from '@clyra/core/inspection/request-signature';

export type Caller = { readonly tenant: string; readonly keyId: string; readonly secret: Uint8Array };

export type SignedRequest = {
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

/** As many actors as a busy tenant has services and people: the windows of velocity are kept for each. */
const ACTOR_COUNT = 64;

/** Requests that are all different and all allowed, spread over tenants and actors. Every variant gets the same kind. */
export class RequestMaker {
  readonly #callers: readonly Caller[];
  readonly #tail: string;
  #serial = 0;

  constructor(callers: readonly Caller[], bodyBytes: number) {
    this.#callers = callers;
    this.#tail = bodyTail(bodyBytes);
  }

  next(): SignedRequest {
    const serial = this.#serial;
    this.#serial += 1;
    const { tenant, keyId, secret } = this.#callers[serial % this.#callers.length] as Caller;
    const actor = `sync-${Math.floor(serial / this.#callers.length) % ACTOR_COUNT}`;
    const contactId = randomUUID();
    const body = `{"contact_id":"${contactId}","tenant":"${tenant}","actor":"${actor}",${this.#tail}`;
    const target = `/v1/contacts/${contactId}`;
    const signed = signRequest({
      keyId,
      secret,
      method: 'POST',
      target,
      tenant,
      actor,
      nowMs: Date.now(),
      nonce: randomUUID(),
      idempotencyKey: randomUUID(),
      body,
    });
    return { target, headers: { 'content-type': 'application/json', ...signed }, body };
  }
}

/** What stands before the tail in every body, about. */
const HEAD_BYTES = 95;

/** Many small members rather than one long text: that is what parsing, validation and canonical form cost. */
function bodyTail(bodyBytes: number): string {
  const fixed = '"email":"ada@example.com","score":17,"active":true,"attributes":[]}';
  const attributes: string[] = [];
  let size = HEAD_BYTES + fixed.length;
  for (let index = 0; ; index += 1) {
    const attribute = `{"name":"attribute_${index}","value":"value ${index} of this contact"}`;
    if (size + attribute.length + 1 > bodyBytes) break;
    attributes.push(attribute);
    size += attribute.length + 1;
  }
  return fixed.replace('[]', `[${attributes.join(',')}]`);
}
