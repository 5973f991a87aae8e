// SPDX-License-Identifier: Apache-2.0
import type { Facts } from '../change/change-body.ts';
import { parseDecimal, type Units } from '../kernel/decimal.ts';
import { type Amount, CURRENCIES_MAX, type Moment, type Sums, sumOf } from './windows/sum-window.ts';

/** The amount that a rule counts, or the code of what is wrong: leaving it out, or hiding it, evades nothing. */
export function countedAmount(facts: Facts, rule: string): Amount | string {
  const fact = facts.amounts?.find((entry) => entry.rule === rule);
  if (fact === undefined || fact.value === null) return 'CLY_AMOUNT_MISSING';
  const units = parseDecimal(fact.value);
  return units === undefined ? 'CLY_AMOUNT_MISSING' : { currency: fact.currency ?? '', units };
}

/** The limit of a currency: its own, or that of `*`; undefined where there is none. */
export function limitFor(limits: Readonly<Record<string, string>>, currency: string): Units | undefined {
  const text = limits[currency] ?? limits['*'];
  return text === undefined ? undefined : parseDecimal(text);
}

export type Room = { readonly over: boolean; readonly remaining: Units };

/** Whether the amount fits, and what is left afterwards. `currencies`: one more currency than are counted under a key. */
export function overLimit(sums: Sums, amount: Amount, moment: Moment & { readonly limit: Units }): Room | 'currencies' {
  const known = sums.some(([currency]) => currency === amount.currency);
  if (!known && sums.length >= CURRENCIES_MAX) return 'currencies';
  const before = sumOf(sums, amount.currency, moment);
  const after = before + amount.units;
  const over = after > moment.limit;
  const left = moment.limit - (over ? before : after);
  return { over, remaining: left > 0n ? left : 0n };
}
