// SPDX-License-Identifier: Apache-2.0
import type { JsonObject, JsonValue } from '../canonical/json-value.ts';
import { encodeRecord, parseRecord } from '../canonical/record.ts';
import { readInteger, readText, shapeError } from '../change/shape.ts';
import { commitmentsIn, commitmentTo, saltOf } from './commitment.ts';

export const PARTS = ['change', 'observation', 'receipt'] as const;
export type Part = (typeof PARTS)[number];

/** What opens one commitment of a log (docs/spec/disclosure.md §4). */
export type Disclosure = {
  readonly leaf: number;
  readonly part: Part;
  readonly pointer: string;
  readonly salt: string;
  readonly value: JsonValue;
};

/** A value that the holder of an evidence key kept (docs/spec/disclosure.md §3). */
export type KeptValue = { readonly epoch: number; readonly pointer: string; readonly value: JsonValue };

export const DISCLOSURES_BYTES_MAX = 16_777_216;
const LF = Buffer.from('\n');

/**
 * The disclosures that these values give for a line: of each commitment in its bodies the value that opens it under
 * the key of its epoch. What no value opens stays closed.
 */
export function disclose(
  line: { readonly leaf: number; readonly parts: Readonly<Partial<Record<Part, JsonObject>>> },
  known: ReadonlyMap<string, Omit<Disclosure, 'leaf' | 'part'>>,
): readonly Disclosure[] {
  return PARTS.flatMap((part) => {
    const body = line.parts[part];
    if (body === undefined) return [];
    return commitmentsIn(body).flatMap(({ pointer, commitment }) => {
      const opening = known.get(commitment);
      return opening?.pointer === pointer ? [{ leaf: line.leaf, part, ...opening }] : [];
    });
  });
}

/** By commitment: what opens it, for each kept value under the key of its epoch. A value of another epoch is left out. */
export function openings(
  values: readonly KeptValue[],
  keys: ReadonlyMap<number, Uint8Array>,
): ReadonlyMap<string, Omit<Disclosure, 'leaf' | 'part'>> {
  const known = new Map<string, Omit<Disclosure, 'leaf' | 'part'>>();
  for (const { epoch, pointer, value } of values) {
    const key = keys.get(epoch);
    if (key === undefined) continue;
    const salt = saltOf(key, value);
    const { $commit } = commitmentTo(value, { pointer, salt });
    known.set($commit, { pointer, salt: Buffer.from(salt).toString('hex'), value });
  }
  return known;
}

/** Lines ascending by leaf, part and pointer, each once. */
export function encodeDisclosures(disclosures: readonly Disclosure[]): Uint8Array {
  const unique = new Map(disclosures.map((one) => [sortKey(one), one]));
  const sorted = [...unique].sort(([left], [right]) => (left < right ? -1 : 1));
  return Buffer.concat(sorted.flatMap(([, one]) => [encodeRecord({ ...one, v: 0 } as unknown as JsonObject), LF]));
}

/** Throws JsonError or CLY_RECORD_SHAPE. */
export function parseDisclosures(bytes: Uint8Array): readonly Disclosure[] {
  const found = recordLines(bytes).map((record) => {
    if (record['v'] !== 0 || record['value'] === undefined || Object.keys(record).length !== 6) {
      throw shapeError('a disclosure has leaf, part, pointer, salt, v and value');
    }
    return {
      leaf: readInteger(record, 'leaf'),
      part: readText(record, 'part', /^(?:change|observation|receipt)$/) as Part,
      pointer: readText(record, 'pointer', /^(?:\/[^/]+)+$/),
      salt: readText(record, 'salt', /^[0-9a-f]{32}$/),
      value: record['value'],
    };
  });
  const isRising = found.every((one, index) => index === 0 || sortKey(found[index - 1] as Disclosure) < sortKey(one));
  if (!isRising) throw shapeError('disclosures do not rise by leaf, part and pointer');
  return found;
}

/** Throws JsonError or CLY_RECORD_SHAPE. */
export function parseValues(bytes: Uint8Array): readonly KeptValue[] {
  return recordLines(bytes).map((record) => {
    if (record['value'] === undefined) throw shapeError('a kept value has a value');
    return {
      epoch: readInteger(record, 'epoch'),
      pointer: readText(record, 'pointer', /^(?:\/[^/]+)+$/),
      value: record['value'],
    };
  });
}

export function encodeValues(values: readonly KeptValue[]): Uint8Array {
  return Buffer.concat(values.flatMap((value) => [encodeRecord(value as unknown as JsonObject), LF]));
}

function recordLines(bytes: Uint8Array): JsonObject[] {
  const records: JsonObject[] = [];
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(0x0a, from);
    if (end < 0) throw shapeError('the last line has no LF');
    records.push(parseRecord(bytes.subarray(from, end)));
    from = end + 1;
  }
  return records;
}

/** Numbers of equal width sort as text. */
function sortKey({ leaf, part, pointer }: Disclosure): string {
  return `${String(leaf).padStart(16, '0')}\n${part}\n${pointer}`;
}
