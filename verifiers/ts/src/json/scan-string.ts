// SPDX-License-Identifier: Apache-2.0
import { JsonError } from './json-error.ts';

const SHORT_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);
const HEX4 = /^[0-9a-fA-F]{4}$/;
/** U+FDD0–U+FDEF and the last two code points of each plane. */
const NONCHARACTER = /[\ufdd0-\ufdef]|\p{Noncharacter_Code_Point}/u;

/** Scans the string whose opening quote stands at `from`. `end` is the index after its closing quote. */
export function scanString(text: string, from: number): { readonly value: string; readonly end: number } {
  let at = from + 1;
  let value = '';
  let copiedTo = at;
  let isAscii = true;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code === 0x22) {
      break;
    }
    if (code >= 0x20 && code !== 0x5c) {
      isAscii &&= code < 0x80;
      at += 1;
    } else if (code === 0x5c) {
      const escaped = scanEscape(text, at);
      value += text.slice(copiedTo, at) + escaped.value;
      isAscii &&= escaped.value.charCodeAt(0) < 0x80;
      at = escaped.end;
      copiedTo = at;
    } else {
      throw stringError(text, at, at < text.length ? 'a control character in a string' : 'a string does not end');
    }
  }
  value = copiedTo === from + 1 ? text.slice(copiedTo, at) : value + text.slice(copiedTo, at);
  if (!isAscii && (!value.isWellFormed() || NONCHARACTER.test(value))) {
    throw stringError(text, from, 'a lone surrogate or a noncharacter in a string');
  }
  return { value, end: at + 1 };
}

function scanEscape(text: string, at: number): { readonly value: string; readonly end: number } {
  const letter = text.charAt(at + 1);
  const short = SHORT_ESCAPES.get(letter);
  if (short !== undefined) {
    return { value: short, end: at + 2 };
  }
  const digits = text.slice(at + 2, at + 6);
  if (letter !== 'u' || !HEX4.test(digits)) {
    throw stringError(text, at, 'not an escape of JSON');
  }
  return { value: String.fromCharCode(Number.parseInt(digits, 16)), end: at + 6 };
}

function stringError(text: string, at: number, message: string): JsonError {
  return new JsonError('CLY_JSON_STRING', message, Buffer.byteLength(text.slice(0, at)));
}
