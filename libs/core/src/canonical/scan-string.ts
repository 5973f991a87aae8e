// SPDX-License-Identifier: Apache-2.0
import type { JsonErrorCode } from './json-error.ts';

export type ScannedString = { readonly value: string; readonly end: number };

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

const HEX4 = /[0-9a-fA-F]{4}/y;
/** A run of units that need no look of their own: no quote, backslash, control, surrogate or U+FDD0..U+FFFF. */
const PLAIN = /[\u0020\u0021\u0023-\u005b\u005d-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd]*/y;

/**
 * Reads the string that starts with the quote at `start`: the value and the position after the closing quote,
 * or the code of the refusal. Lone surrogates and noncharacters are refused whether escaped or not (RFC 7493 §2.1).
 */
export function scanString(text: string, start: number): ScannedString | JsonErrorCode {
  let value = '';
  let at = start + 1;
  for (;;) {
    PLAIN.lastIndex = at;
    const plain = PLAIN.exec(text)?.[0] ?? '';
    value += plain;
    at += plain.length;
    const unit = text.charCodeAt(at);
    if (unit === 0x22) return { value, end: at + 1 };
    if (Number.isNaN(unit) || unit < 0x20) return 'CLY_JSON_SYNTAX';
    if (unit !== 0x5c) {
      const point = text.codePointAt(at) ?? 0;
      if (point < 0x1_0000 || isNoncharacter(point)) return 'CLY_JSON_STRING';
      value += String.fromCodePoint(point);
      at += 2;
      continue;
    }
    const escaped = readEscape(text, at + 1);
    if (typeof escaped === 'string') return escaped;
    value += escaped.value;
    at = escaped.end;
  }
}

function readEscape(text: string, at: number): ScannedString | JsonErrorCode {
  const letter = text[at] ?? '';
  const short = SHORT_ESCAPES[letter];
  if (short !== undefined) return { value: short, end: at + 1 };
  if (letter !== 'u') return 'CLY_JSON_SYNTAX';
  const first = readHex4(text, at + 1);
  if (first === undefined) return 'CLY_JSON_SYNTAX';
  if (first < 0xd800 || first > 0xdfff) {
    return isNoncharacter(first) ? 'CLY_JSON_STRING' : { value: String.fromCharCode(first), end: at + 5 };
  }
  if (first > 0xdbff || text[at + 5] !== '\\' || text[at + 6] !== 'u') return 'CLY_JSON_STRING';
  const second = readHex4(text, at + 7);
  if (second === undefined) return 'CLY_JSON_SYNTAX';
  if (second < 0xdc00 || second > 0xdfff) return 'CLY_JSON_STRING';
  const point = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
  return isNoncharacter(point) ? 'CLY_JSON_STRING' : { value: String.fromCodePoint(point), end: at + 11 };
}

function readHex4(text: string, at: number): number | undefined {
  HEX4.lastIndex = at;
  const match = HEX4.exec(text);
  return match === null ? undefined : Number.parseInt(match[0], 16);
}

function isNoncharacter(point: number): boolean {
  return (point >= 0xfdd0 && point <= 0xfdef) || (point & 0xfffe) === 0xfffe;
}
