// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '@clyra/core/canonical/canonical-json';
import { encodeCanonical } from '@clyra/verifier/json/encode';
import { parseJson } from '@clyra/verifier/json/parse';
import { afterAll, describe, expect, it } from '@jest/globals';
import { hashNumbers, type NumberPlan } from './es6-numbers.ts';
import { printCount, readCases, readExternal } from './read-cases.ts';

interface Triple {
  readonly name: string;
  readonly input: string;
  readonly output: string;
}
type Numbers = NumberPlan & { readonly published: readonly { readonly lines: number; readonly sha256: string }[] };

const cases = readCases<Triple>('json-canonicalization/cases.jsonl');
const numbers = JSON.parse(readExternal('json-canonicalization/numbers.json')) as Numbers;
const NUMBERS_IN_GATE = 1_000_000;
const DOCUMENT = { grammar: 'any', canonical: false, bytesMax: 65_536 } as const;

describe('RFC 8785, on the vectors of its authors', () => {
  afterAll(() => printCount('json-canonicalization', { files: cases.length, numbers: NUMBERS_IN_GATE }));

  it.each(cases.map((one) => [one.name, one] as const))('%s', (_name, { input, output }) => {
    expect(canonicalJson(JSON.parse(input))).toBe(output);
    // The verifier reads objects only, so a list stands in one.
    const { value } = parseJson(Buffer.from(`{"in":${input}}`), DOCUMENT);
    expect(encodeCanonical(value)).toBe(`{"in":${output}}`);
    expect(parseJson(Buffer.from(`{"in":${output}}`), { ...DOCUMENT, canonical: true }).value).toEqual(value);
  });

  it.each([
    ['the producer', (value: number) => canonicalJson(value)],
    ['the verifier', (value: number) => encodeCanonical(value)],
  ])('a million numbers have the published hash when written by %s', (_who, write) => {
    const published = numbers.published.find(({ lines }) => lines === NUMBERS_IN_GATE);
    expect(hashNumbers(numbers, NUMBERS_IN_GATE, write)).toBe(published?.sha256);
  });
});
