// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { encodeCanonical } from '../json/encode.ts';
import type { JsonObject } from '../json/json-value.ts';
import { parseJson, RECORD } from '../json/parse.ts';
import { parseLine } from './line.ts';
import { type PlainLine, readPlainLine } from './plain-line.ts';
import { isObservationBody, isTransaction } from './plain-shapes.ts';

const FEW = { signatures: false, facts: false };
const EVERYTHING = { signatures: true, facts: true };

const hex = (digits: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: digits, maxLength: digits });
const half = fc.string({ unit: fc.constantFrom(...'0123456789ABCDEF'), minLength: 1, maxLength: 8 });
/** Short ones and the same again, and ones that no table keeps. */
const text = fc.oneof(
  fc.constantFrom('public', 'orders', 'crm', 'acme', ''),
  fc.string({ unit: fc.constantFrom(...'abz09 _-{}[]:,.'), maxLength: 80 }),
);
const count = fc.oneof(fc.nat({ max: 9 }), fc.nat(), fc.constant(999_999_999_999_999));
const relation = fc.record(
  {
    ddl: count,
    deletes: count,
    inserts: count,
    name: text,
    rows_digest: hex(64),
    schema: text,
    truncates: count,
    updates: count,
  },
  { requiredKeys: ['deletes', 'inserts', 'name', 'rows_digest', 'schema', 'truncates', 'updates'] },
);
const anyValue = fc.constantFrom<JsonObject>(
  {},
  { count: 1, tags: [{ count: 1, tag: 'ALTER' }] },
  { a: [null, true, -5] },
);
const required = {
  commit_end_lsn: fc.tuple(half, half).map(([high, low]) => `${high}/${low}`),
  committed_at: count,
  kind: fc.constant('transaction'),
  messages: count,
  observation_id: hex(32),
  relations: fc.array(relation, { maxLength: 4 }),
  source_id: text,
  system_id: text,
  tenant: text,
  timeline: count,
  token_hashes: fc.array(hex(64), { maxLength: 3 }),
  v: fc.constant(0),
  xid: count,
};
const body = fc.record(
  { ...required, ddl: anyValue, statement: anyValue, unknown_types: fc.array(text, { maxLength: 2 }) },
  { requiredKeys: Object.keys(required) as (keyof typeof required)[] },
);

function lineOf(value: JsonObject): Buffer {
  const sig = { index: 0, key_id: 'b'.repeat(32), path: [], sig: `${'A'.repeat(86)}==`, size: 1 };
  return Buffer.from(
    encodeCanonical({ append_time: 5, kind: 'observed', observation: { body: value, sig }, v: 0 } as JsonObject),
  );
}

/** What the rules read of a transaction. */
function keptOf({
  ddl: _ddl,
  messages: _m,
  statement: _s,
  unknown_types: _u,
  xid: _x,
  ...kept
}: JsonObject): JsonObject {
  const relations = (kept.relations as JsonObject[]).map(({ rows_digest: _rows, ...rest }) => rest);
  return { ...kept, relations };
}

/** Whether the line was read as a transaction; if so, what is true of it must be true of what the strict reader makes of it. */
function isReadAlike(bytes: Buffer): boolean {
  const line: PlainLine | null = readPlainLine(bytes, FEW);
  expect(readPlainLine(bytes, EVERYTHING) !== null).toBe(line !== null);
  if (line?.kind !== 'observed' || !line.isTransaction) {
    return false;
  }
  const strict = (parseJson(bytes, RECORD).value.observation as JsonObject).body as JsonObject;
  expect(strict.kind).toBe('transaction');
  expect(isObservationBody(strict) && isTransaction(strict)).toBe(true);
  expect(line.observation.value).toEqual(keptOf(strict));
  expect(String(bytes.subarray(line.observation.from, line.observation.to))).toBe(encodeCanonical(strict));
  return true;
}

describe('a plain transaction', () => {
  it('is any that a recorder writes, with what the rules read of it', () => {
    const judge = (value: object) => {
      const bytes = lineOf(value as JsonObject);
      expect(isReadAlike(bytes)).toBe(true);
      expect(parseLine(bytes, { line: 1, leaf: 0 }, FEW).kind).toBe('observed');
    };
    fc.assert(fc.property(body, judge), { numRuns: 500 });
  });

  it('is read as the strict reader reads it, whatever bytes are others, missing or too many', () => {
    const edit = fc.record({
      value: body,
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      removed: fc.nat({ max: 2 }),
      bytes: fc.array(fc.constantFrom(...Buffer.from('{}[]",:/-019AFaft \\\n\u007f\u00e9')), { maxLength: 2 }),
    });
    let read = 0;
    const judge = ({ value, at, removed, bytes }: { value: object; at: number; removed: number; bytes: number[] }) => {
      const whole = lineOf(value as JsonObject);
      const from = Math.floor(at * whole.length);
      const bent = Buffer.concat([whole.subarray(0, from), Buffer.from(bytes), whole.subarray(from + removed)]);
      read += isReadAlike(bent) ? 1 : 0;
    };
    fc.assert(fc.property(edit, judge), { numRuns: 4_000 });
    expect(read).toBeGreaterThan(100);
  });

  it.each([
    ['another member', { aborted: true }],
    ['a negative count', { messages: -1 }],
    ['a count of 16 digits', { committed_at: 9_007_199_254_740_991 }],
    ['a null', { xid: null }],
    ['a position in lower case', { commit_end_lsn: '0/a' }],
    ['a digest that is too short', { token_hashes: ['ab'] }],
  ])('has no %s: the other readers judge it', (_, change) => {
    const [sample] = fc.sample(body, { numRuns: 1, seed: 7 });
    const line = readPlainLine(lineOf({ ...(sample as object), ...change } as JsonObject), FEW);
    expect(line?.kind === 'observed' && line.isTransaction).toBe(false);
  });
});
