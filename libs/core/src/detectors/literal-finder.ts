// SPDX-License-Identifier: Apache-2.0
/** Character classes of folded text: ASCII as it is, everything else one class that no literal holds. */
const ALPHABET = 128;
const POSITIONS_PER_LITERAL_MAX = 32;

/** Where literals begin, by their number; absent where a literal does not occur. */
export type LiteralHits = ReadonlyMap<number, readonly number[]>;

const NO_HITS: LiteralHits = new Map();

/**
 * Finds all of many short ASCII literals in one pass over a text (Aho and Corasick 1975). Upper case and white space are
 * folded on the fly, so that a text without a hit costs no allocation.
 */
export class LiteralFinder {
  readonly #next: Int32Array;
  readonly #ends: readonly (readonly number[])[];
  readonly #lengths: readonly number[];

  constructor(literals: readonly string[]) {
    const next: number[] = new Array<number>(ALPHABET).fill(-1);
    const ends: number[][] = [[]];
    for (const [number, literal] of literals.entries()) {
      let state = 0;
      for (const char of literal) {
        const slot = state * ALPHABET + char.charCodeAt(0);
        if (next[slot] === -1) {
          next[slot] = ends.length;
          next.push(...new Array<number>(ALPHABET).fill(-1));
          ends.push([]);
        }
        state = next[slot] as number;
      }
      ends[state]?.push(number);
    }
    this.#next = Int32Array.from(next);
    this.#ends = ends;
    this.#lengths = literals.map((literal) => literal.length);
    this.#link(ends);
  }

  /** Turns the trie into an automaton: every state has a successor for every character. */
  #link(ends: number[][]): void {
    const fallback = new Int32Array(ends.length);
    const queue: number[] = [0];
    for (let head = 0; head < queue.length; head += 1) {
      const state = queue[head] as number;
      for (let char = 0; char < ALPHABET; char += 1) {
        const slot = state * ALPHABET + char;
        const child = this.#next[slot] as number;
        const around = state === 0 ? 0 : (this.#next[(fallback[state] as number) * ALPHABET + char] as number);
        if (child === -1) {
          this.#next[slot] = around;
        } else {
          fallback[child] = around;
          ends[child]?.push(...(ends[around] ?? []));
          queue.push(child);
        }
      }
    }
  }

  find(text: string): LiteralHits {
    let hits: Map<number, number[]> | undefined;
    let state = 0;
    for (let at = 0; at < text.length; at += 1) {
      state = this.#next[state * ALPHABET + folded(text.charCodeAt(at))] as number;
      const ended = this.#ends[state] as readonly number[];
      if (ended.length === 0) continue;
      hits ??= new Map();
      for (const number of ended) {
        const positions = hits.get(number);
        const start = at - (this.#lengths[number] as number) + 1;
        if (positions === undefined) hits.set(number, [start]);
        else if (positions.length < POSITIONS_PER_LITERAL_MAX) positions.push(start);
      }
    }
    return hits ?? NO_HITS;
  }
}

function folded(code: number): number {
  if (code >= 65 && code <= 90) return code + 32;
  if (code === 9 || code === 10 || code === 13) return 32;
  return code < ALPHABET ? code : 0;
}
