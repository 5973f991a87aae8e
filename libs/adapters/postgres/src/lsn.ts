// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';

/** A position in the write-ahead log as PostgreSQL prints it: two hexadecimal halves, `16/B374D848`. */
export type LsnText = string;

const HALF_DIGITS_MAX = 8;
const LOW_HALF_MASK = 0xffff_ffffn;
const HALF = 2 ** 32;
/** Below it a number holds both halves exactly. */
const EXACT_HIGH = 2 ** 21;
const EXACT_MAX = BigInt(Number.MAX_SAFE_INTEGER);

/** Errors: CLY_SOURCE_LSN_INVALID when `text` is not two hexadecimal halves of at most 32 bits. */
export function parseLsn(text: LsnText): bigint {
  const slash = text.indexOf('/');
  const high = halfOf(text, 0, slash);
  const low = halfOf(text, slash + 1, text.length);
  if (high < 0 || low < 0) {
    throw new ClyraError('CLY_SOURCE_LSN_INVALID', 'Pass a log position in the form X/Y, two hexadecimal numbers.', {
      retry: 'never',
      context: { length: text.length },
    });
  }
  return joinHalves(high, low);
}

/** Of two unsigned halves of 32 bits. Each operation on a bigint makes another one: below 2^53 a number does it. */
export function joinHalves(high: number, low: number): bigint {
  return high < EXACT_HIGH ? BigInt(high * HALF + low) : (BigInt(high) << 32n) | BigInt(low);
}

/** One half, digit by digit: every transaction has a few positions. Negative where it is none. */
function halfOf(text: string, from: number, to: number): number {
  if (to <= from || to - from > HALF_DIGITS_MAX) return -1;
  let half = 0;
  for (let at = from; at < to; at += 1) {
    const digit = hexDigit(text.charCodeAt(at));
    if (digit < 0) return -1;
    half = half * 16 + digit;
  }
  return half;
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = (code | 0x20) - 0x61;
  return letter >= 0 && letter < 6 ? letter + 10 : -1;
}

/** The text PostgreSQL itself would print: upper case, no padding. `lsn` is in 0 .. 2^64-1. */
export function formatLsn(lsn: bigint): LsnText {
  if (lsn >= 0n && lsn <= EXACT_MAX) {
    const exact = Number(lsn);
    return `${Math.floor(exact / HALF).toString(16)}/${(exact % HALF).toString(16)}`.toUpperCase();
  }
  return `${(lsn >> 32n).toString(16)}/${(lsn & LOW_HALF_MASK).toString(16)}`.toUpperCase();
}

/** Negative, zero or positive, as for sort. Log positions never compare as text: `9/0` is before `10/0`. */
export function compareLsn(left: LsnText, right: LsnText): number {
  const difference = parseLsn(left) - parseLsn(right);
  return difference < 0n ? -1 : Number(difference > 0n);
}
