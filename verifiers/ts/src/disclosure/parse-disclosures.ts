// SPDX-License-Identifier: Apache-2.0
import type { JsonValue } from '../json/json-value.ts';
import { parseJson, RECORD } from '../json/parse.ts';
import { anything, closed, id, integer, oneOf, ShapeError, text } from '../json/shape.ts';

export const DISCLOSURES_BYTES_MAX = 16_777_216;
const LF = 0x0a;

const readDisclosure = closed({
  leaf: integer(0),
  part: oneOf('change', 'receipt', 'observation'),
  pointer: text,
  salt: id,
  v: integer(0, 0),
  value: anything,
});

/** One value that opens a commitment (disclosure.md §4). */
export interface Disclosure {
  readonly leaf: number;
  readonly part: 'change' | 'receipt' | 'observation';
  readonly pointer: string;
  readonly salt: string;
  readonly value: JsonValue;
}

/** Parses a file of disclosures. Throws JsonError or ShapeError. */
export function parseDisclosures(bytes: Buffer): readonly Disclosure[] {
  const disclosures: Disclosure[] = [];
  let from = 0;
  while (from < bytes.length) {
    const end = bytes.indexOf(LF, from);
    if (end < 0) {
      throw new ShapeError('', 'does not end with LF');
    }
    const disclosure = readDisclosure(parseJson(bytes.subarray(from, end), RECORD).value, '');
    const before = disclosures.at(-1);
    if (before !== undefined && !isBehind(before, disclosure)) {
      throw new ShapeError('', 'has a line that does not stand in its place');
    }
    disclosures.push(disclosure);
    from = end + 1;
  }
  return disclosures;
}

function isBehind(before: Disclosure, next: Disclosure): boolean {
  if (before.leaf !== next.leaf) {
    return before.leaf < next.leaf;
  }
  return before.part === next.part ? before.pointer < next.pointer : before.part < next.part;
}
