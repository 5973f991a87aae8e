// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';

/** A position in the write-ahead log as PostgreSQL prints it: two hexadecimal halves, `16/B374D848`. */
export type LsnText = string;

const LSN_PATTERN = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i;
const LOW_HALF_MASK = 0xffff_ffffn;

/** Errors: CLY_SOURCE_LSN_INVALID when `text` is not two hexadecimal halves of at most 32 bits. */
export function parseLsn(text: LsnText): bigint {
  const halves = LSN_PATTERN.exec(text);
  if (halves === null) {
    throw new ClyraError('CLY_SOURCE_LSN_INVALID', 'Pass a log position in the form X/Y, two hexadecimal numbers.', {
      retry: 'never',
      context: { length: text.length },
    });
  }
  return (BigInt(`0x${halves[1]}`) << 32n) | BigInt(`0x${halves[2]}`);
}

/** The text PostgreSQL itself would print: upper case, no padding. `lsn` is in 0 .. 2^64-1. */
export function formatLsn(lsn: bigint): LsnText {
  return `${(lsn >> 32n).toString(16)}/${(lsn & LOW_HALF_MASK).toString(16)}`.toUpperCase();
}

/** Negative, zero or positive, as for sort. Log positions never compare as text: `9/0` is before `10/0`. */
export function compareLsn(left: LsnText, right: LsnText): number {
  const difference = parseLsn(left) - parseLsn(right);
  return difference < 0n ? -1 : Number(difference > 0n);
}
