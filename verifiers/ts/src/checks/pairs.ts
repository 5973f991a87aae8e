// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '../json/json-value.ts';

const LISTED_MAX = 256;

/** Counts pairs of texts: the first 256 different ones by themselves, what comes on top together. */
export class Pairs {
  readonly #counts: Map<string, { readonly first: string; readonly second: string; count: number }> = new Map();
  #other = 0;

  add(first: string, second: string): void {
    const key = `${first.length} ${first}${second}`;
    const known = this.#counts.get(key);
    if (known !== undefined) {
      known.count += 1;
    } else if (this.#counts.size < LISTED_MAX) {
      this.#counts.set(key, { first, second, count: 1 });
    } else {
      this.#other += 1;
    }
  }

  /** Ascending by the first text, then the second. */
  result(write: (first: string, second: string, count: number) => JsonObject): {
    readonly listed: JsonObject[];
    readonly other: number;
  } {
    const sorted = [...this.#counts.values()].sort((left, right) =>
      left.first === right.first ? compare(left.second, right.second) : compare(left.first, right.first),
    );
    return { listed: sorted.map(({ first, second, count }) => write(first, second, count)), other: this.#other };
  }
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
