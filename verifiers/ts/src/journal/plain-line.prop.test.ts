// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { JsonObject, JsonValue } from '../json/json-value.ts';
import { parseJson, RECORD } from '../json/parse.ts';
import { readBlock, type SignatureBlock } from '../signature/block.ts';
import { buildStandard } from '../testing/standard-bundle.ts';
import { type PlainBody, readPlainLine } from './plain-line.ts';

const EVERYTHING = { signatures: true, facts: true };
const FEW = { signatures: false, facts: false };
const journal = buildStandard().files.get('journal.jsonl') as Buffer;
const lines = String(journal)
  .split('\n')
  .slice(0, -1)
  .map((line) => Buffer.from(line));

type Parts = Readonly<Record<string, { readonly body: JsonObject; readonly sig: JsonValue }>>;

/** What the strict reader makes of the same bytes; it throws where they are no record. */
function expectSame(bytes: Buffer, name: string, plain: PlainBody): void {
  const parsed = parseJson(bytes, RECORD);
  const { body, sig } = (parsed.value as Parts)[name] as Parts[string];
  expect(plain.value).toEqual(body);
  expect(bytes.subarray(plain.from, plain.to)).toEqual(parsed.bytesOf(body));
  const strict = sig === null ? null : readBlock(sig, 'sig');
  expect(plain.sig && membersOf(plain.sig)).toEqual(strict && membersOf(strict));
}

function membersOf({ index, size, key_id, path, sig }: SignatureBlock) {
  return { index, size, key_id, path, sig };
}

/** Whether the line is plain; if it is, the strict reader must say the same of it. */
function agrees(bytes: Buffer): boolean {
  const line = readPlainLine(bytes, EVERYTHING);
  if (line?.kind === 'decided') {
    expectSame(bytes, 'change', line.change);
    expectSame(bytes, 'receipt', line.receipt);
  } else if (line?.kind === 'observed') {
    expectSame(bytes, 'observation', line.observation);
  }
  const isPlain = line !== null;
  expect(readPlainLine(bytes, FEW) !== null).toBe(isPlain);
  return isPlain;
}

/** What is kept of a body when no disclosure asks for all of it: the same values, and all that the rules read. */
function expectKept(bytes: Buffer): void {
  const line = readPlainLine(bytes, FEW);
  const whole = parseJson(bytes, RECORD).value as unknown as Parts;
  if (line?.kind === 'observed') {
    const {
      xid: _xid,
      messages: _messages,
      ddl: _ddl,
      unknown_types: _types,
      statement: _of,
      ...body
    } = whole.observation?.body ?? {};
    const relations = (body.relations as JsonObject[]).map(({ rows_digest: _rows, ...rest }) => rest);
    expect(line.observation.value).toEqual({ ...body, relations });
  } else if (line?.kind === 'decided') {
    expect(line.receipt.value).toEqual(whole.receipt?.body);
    expect({ ...line.change.value, facts: 0 }).toEqual({ ...whole.change?.body, facts: 0 });
  }
}

/** Bytes that mean something to JSON come up often. */
const byte = fc.oneof(
  fc.constantFrom(...Buffer.from('{}[]",:\\-0123456789.eEtfn _aZ$\u0000\n\u007f\u00e9')),
  fc.nat({ max: 255 }),
);

describe('a plain line', () => {
  it('is what most lines are', () => {
    const plain = lines.filter((line) => agrees(line));
    expect(plain.length).toBeGreaterThanOrEqual(lines.length - 2);
  });

  it('keeps of its bodies what the rules read', () => {
    const transactions = lines.filter((line) => line.includes('"kind":"transaction"'));
    expect(transactions.length).toBeGreaterThan(0);
    const decided = lines.filter((line) => line.includes('"kind":"decided"'));
    for (const line of [...transactions, ...decided]) {
      expectKept(line);
    }
  });

  it('is read as the strict reader reads it, whatever byte is another, missing or too many', () => {
    const edit = fc.record({
      line: fc.nat({ max: lines.length - 1 }),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      removed: fc.nat({ max: 2 }),
      bytes: fc.array(byte, { maxLength: 2 }),
    });
    let plain = 0;
    const judge = ({ line, at, removed, bytes }: { line: number; at: number; removed: number; bytes: number[] }) => {
      const whole = lines[line] as Buffer;
      const from = Math.floor(at * whole.length);
      const bent = Buffer.concat([whole.subarray(0, from), Buffer.from(bytes), whole.subarray(from + removed)]);
      plain += agrees(bent) ? 1 : 0;
    };
    fc.assert(fc.property(edit, judge), { numRuns: 4_000 });
    expect(plain).toBeGreaterThan(200);
  });

  it.each([
    ['another order', '{"b":1,"a":2}'],
    ['a name twice', '{"a":1,"a":2}'],
    ['white space', '{"a": 1}'],
    ['a leading zero', '{"a":01}'],
    ['minus zero', '{"a":-0}'],
    ['a fraction', '{"a":1.5}'],
    ['a name not of the grammar', '{"A":1}'],
    ['an escape', '{"a":"\\n"}'],
    ['a character beyond ASCII', '{"a":"é"}'],
    ['33 levels', `${'{"a":'.repeat(31)}1${'}'.repeat(31)}`],
    ['a comma too many', '{"a":[1,]}'],
  ])('has none of %s', (_, body) => {
    const line = String(lines[1]).replace('"intake":{', `"intake":{"a":${body},`);
    expect(line).not.toBe(String(lines[1]));
    expect(readPlainLine(Buffer.from(line), FEW)).toBeNull();
  });
});
