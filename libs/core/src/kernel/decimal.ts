// SPDX-License-Identifier: Apache-2.0
/**
 * Exact decimal amounts without floating point: integers in units of 10^-9. A text has at most 18 digits before the
 * point; what lies beyond the ninth digit after it is rounded up, so a sum of amounts is never less than the truth.
 */
export type Units = bigint;

const DIGITS = 9;
const ONE: Units = 1_000_000_000n;
export const DECIMAL = /^(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,18})?$/;

/** undefined for what is no plain, non-negative decimal: a sign, an exponent and a leading zero are refused. */
export function parseDecimal(text: string): Units | undefined {
  if (!DECIMAL.test(text)) return undefined;
  const [whole = '0', fraction = ''] = text.split('.');
  const kept = BigInt(fraction.slice(0, DIGITS).padEnd(DIGITS, '0'));
  const rest = /[1-9]/.test(fraction.slice(DIGITS)) ? 1n : 0n;
  return BigInt(whole) * ONE + kept + rest;
}

/** The shortest text of the amount; `parseDecimal` gives the same units again. Sums may have more than 18 digits. */
export function decimalText(units: Units): string {
  const fraction = (units % ONE).toString().padStart(DIGITS, '0').replace(/0+$/, '');
  return fraction === '' ? String(units / ONE) : `${units / ONE}.${fraction}`;
}

/** Units from text that this code wrote itself, into the state of a tenant. */
export function unitsOf(text: string): Units {
  const [whole = '0', fraction = ''] = text.split('.');
  return BigInt(whole) * ONE + BigInt(fraction.padEnd(DIGITS, '0'));
}
