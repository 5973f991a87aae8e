// SPDX-License-Identifier: Apache-2.0
import { createHmac } from 'node:crypto';
import { canonicalJson } from '../canonical/canonical-json.ts';
import { type Commitment, isCommitment } from '../canonical/commitment-value.ts';
import { type Digest, digestOf } from '../canonical/digest.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../canonical/json-value.ts';
import { assert } from '../kernel/assert.ts';

const PREFIX = Buffer.from('clyra/commit/v0\n', 'utf8');
const NUL = Buffer.of(0);
export const EVIDENCE_KEY_BYTES = 32;
export const SALT_BYTES = 16;

/**
 * The salt of a value under the evidence key of its epoch. It follows from the value, so that equal values commit
 * equally, and tells nothing without the key, so that nobody can try out small values.
 */
export function saltOf(key: Uint8Array, value: JsonValue): Uint8Array {
  assert(key.length === EVIDENCE_KEY_BYTES, 'an evidence key has 32 bytes');
  return createHmac('sha256', key).update(canonicalJson(value), 'utf8').digest().subarray(0, SALT_BYTES);
}

/** The commitment to a value that stands at a JSON pointer of its body. */
export function commitmentTo(
  value: JsonValue,
  at: { readonly pointer: string; readonly salt: Uint8Array },
): Commitment {
  assert(at.salt.length === SALT_BYTES, 'a salt has 16 bytes');
  const pointer = Buffer.from(at.pointer, 'utf8');
  const text = Buffer.from(canonicalJson(value), 'utf8');
  // A pointer has no NUL, so no pointer and value read as another pair.
  return { $commit: digestOf(Buffer.concat([PREFIX, at.salt, pointer, NUL, text])) };
}

/** Each commitment in a body with the pointer at which it stands, in the order of the body. */
export function commitmentsIn(body: JsonValue, pointer = ''): readonly { pointer: string; commitment: Digest }[] {
  if (isCommitment(body)) return [{ pointer, commitment: body.$commit }];
  if (Array.isArray(body)) return body.flatMap((value, index) => commitmentsIn(value, `${pointer}/${index}`));
  if (!isJsonObject(body)) return [];
  // Names of records need no escapes in pointers: they have neither ~ nor /.
  return Object.entries(body).flatMap(([name, value]) => commitmentsIn(value as JsonValue, `${pointer}/${name}`));
}

/** A body whose values at these pointers are commitments under the key, and what was replaced. */
export function committed(
  body: JsonObject,
  pointers: readonly string[],
  key: Uint8Array,
): { readonly body: JsonObject; readonly values: readonly { readonly pointer: string; readonly value: JsonValue }[] } {
  const values: { pointer: string; value: JsonValue }[] = [];
  const replace = (value: JsonValue, pointer: string): JsonValue => {
    if (pointers.includes(pointer) && !isCommitment(value)) {
      values.push({ pointer, value });
      return commitmentTo(value, { pointer, salt: saltOf(key, value) });
    }
    if (Array.isArray(value)) return value.map((entry, index) => replace(entry, `${pointer}/${index}`));
    if (!isJsonObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [name, replace(inner as JsonValue, `${pointer}/${name}`)]),
    );
  };
  return { body: replace(body, '') as JsonObject, values };
}
