// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonicalJson } from './canonical-json.ts';
import { JsonError } from './json-error.ts';
import type { JsonValue } from './json-value.ts';
import { BODY_LIMITS, parseJson } from './parse-json.ts';

const read = (text: string): JsonValue => parseJson(Buffer.from(text, 'utf8'), BODY_LIMITS);

function codeOf(text: string): string | undefined {
  try {
    read(text);
    return undefined;
  } catch (error) {
    if (error instanceof JsonError) return error.code;
    throw error;
  }
}

/** A code point as JSON may write it: as it is, escaped by number in either case, or by its short form. */
function written(point: string, form: number): string {
  const hex = Array.from({ length: point.length }, (_, index) => point.charCodeAt(index).toString(16).padStart(4, '0'));
  const lower = hex.map((digits) => `\\u${digits}`).join('');
  const upper = hex.map((digits) => `\\u${digits.toUpperCase()}`).join('');
  return [JSON.stringify(point).slice(1, -1), lower, upper][form] as string;
}

const isNoncharacter = (text: string): boolean =>
  [...text].some((letter) => {
    const point = letter.codePointAt(0) ?? 0;
    return (point >= 0xfdd0 && point <= 0xfdef) || (point & 0xfffe) === 0xfffe;
  });

/** Also long runs, so that both ways of finding the end are taken. */
const texts = fc.array(fc.tuple(fc.oneof(fc.string({ unit: 'binary', maxLength: 1 }), fc.constant('x')), fc.nat(2)), {
  maxLength: 80,
  size: 'max',
});

describe('a string', () => {
  it('reads the same however it is written', () => {
    fc.assert(
      fc.property(texts, (points) => {
        const value = points.map(([point]) => point).join('');
        const text = `"${points.map(([point, form]) => written(point, form)).join('')}"`;
        if (isNoncharacter(value)) expect(codeOf(text)).toBe('CLY_JSON_STRING');
        else expect(read(text)).toBe(value);
      }),
    );
  });

  it('is refused where a surrogate stands alone, and nowhere else', () => {
    const unit = fc.oneof(fc.integer({ min: 0xd7fe, max: 0xe001 }), fc.integer({ min: 0xdbfe, max: 0xdc01 }));
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 6 }), (units) => {
        const value = String.fromCharCode(...units);
        const text = `"${units.map((one) => `\\u${one.toString(16)}`).join('')}"`;
        const isRefused = !value.isWellFormed() || isNoncharacter(value);
        expect(codeOf(text)).toBe(isRefused ? 'CLY_JSON_STRING' : undefined);
      }),
    );
  });
});

describe('a document', () => {
  it('reads as the runtime reads it, and its canonical text is that of RFC 8785', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), fc.constantFrom(undefined, 1, '\t'), (text, space) => {
        const known: unknown = JSON.parse(text);
        const spaced = JSON.stringify(known, null, space);
        const code = codeOf(spaced);
        fc.pre(code === undefined);
        expect(JSON.stringify(read(spaced))).toBe(JSON.stringify(known));
        expect(JSON.parse(canonicalJson(read(spaced)))).toEqual(known);
      }),
    );
  });

  it.each([
    '0',
    '-0',
    '7',
    '-7',
    '123456789012345',
    '1234567890123456',
    '9007199254740991',
    '-9007199254740991',
    '1.0',
  ])('reads the number %s as the runtime does', (text) => expect(read(text)).toBe(JSON.parse(text)));

  it.each(['01', '-01', '-', '+1', '1.', '.5', '1e', '00', '--1', '1-'])('refuses the number %s', (text) => {
    expect(codeOf(text)).toMatch(/^CLY_JSON_(?:SYNTAX|TRAILING)$/);
  });
});

describe('what costs more time than its bytes', () => {
  const list = (count: number, item: (index: number) => string): string =>
    Array.from({ length: count }, (_, index) => item(index)).join(',');

  it('has a limit: names of one object', () => {
    const object = (count: number): string => `{${list(count, (index) => `"n${index}":1`)}}`;
    expect(Object.keys(read(object(10_000)) as object)).toHaveLength(10_000);
    expect(codeOf(object(10_001))).toBe('CLY_JSON_SIZE');
  });

  it('has a limit: objects and lists', () => {
    expect((read(`[${list(65_535, () => '{}')}]`) as unknown[]).length).toBe(65_535);
    expect(codeOf(`[${list(65_536, () => '[]')}]`)).toBe('CLY_JSON_SIZE');
  });

  it('gives objects nothing inherited, whether their names are few or many', () => {
    const objects = read(`[${list(2_000, (index) => `{"n${index}":1}`)}]`) as readonly object[];
    for (const object of [objects[0], objects[1_999]] as object[]) {
      expect('constructor' in object).toBe(false);
      expect(Object.keys(object)).toHaveLength(1);
    }
    expect(Object.keys(read('{"__proto__":{"a":1}}') as object)).toEqual(['__proto__']);
  });
});
