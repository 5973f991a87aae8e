// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonicalJson } from './canonical-json.ts';
import type { JsonObject, JsonValue } from './json-value.ts';
import { BODY_LIMITS, parseJson } from './parse-json.ts';
import { encodeRecord, parseRecord } from './record.ts';

const name = fc.stringMatching(/^[a-z][a-z0-9_]{0,10}$/);
const scalar = fc.oneof(fc.string({ unit: 'grapheme' }), fc.maxSafeInteger(), fc.boolean(), fc.constant(null));
const value: fc.Arbitrary<JsonValue> = fc.letrec<{ node: JsonValue }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4 },
    scalar,
    fc.array(tie('node'), { maxLength: 4 }),
    fc.dictionary(name, tie('node'), { maxKeys: 5 }),
  ),
})).node;
const record = fc.dictionary(name, value, { maxKeys: 6 }) as fc.Arbitrary<JsonObject>;

describe('a record', () => {
  it('comes back from its bytes, and its bytes from it', () => {
    fc.assert(
      fc.property(record, (one) => {
        const bytes = Buffer.from(encodeRecord(one));
        expect(Buffer.from(encodeRecord(parseRecord(bytes)))).toEqual(bytes);
        expect(bytes.toString('utf8')).toBe(canonicalJson(one));
        expect(canonicalJson(parseJson(bytes, BODY_LIMITS))).toBe(bytes.toString('utf8'));
      }),
    );
  });

  it('does not depend on the order in which members were added', () => {
    fc.assert(
      fc.property(record, (one) => {
        const reversed = Object.fromEntries(Object.entries(one).reverse());
        expect(encodeRecord(reversed)).toEqual(encodeRecord(one));
      }),
    );
  });

  it('with any byte changed is another record or none', () => {
    fc.assert(
      fc.property(record, fc.nat(), fc.integer({ min: 1, max: 255 }), (one, pick, mask) => {
        const bytes = Buffer.from(encodeRecord(one));
        const mutated = Buffer.from(bytes);
        const at = pick % bytes.length;
        mutated[at] = (mutated[at] ?? 0) ^ mask;
        let read: JsonObject | undefined;
        try {
          read = parseRecord(mutated);
        } catch {
          return;
        }
        expect(Buffer.from(encodeRecord(read))).toEqual(mutated);
      }),
    );
  });
});
