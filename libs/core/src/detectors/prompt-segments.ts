// SPDX-License-Identifier: Apache-2.0
import { foldText } from './fold-text.ts';

/**
 * The segments of texts, in order: lines and sentences as rules read them (foldText), without white space around them, and
 * masked. Identifiers, addresses and numbers differ from call to call without a change of what is asked.
 */
export function segmentsOf(texts: readonly string[]): string[] {
  const segments: string[] = [];
  for (const text of texts) {
    const whole = wholeSegment(text);
    if (whole === undefined) segments.push(...splitSegments(text));
    else if (whole !== '') segments.push(whole);
  }
  return segments;
}

const BETWEEN = /\n+|(?<=[.!?])\s/;

function splitSegments(text: string): string[] {
  const parts = text.split(BETWEEN).map((part) => masked(foldText(part)).trim());
  return parts.filter((part) => part !== '');
}

/** Of a shorter word only the digits are masked. */
const MASKED_CHARS_MIN = 6;
/** By character code: what words, identifiers and UUIDs are made of. */
const IN_WORD = Uint8Array.from({ length: 128 }, (_, code) => (/[a-z0-9_-]/.test(String.fromCharCode(code)) ? 1 : 0));
const HAS_DIGIT = /[0-9]/;
const DIGITS = /[0-9]+/g;
function masked(text: string): string {
  if (!HAS_DIGIT.test(text)) return text;
  let answer = '';
  let copied = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (IN_WORD[text.charCodeAt(at)] !== 1) continue;
    const start = at;
    let hasDigit = false;
    for (; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      if (IN_WORD[code] !== 1) break;
      hasDigit ||= code >= 48 && code <= 57;
    }
    if (!hasDigit) continue;
    const word = at - start < MASKED_CHARS_MIN ? text.slice(start, at).replace(DIGITS, '#') : '#';
    answer += text.slice(copied, start) + word;
    copied = at;
  }
  return answer + text.slice(copied);
}

const WHOLE_CHARS_MAX = 2_048;
const encoder = new TextEncoder();
/** A UTF-16 code takes at most three bytes. */
const encoded = new Uint8Array(3 * WHOLE_CHARS_MAX);
const folded = Buffer.alloc(WHOLE_CHARS_MAX);
const [MASK, ZERO, NINE] = [0x23, 0x30, 0x39];
/** By byte: a letter or the like of a word, a digit of one, what may end a sentence, and what this is not for. */
const [IS_WORD, IS_DIGIT, IS_BLANK, IS_END, IS_ODD] = [1, 2, 4, 8, 16];
const KINDS = Uint8Array.from({ length: 256 }, (_, code) => {
  const char = String.fromCharCode(code);
  if (code >= 128 || (char !== ' ' && /\s/.test(char))) return IS_ODD;
  if (/[0-9]/.test(char)) return IS_WORD | IS_DIGIT;
  if (/[A-Za-z_-]/.test(char)) return IS_WORD;
  return char === ' ' ? IS_BLANK : /[.!?]/.test(char) ? IS_END : 0;
});
const SMALL = Uint8Array.from({ length: 128 }, (_, code) => String.fromCharCode(code).toLowerCase().charCodeAt(0));

/**
 * The one segment that a text is, or empty; undefined where it may be more of them, or white space or other letters have to
 * be folded. A body is hundreds of short texts without any of this, and each step on a text of its own is a call for each:
 * in one pass over their bytes it takes a third of the time.
 */
function wholeSegment(text: string): string | undefined {
  if (text.length > WHOLE_CHARS_MAX) return undefined;
  const size = encoder.encodeInto(text, encoded).written;
  if (size !== text.length) return undefined;
  // What the loop reads, where the compiler knows that nobody changes it.
  const [bytes, kinds, small, to] = [encoded, KINDS, SMALL, folded];
  let [length, word, inWord, before] = [0, 0, 0, 0];
  for (let at = 0; at < size; at += 1) {
    const code = bytes[at] as number;
    const kind = kinds[code] as number;
    if ((kind & IS_WORD) === 0) {
      if (kind === IS_ODD || (kind === IS_BLANK && before >= IS_BLANK)) return undefined;
      if ((inWord & IS_DIGIT) !== 0) length = maskedWord(word, length);
      inWord = 0;
      word = length + 1;
    }
    inWord |= kind;
    to[length] = small[code] as number;
    length += 1;
    before = kind;
  }
  if ((inWord & IS_DIGIT) !== 0) length = maskedWord(word, length);
  return to.toString('latin1', 0, length).trim();
}

/** Masks the word of `folded` from there up to `end`, and says where it ends now. */
function maskedWord(start: number, end: number): number {
  if (end - start >= MASKED_CHARS_MIN) {
    folded[start] = MASK;
    return start + 1;
  }
  let length = start;
  let isBehindDigit = false;
  for (let at = start; at < end; at += 1) {
    const code = folded[at] as number;
    const isDigit = code >= ZERO && code <= NINE;
    if (!isDigit || !isBehindDigit) {
      folded[length] = isDigit ? MASK : code;
      length += 1;
    }
    isBehindDigit = isDigit;
  }
  return length;
}
