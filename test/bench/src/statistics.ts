// SPDX-License-Identifier: Apache-2.0
/** A figure over the rounds of a measurement. */
export type Spread = { readonly median: number; readonly min: number; readonly max: number };

export type Quantiles = { readonly p50: number; readonly p95: number; readonly p99: number };

/** The nearest-rank quantile of ascending values; NaN of none. */
export function quantile(ascending: ArrayLike<number>, share: number): number {
  const index = Math.max(0, Math.ceil(ascending.length * share) - 1);
  return ascending[index] ?? Number.NaN;
}

export function quantilesOf(values: readonly number[]): Quantiles {
  const ascending = Float64Array.from(values).sort();
  return { p50: quantile(ascending, 0.5), p95: quantile(ascending, 0.95), p99: quantile(ascending, 0.99) };
}

export function spreadOf(values: readonly number[]): Spread {
  const ascending = Float64Array.from(values).sort();
  const middle = ascending.length / 2;
  const upper = ascending[Math.floor(middle)] ?? Number.NaN;
  const lower = ascending[Math.ceil(middle) - 1] ?? Number.NaN;
  return {
    median: (upper + lower) / 2,
    min: ascending[0] ?? Number.NaN,
    max: ascending.at(-1) ?? Number.NaN,
  };
}

export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
