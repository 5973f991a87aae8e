// SPDX-License-Identifier: Apache-2.0
import type { JsonErrorCode } from './json-error.ts';

export type ScannedString = { readonly value: string; readonly end: number };

/** What refuses a well-formed text for what it says: U+FDD0..U+FDEF and the last two points of each plane (RFC 7493 §2.1). */
const NONCHARACTER =
  /[\ufdd0-\ufdef\ufffe\uffff]|[\ud83f\ud87f\ud8bf\ud8ff\ud93f\ud97f\ud9bf\ud9ff\uda3f\uda7f\udabf\udaff\udb3f\udb7f\udbbf\udbff][\udffe\udfff]/;

/** Strings up to this length are looked at unit by unit: a call into a regular expression costs more than it saves. */
const SHORT_LENGTH_MAX = 32;
const SPECIAL = /["\\\u0000-\u001f]/g;

/** Whether a text holds a noncharacter as it stands: asked once for a whole document, not for each of its strings. */
export function holdsNoncharacter(text: string): boolean {
  return NONCHARACTER.test(text);
}

/**
 * Reads the string that starts with the quote at `start`: the value and the position after the closing quote, or the
 * code of the refusal. Lone surrogates and noncharacters are refused whether escaped or not (RFC 7493 §2.1). One look
 * finds the end; the runtime's own reader undoes the escapes, since a body can consist of nothing but escapes.
 * `isSuspect`: the text holds a noncharacter somewhere.
 */
export function scanString(text: string, start: number, isSuspect: boolean): ScannedString | JsonErrorCode {
  let at = nextSpecial(text, start + 1);
  let unit = text.charCodeAt(at);
  const isPlain = unit === 0x22;
  while (unit !== 0x22) {
    // A control character, or the end of the text.
    if (unit !== 0x5c) return 'CLY_JSON_SYNTAX';
    at = nextSpecial(text, at + 2);
    unit = text.charCodeAt(at);
  }
  const end = at + 1;
  if (isPlain) {
    const value = text.slice(start + 1, at);
    return isSuspect && NONCHARACTER.test(value) ? 'CLY_JSON_STRING' : { value, end };
  }
  const value = unescaped(text.slice(start, end));
  if (value === undefined) return 'CLY_JSON_SYNTAX';
  // The text came from UTF-8, so that only an escape can be half of a pair.
  return value.isWellFormed() && !NONCHARACTER.test(value) ? { value, end } : 'CLY_JSON_STRING';
}

/** Where the next quote, backslash or control character stands, or the text's length. */
function nextSpecial(text: string, from: number): number {
  const shortEnd = Math.min(text.length, from + SHORT_LENGTH_MAX);
  for (let at = from; at < shortEnd; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit === 0x22 || unit === 0x5c || unit < 0x20) return at;
  }
  if (shortEnd >= text.length) return text.length;
  SPECIAL.lastIndex = shortEnd;
  return SPECIAL.test(text) ? SPECIAL.lastIndex - 1 : text.length;
}

/** undefined where an escape is none. */
function unescaped(quoted: string): string | undefined {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return undefined;
  }
}
