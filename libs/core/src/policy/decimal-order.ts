// SPDX-License-Identifier: Apache-2.0
import { parseDecimal } from '../kernel/decimal.ts';

/** Negative, 0 or positive, as for sorting; both are decimals of a compiled policy. */
export function compareDecimals(one: string, other: string): number {
  const left = parseDecimal(one) ?? 0n;
  const right = parseDecimal(other) ?? 0n;
  return left < right ? -1 : left > right ? 1 : 0;
}
