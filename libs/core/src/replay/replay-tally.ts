// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../canonical/digest.ts';

export type ReplayResult = 'success' | 'partial' | 'failed';

/** Where a replay came out otherwise. `leaf` is null where what differs is of no single line. */
export type ReplayDifference = { readonly leaf: number | null; readonly member: string };

export type NotCompared = { readonly code: `CLY_REPLAY_${string}`; readonly count: number; readonly first: string };

/** What a replay certificate says of the comparison (docs/spec/statements.md §2). */
export type ReplayOutcome = {
  readonly result: ReplayResult;
  readonly compared: readonly { readonly count: number; readonly what: string }[];
  readonly not_compared: readonly NotCompared[];
  readonly first_difference: ReplayDifference | null;
  readonly inputs: readonly Digest[];
};

const NAMES_MAX = 1_000;

/** Counts what a replay compared, what it could not compare and why, and keeps the first difference. */
export class ReplayTally {
  readonly #equal = new Map<string, number>();
  readonly #missing = new Map<NotCompared['code'], { count: number; readonly first: string }>();
  readonly #inputs = new Set<Digest>();
  readonly #names = new Map<NotCompared['code'], Set<string>>();
  #difference: ReplayDifference | null = null;

  get difference(): ReplayDifference | null {
    return this.#difference;
  }

  equal(what: string, count = 1): void {
    this.#equal.set(what, (this.#equal.get(what) ?? 0) + count);
  }

  missing(code: NotCompared['code'], first: string, count = 1): void {
    this.#name(code, first);
    const known = this.#missing.get(code);
    if (known === undefined) this.#missing.set(code, { count, first });
    else known.count += count;
  }

  #name(code: NotCompared['code'], what: string): void {
    const names = this.#names.get(code) ?? new Set();
    this.#names.set(code, names);
    if (what !== '' && names.size < NAMES_MAX) names.add(what);
  }

  /** What could not be compared, each by name and not the first alone; at most 1,000 of a code. */
  get named(): readonly { readonly code: NotCompared['code']; readonly names: readonly string[] }[] {
    return [...this.#names].map(([code, names]) => ({ code, names: [...names] })).sort(by(({ code }) => code));
  }

  differs(difference: ReplayDifference): void {
    this.#difference ??= difference;
  }

  /** A document that was not in the bundle. */
  input(digest: Digest): void {
    this.#inputs.add(digest);
  }

  outcome(): ReplayOutcome {
    const missing = [...this.#missing].map(([code, entry]) => ({ code, ...entry }));
    // A replay that compared nothing succeeded at nothing.
    if (this.#equal.size === 0 && missing.length === 0) {
      missing.push({ code: 'CLY_REPLAY_NOTHING', count: 0, first: '' });
    }
    const complete = missing.length === 0 ? 'success' : 'partial';
    return {
      result: this.#difference === null ? complete : 'failed',
      compared: [...this.#equal].map(([what, count]) => ({ count, what })).sort(by(({ what }) => what)),
      not_compared: missing.sort(by(({ code }) => code)),
      first_difference: this.#difference,
      inputs: [...this.#inputs].sort(),
    };
  }
}

function by<Entry>(text: (entry: Entry) => string): (left: Entry, right: Entry) => number {
  return (left, right) => (text(left) < text(right) ? -1 : 1);
}
