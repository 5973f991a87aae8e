// SPDX-License-Identifier: Apache-2.0
export const IDEMPOTENCY_KEY_LENGTH_MAX = 255;

const BARE = /^[\x21\x23-\x7e]{1,255}$/;
const QUOTED = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/;

export type IdempotencyKey = { readonly key: string } | 'absent' | 'invalid';

/**
 * `Idempotency-Key` as a structured-field string (draft-ietf-httpapi-idempotency-key-header-07 §2.1), or the bare token
 * that Stripe's clients send; both name the same key. Two headers are refused: two readers may pick different ones.
 */
export function parseIdempotencyKey(headers: readonly string[]): IdempotencyKey {
  const [header, second] = headers;
  if (header === undefined) return 'absent';
  if (second !== undefined) return 'invalid';
  const text = header.trim();
  const quoted = QUOTED.exec(text)?.[1]?.replaceAll(/\\(["\\])/g, '$1');
  const key = quoted ?? (BARE.test(text) ? text : '');
  return key === '' || key.length > IDEMPOTENCY_KEY_LENGTH_MAX ? 'invalid' : { key };
}
