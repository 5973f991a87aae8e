// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { JsonObject, JsonValue } from '../canonical/json-value.ts';
import { commitmentsIn, commitmentTo, committed, saltOf } from './commitment.ts';
import { disclose, encodeDisclosures, encodeValues, openings, parseDisclosures, parseValues } from './disclosures.ts';

const KEY = Buffer.alloc(32, 7);
const names = fc.constantFrom('origin', 'session_id', 'detail');
const values: fc.Arbitrary<JsonValue> = fc.oneof(
  fc.string({ unit: 'grapheme-ascii' }),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
);
const bodies = fc
  .dictionary(names, values, { minKeys: 1 })
  .map((facts): JsonObject => ({ facts, kind: 'change.requested' }));
const POINTERS = ['/facts/origin', '/facts/session_id'];

describe('commitments', () => {
  it('open with their value and salt, and only what was committed', () => {
    fc.assert(
      fc.property(bodies, (body) => {
        const made = committed(body, POINTERS, KEY);
        const kept = made.values.map((one) => ({ ...one, epoch: 3 }));
        const known = openings(parseValues(encodeValues(kept)), new Map([[3, KEY]]));
        const opened = parseDisclosures(encodeDisclosures(disclose({ leaf: 9, parts: { change: made.body } }, known)));
        expect(opened.map(({ pointer, value }) => ({ pointer, value }))).toEqual(
          made.values.toSorted((left, right) => (left.pointer < right.pointer ? -1 : 1)),
        );
        for (const { pointer, salt, value } of opened) {
          const { $commit } = commitmentTo(value, { pointer, salt: Buffer.from(salt, 'hex') });
          expect(commitmentsIn(made.body)).toContainEqual({ pointer, commitment: $commit });
        }
        const untouched = Object.keys(body['facts'] as JsonObject).includes('detail');
        expect(JSON.stringify(made.body).includes('"detail":{"$commit"')).toBe(false);
        expect(untouched).toBe(JSON.stringify(made.body).includes('"detail"'));
      }),
    );
  });

  it('stay closed for another key, another epoch, another pointer', () => {
    fc.assert(
      fc.property(values, (value) => {
        const { body } = committed({ facts: { origin: value } }, POINTERS, KEY);
        const closed = [
          openings([{ epoch: 3, pointer: '/facts/origin', value }], new Map([[3, Buffer.alloc(32, 8)]])),
          openings([{ epoch: 4, pointer: '/facts/origin', value }], new Map([[3, KEY]])),
          openings([{ epoch: 3, pointer: '/facts/session_id', value }], new Map([[3, KEY]])),
        ];
        expect(closed.flatMap((known) => disclose({ leaf: 0, parts: { change: body } }, known))).toEqual([]);
      }),
    );
  });

  it('are equal exactly where values are', () => {
    fc.assert(
      fc.property(values, values, (one, other) => {
        const at = (value: JsonValue): string =>
          commitmentTo(value, { pointer: '/a', salt: saltOf(KEY, value) }).$commit;
        expect(at(one) === at(other)).toBe(JSON.stringify(one) === JSON.stringify(other));
      }),
    );
  });

  it.each([
    ['a salt too short', '{"leaf":1,"part":"change","pointer":"/a","salt":"00","v":0,"value":1}\n'],
    [
      'one member more',
      `{"extra":1,"leaf":1,"part":"change","pointer":"/a","salt":"${'0'.repeat(32)}","v":0,"value":1}\n`,
    ],
    [
      'a line twice',
      `{"leaf":1,"part":"change","pointer":"/a","salt":"${'0'.repeat(32)}","v":0,"value":1}\n`.repeat(2),
    ],
    ['no final LF', `{"leaf":1,"part":"change","pointer":"/a","salt":"${'0'.repeat(32)}","v":0,"value":1}`],
  ])('are refused with %s', (_, text) => {
    expect(() => parseDisclosures(Buffer.from(text))).toThrow(expect.objectContaining({ code: 'CLY_RECORD_SHAPE' }));
  });
});
