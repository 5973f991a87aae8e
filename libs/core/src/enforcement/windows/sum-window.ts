// SPDX-License-Identifier: Apache-2.0
import { decimalText, type Units, unitsOf } from '../../kernel/decimal.ts';

/** Sums of one currency by bucket: [number of the bucket, decimal]. */
export type Buckets = readonly (readonly [bucket: number, sum: string])[];

/** [currency, its buckets]; the empty text where an amount names none. */
export type Sums = readonly (readonly [currency: string, buckets: Buckets])[];

const BUCKET_COUNT = 60;
/** A body may name any currency: this many are counted under one key, another is refused. */
export const CURRENCIES_MAX = 16;

/** A sixtieth of the window, rounded up: a sum leaves with the end of its bucket, so it is never counted too short. */
export function bucketOf(nowMs: number, windowMs: number): number {
  return Math.floor(nowMs / bucketWidth(windowMs));
}

function bucketWidth(windowMs: number): number {
  return Math.ceil(windowMs / BUCKET_COUNT);
}

/** The buckets of which something lies in the window. */
function live(buckets: Buckets, nowMs: number, windowMs: number): Buckets {
  const width = bucketWidth(windowMs);
  return buckets.filter(([bucket]) => (bucket + 1) * width > nowMs - windowMs);
}

export type Moment = { readonly nowMs: number; readonly windowMs: number };

export function sumOf(sums: Sums, currency: string, { nowMs, windowMs }: Moment): Units {
  const buckets = sums.find(([name]) => name === currency)?.[1] ?? [];
  return live(buckets, nowMs, windowMs).reduce((sum, [, text]) => sum + unitsOf(text), 0n);
}

export type Amount = { readonly currency: string; readonly units: Units };

/** The sums with one more amount; what has left the window is gone. At most 61 buckets a currency. */
export function withAmount(sums: Sums, amount: Amount, { nowMs, windowMs }: Moment): Sums {
  const now = bucketOf(nowMs, windowMs);
  const kept = sums
    .map(([currency, buckets]) => [currency, live(buckets, nowMs, windowMs)] as const)
    .filter(([currency, buckets]) => buckets.length > 0 || currency === amount.currency);
  const own = kept.find(([currency]) => currency === amount.currency)?.[1] ?? [];
  const last = own.at(-1);
  const grown: Buckets =
    last?.[0] === now
      ? [...own.slice(0, -1), [now, decimalText(unitsOf(last[1]) + amount.units)]]
      : [...own, [now, decimalText(amount.units)]];
  const others = kept.filter(([currency]) => currency !== amount.currency);
  return [...others, [amount.currency, grown]];
}

/** The sums with an amount given back to the bucket it was counted in. */
export function withoutAmount(sums: Sums, amount: Amount, bucket: number): Sums {
  return sums.map(([currency, buckets]) => {
    if (currency !== amount.currency) return [currency, buckets] as const;
    const less = buckets.map(([number, text]) => {
      const rest = unitsOf(text) - amount.units;
      return number === bucket ? ([number, decimalText(rest > 0n ? rest : 0n)] as const) : ([number, text] as const);
    });
    return [currency, less] as const;
  });
}
