// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { JsonError } from './json-error.ts';
import { type JsonForm, parseJson, RECORD } from './parse.ts';

const DOCUMENT: JsonForm = { grammar: 'any', canonical: true, bytesMax: 1_000 };
const LOOSE: JsonForm = { grammar: 'any', canonical: false, bytesMax: 1_000 };

function outcome(bytes: Uint8Array, form: JsonForm): string {
  try {
    parseJson(bytes, form);
    return 'ok';
  } catch (error) {
    return error instanceof JsonError ? `${error.code} ${error.byte}` : `threw ${String(error)}`;
  }
}

const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;

describe('records', () => {
  it.each([
    ['{}', 'ok'],
    ['{"a":0,"b":-1,"c":[true,false,null],"d":""}', 'ok'],
    ['{"$commit":"x","$leaf":"y"}', 'ok'],
    ['{"a":9007199254740991}', 'ok'],
    ['{"a":"\\u0000\\b\\t\\n\\f\\r\\"\\\\/\u007f\u2028é😀"}', 'ok'],
    [nested(32), 'ok'],
    [nested(33), 'CLY_JSON_DEPTH 160'],
    ['', 'CLY_JSON_SYNTAX 0'],
    ['[]', 'CLY_JSON_SYNTAX 0'],
    ['\ufeff{}', 'CLY_JSON_SYNTAX 0'],
    ['{} ', 'CLY_JSON_SYNTAX 2'],
    [' {}', 'CLY_JSON_SYNTAX 0'],
    ['{"a":1}\r', 'CLY_JSON_SYNTAX 7'],
    ['{"a":1,}', 'CLY_JSON_SYNTAX 7'],
    ['{"a":1 }', 'CLY_JSON_SYNTAX 6'],
    ['{"a":[1,]}', 'CLY_JSON_SYNTAX 8'],
    ['{"a"', 'CLY_JSON_SYNTAX 4'],
    ['{"a', 'CLY_JSON_SYNTAX 3'],
    ['{"a":tru}', 'CLY_JSON_SYNTAX 5'],
    ['{"a":f0}', 'CLY_JSON_SYNTAX 5'],
    ['{"a":n', 'CLY_JSON_SYNTAX 5'],
    ['{"a":1,"a":1}', 'CLY_JSON_DUPLICATE 7'],
    ['{"a":1,"\\u0061":2}', 'CLY_JSON_CANONICAL 8'],
    ['{"b":1,"a":1}', 'CLY_JSON_ORDER 7'],
    ['{"\\u0061":1}', 'CLY_JSON_CANONICAL 2'],
    ['{"A":1}', 'CLY_JSON_NAME 1'],
    ['{"__proto__":1}', 'CLY_JSON_NAME 1'],
    ['{"9":1}', 'CLY_JSON_NAME 1'],
    ['{"":1}', 'CLY_JSON_NAME 1'],
    [`{"a${'b'.repeat(64)}":1}`, 'CLY_JSON_NAME 1'],
    ['{"a":1.0}', 'CLY_JSON_NUMBER 5'],
    ['{"a":1e2}', 'CLY_JSON_NUMBER 5'],
    ['{"a":-0}', 'CLY_JSON_NUMBER 5'],
    ['{"a":01}', 'CLY_JSON_NUMBER 5'],
    ['{"a":9007199254740992}', 'CLY_JSON_NUMBER 5'],
    ['{"a":1e400}', 'CLY_JSON_NUMBER 5'],
    ['{"a":-}', 'CLY_JSON_NUMBER 5'],
    ['{"a":"\\ud800"}', 'CLY_JSON_STRING 6'],
    ['{"a":"\\ufdd0"}', 'CLY_JSON_STRING 6'],
    ['{"a":"\ufffe"}', 'CLY_JSON_STRING 6'],
    ['{"a":"\\ud83f\\udfff"}', 'CLY_JSON_STRING 6'],
    ['{"a":"\\x"}', 'CLY_JSON_SYNTAX 6'],
    ['{"a":"\n"}', 'CLY_JSON_SYNTAX 6'],
    ['{"é":1}', 'CLY_JSON_NAME 1'],
    ['{"a":"é","b":01}', 'CLY_JSON_NUMBER 14'],
  ])('%j: %s', (text, expected) => {
    expect(outcome(Buffer.from(text), RECORD)).toBe(expected);
  });

  it.each([
    ['an overlong form', [0x7b, 0x22, 0xc0, 0x80], 2],
    ['a surrogate', [0x41, 0xed, 0xa0, 0x80], 1],
    ['a character beyond U+10FFFF', [0xf4, 0x90, 0x80, 0x80], 0],
    ['a character cut short', [0x41, 0xc3, 0xa9, 0xe2, 0x82], 3],
    ['a stray continuation', [0x41, 0x80], 1],
  ])('%s is not UTF-8', (_name, bytes, at) => {
    expect(outcome(Uint8Array.from(bytes), RECORD)).toBe(`CLY_JSON_UTF8 ${at}`);
  });

  it('are at most 65,535 bytes', () => {
    const text = (size: number) => `{"a":"${'x'.repeat(size - 8)}"}`;
    expect(outcome(Buffer.from(text(65_535)), RECORD)).toBe('ok');
    expect(outcome(Buffer.from(text(65_536)), RECORD)).toBe('CLY_JSON_SIZE 65535');
  });

  it('give the very text of an inner object', () => {
    const parsed = parseJson(Buffer.from('{"a":{"b":{"c":"é"}}}'), RECORD);
    const inner = (parsed.value.a as Record<string, never>).b as never;
    expect(Buffer.from(parsed.bytesOf(inner)).toString()).toBe('{"c":"é"}');
  });
});

describe('documents', () => {
  it.each([
    ['{"10":1,"9":2}', 'ok'],
    ['{"__proto__":{"a":1.5}}', 'ok'],
    ['{"A":1e+21,"b":0.001}', 'ok'],
    ['{"9":1,"10":2}', 'CLY_JSON_ORDER 7'],
    ['{"a":1.50}', 'CLY_JSON_CANONICAL 5'],
    ['{"a":1e400}', 'CLY_JSON_NUMBER 5'],
    ['{"\u{1f600}":1,"\ufb33":2}', 'ok'],
  ])('%j: %s', (text, expected) => {
    expect(outcome(Buffer.from(text), DOCUMENT)).toBe(expected);
  });

  it('that need not be canonical may hold white space, and no name twice', () => {
    expect(outcome(Buffer.from('\t{ "b" : 1 ,\r\n"a":[ ] }\n'), LOOSE)).toBe('ok');
    expect(outcome(Buffer.from('{"a":1, "a":2}'), LOOSE)).toBe('CLY_JSON_DUPLICATE 8');
  });
});
