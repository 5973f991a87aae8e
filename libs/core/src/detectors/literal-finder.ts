// SPDX-License-Identifier: Apache-2.0
const ASCII_COUNT = 128;
const CODE_COUNT = 65_536;
const POSITIONS_PER_LITERAL_MAX = 32;

/** Where literals begin, by their number; absent where a literal does not occur. */
export type LiteralHits = ReadonlyMap<number, readonly number[]>;

const NO_HITS: LiteralHits = new Map();

/**
 * Finds all of many short ASCII literals in one pass over a text (Aho and Corasick 1975). Upper case and white space are
 * folded on the fly, so that a text without a hit costs no allocation.
 *
 * Each character of each request goes through the table, so it is small enough to stay near the processor: a column for
 * each character that some literal holds and one for all others, and the states nearest to the start side by side.
 */
export class LiteralFinder {
  /** The column of each UTF-16 code. */
  readonly #columns = new Uint8Array(CODE_COUNT);
  /** The next state, by state and column. */
  readonly #next: Uint16Array | Uint32Array;
  /** A state has 2 to the power of so many columns. */
  readonly #shift: number;
  /** From this state on each state ends a literal. */
  readonly #firstEnding: number;
  /** The literals that end, by state from the first such. */
  readonly #ends: readonly (readonly number[])[];
  readonly #lengths: readonly number[];

  constructor(literals: readonly string[]) {
    const trie = new Trie(literals);
    const codes = [...new Set(literals.join(''))].map((char) => char.charCodeAt(0));
    const shift = Math.ceil(Math.log2(codes.length + 1));
    codes.forEach((code, index) => {
      for (const same of unfolded(code)) this.#columns[same] = index + 1;
    });
    const isEnding = (state: number): boolean => (trie.ends[state] as readonly number[]).length > 0;
    const order = [...trie.nearestFirst.filter((state) => !isEnding(state)), ...trie.nearestFirst.filter(isEnding)];
    const numberOf = new Uint32Array(order.length);
    order.forEach((state, number) => {
      numberOf[state] = number;
    });
    const size = order.length << shift;
    this.#next = order.length <= CODE_COUNT ? new Uint16Array(size) : new Uint32Array(size);
    order.forEach((state, number) => {
      codes.forEach((code, index) => {
        this.#next[(number << shift) + index + 1] = numberOf[trie.after(state, code)] as number;
      });
    });
    this.#shift = shift;
    this.#ends = order.filter(isEnding).map((state) => trie.ends[state] as readonly number[]);
    this.#firstEnding = order.length - this.#ends.length;
    this.#lengths = literals.map((literal) => literal.length);
  }

  /** undefined for a text that holds anything but ASCII. */
  findInAscii(text: string): LiteralHits | undefined {
    const [columns, next, shift, firstEnding] = [this.#columns, this.#next, this.#shift, this.#firstEnding];
    let hits: Map<number, number[]> | undefined;
    let state = 0;
    for (let at = 0; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      if (code >= ASCII_COUNT) return undefined;
      state = next[(state << shift) + (columns[code] as number)] as number;
      if (state >= firstEnding) hits = this.#noted(hits ?? new Map(), state, at);
    }
    return hits ?? NO_HITS;
  }

  find(text: string): LiteralHits {
    const [columns, next, shift, firstEnding] = [this.#columns, this.#next, this.#shift, this.#firstEnding];
    let hits: Map<number, number[]> | undefined;
    let state = 0;
    for (let at = 0; at < text.length; at += 1) {
      state = next[(state << shift) + (columns[text.charCodeAt(at)] as number)] as number;
      if (state >= firstEnding) hits = this.#noted(hits ?? new Map(), state, at);
    }
    return hits ?? NO_HITS;
  }

  #noted(hits: Map<number, number[]>, state: number, at: number): Map<number, number[]> {
    for (const number of this.#ends[state - this.#firstEnding] as readonly number[]) {
      const positions = hits.get(number);
      const start = at - (this.#lengths[number] as number) + 1;
      if (positions === undefined) hits.set(number, [start]);
      else if (positions.length < POSITIONS_PER_LITERAL_MAX) positions.push(start);
    }
    return hits;
  }
}

/** Every literal by its letters, with the way back from each state to the longest end of it that begins a literal too. */
class Trie {
  /** The literals that end in each state. */
  readonly ends: number[][] = [[]];
  /** All states, by their distance from the start. */
  readonly nearestFirst: number[] = [0];
  readonly #next: number[] = new Array<number>(ASCII_COUNT).fill(-1);

  constructor(literals: readonly string[]) {
    for (const [number, literal] of literals.entries()) {
      let state = 0;
      for (const char of literal) {
        const slot = state * ASCII_COUNT + char.charCodeAt(0);
        if (this.#next[slot] === -1) {
          this.#next[slot] = this.ends.length;
          for (let code = 0; code < ASCII_COUNT; code += 1) this.#next.push(-1);
          this.ends.push([]);
        }
        state = this.#next[slot] as number;
      }
      this.ends[state]?.push(number);
    }
    this.#link();
  }

  /** The state after one more character. */
  after(state: number, code: number): number {
    return this.#next[state * ASCII_COUNT + code] as number;
  }

  /** Turns the trie into an automaton: every state has a successor for every character. */
  #link(): void {
    const fallback = new Int32Array(this.ends.length);
    const queue = this.nearestFirst;
    for (let head = 0; head < queue.length; head += 1) {
      const state = queue[head] as number;
      for (let code = 0; code < ASCII_COUNT; code += 1) {
        const slot = state * ASCII_COUNT + code;
        const child = this.#next[slot] as number;
        const around = state === 0 ? 0 : this.after(fallback[state] as number, code);
        if (child === -1) {
          this.#next[slot] = around;
        } else {
          fallback[child] = around;
          this.ends[child]?.push(...(this.ends[around] ?? []));
          queue.push(child);
        }
      }
    }
  }
}

const [CAPITAL_A, CAPITAL_Z, TO_SMALL] = [65, 90, 32];
const BLANK = 32;
const [TAB, LINE_FEED, RETURN] = [9, 10, 13];

/** What is read as this character of a literal. */
function unfolded(code: number): number[] {
  if (code === BLANK) return [code, TAB, LINE_FEED, RETURN];
  const capital = code - TO_SMALL;
  return capital >= CAPITAL_A && capital <= CAPITAL_Z ? [code, capital] : [code];
}
