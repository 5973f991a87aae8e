// SPDX-License-Identifier: Apache-2.0
/**
 * Whether a regular expression can take more than linear time on some text. It errs on the side of refusing: an
 * author can write the pattern another way, a gateway cannot take the time back.
 */

/** Which of the sample characters an atom takes, one bit each. */
type CharSet = bigint;

/** One item of a sequence: what it can begin with, whether it can be empty, and whether it repeats without bound. */
type Item = {
  readonly set: CharSet;
  readonly nullable: boolean;
  readonly unbounded: boolean;
  /** Unbounded parts that can be the last thing of the item. */
  readonly tail: CharSet;
  readonly single: boolean;
};

const SAMPLES = [
  ...Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)),
  'é',
  'ß',
  'Ω',
  '中',
  '\u2028',
  '😀',
];
const MANY = 64;

class Risk extends Error {}

/** What is wrong with it, or undefined. The caller has checked that it is a regular expression. */
export function regexRisk(pattern: string): string | undefined {
  try {
    const reader = new Reader(pattern);
    const items = reader.alternatives();
    const [first] = items;
    if (!reader.anchored && first !== undefined && reader.leadsUnbounded) {
      return 'it begins with a repetition and is not anchored: begin it with ^';
    }
    return undefined;
  } catch (error) {
    if (error instanceof Risk) return error.message;
    throw error;
  }
}

class Reader {
  readonly #text: string;
  #at = 0;
  anchored = false;
  leadsUnbounded = false;

  constructor(text: string) {
    this.#text = text;
    this.anchored = text.startsWith('^');
  }

  /** Branches up to `)` or the end, as one item each. */
  alternatives(): Item[] {
    const branches = [this.#sequence()];
    while (this.#text[this.#at] === '|') {
      this.#at += 1;
      branches.push(this.#sequence());
    }
    return branches;
  }

  #sequence(): Item {
    const items: Item[] = [];
    const start = this.#at;
    while (this.#at < this.#text.length && this.#text[this.#at] !== '|' && this.#text[this.#at] !== ')') {
      const item = this.#quantified();
      if (item !== undefined) items.push(item);
    }
    if (start === 0) {
      const [first, ...rest] = items;
      const ends = this.#text.endsWith('$') && !this.#text.endsWith('\\$');
      this.leadsUnbounded = first?.unbounded === true && (ends || rest.some((item) => !item.nullable));
    }
    return joined(items);
  }

  #quantified(): Item | undefined {
    const item = this.#atom();
    const { min, max } = this.#quantifier();
    if (item === undefined) return undefined;
    if (max === 1) return min === 0 ? { ...item, nullable: true } : item;
    if (max <= MANY) return { ...item, nullable: item.nullable || min === 0, single: false };
    if (item.nullable) throw new Risk('it repeats something that may be empty');
    if ((item.tail & item.set) !== 0n)
      throw new Risk('it repeats what itself ends in a repetition of the same characters');
    return {
      set: item.set,
      nullable: min === 0,
      unbounded: true,
      tail: item.single ? item.set : item.tail | lastOf(item),
      single: false,
    };
  }

  #quantifier(): { readonly min: number; readonly max: number } {
    const match = /^(?:[*+?]|\{\d+(?:,\d*)?\})\??/.exec(this.#text.slice(this.#at));
    if (match === null) return { min: 1, max: 1 };
    this.#at += match[0].length;
    const [sign] = match[0];
    if (sign === '*') return { min: 0, max: Number.POSITIVE_INFINITY };
    if (sign === '+') return { min: 1, max: Number.POSITIVE_INFINITY };
    if (sign === '?') return { min: 0, max: 1 };
    const [, low = '0', comma, high] = /^\{(\d+)(,?)(\d*)/.exec(match[0]) ?? [];
    const max = comma === '' ? Number(low) : high === '' ? Number.POSITIVE_INFINITY : Number(high);
    return { min: Number(low), max };
  }

  #atom(): Item | undefined {
    const letter = this.#text[this.#at] as string;
    if (letter === '(') return this.#group();
    if (letter === '^' || letter === '$') {
      this.#at += 1;
      return undefined;
    }
    const source = this.#atomSource(letter);
    this.#at += source.length;
    if (/^\\[bB]$/.test(source)) return undefined;
    if (/^\\(?:[1-9]|k<)/.test(source)) throw new Risk('it refers back to a group');
    const set = charSetOf(source);
    return { set, nullable: false, unbounded: false, tail: 0n, single: true };
  }

  #atomSource(letter: string): string {
    const rest = this.#text.slice(this.#at);
    if (letter === '[') return /^\[(?:\\.|[^\]\\])*\]/su.exec(rest)?.[0] ?? rest;
    if (letter === '\\')
      return (
        /^\\(?:u\{[0-9a-fA-F]+\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[pP]\{[^}]*\}|k<[^>]*>|c[A-Za-z]|\d+|.)/su.exec(
          rest,
        )?.[0] ?? rest
      );
    return String.fromCodePoint(rest.codePointAt(0) as number);
  }

  #group(): Item | undefined {
    const opening = /^\((?:\?(?:[:=!]|<[=!]|<[^>]*>))?/.exec(this.#text.slice(this.#at))?.[0] ?? '(';
    this.#at += opening.length;
    const branches = this.alternatives();
    this.#at += 1;
    if (/^\(\?<?[=!]/.test(opening)) return undefined;
    for (const [index, branch] of branches.entries()) {
      for (const other of branches.slice(index + 1)) refuseSameBeginning(branch, other, this.#repeatsNext());
    }
    return {
      set: branches.reduce((set, branch) => set | branch.set, 0n),
      nullable: branches.some((branch) => branch.nullable),
      unbounded: branches.some((branch) => branch.unbounded),
      tail: branches.reduce((set, branch) => set | branch.tail, 0n),
      single: branches.every((branch) => branch.single),
    };
  }

  #repeatsNext(): boolean {
    return /^(?:[*+]|\{\d+,\}|\{\d+,\d{3,}\})/.test(this.#text.slice(this.#at));
  }
}

/** In a repeated group two branches that begin alike give many ways to read the same text. */
function refuseSameBeginning(branch: Item, other: Item, repeats: boolean): void {
  if (!repeats || (branch.set & other.set) === 0n) return;
  if (branch.single || other.single || branch.unbounded || other.unbounded) {
    throw new Risk('it repeats a choice whose branches can begin with the same character');
  }
}

function lastOf(item: Item): CharSet {
  return item.unbounded ? item.set : 0n;
}

/** A sequence as one item; two repetitions of the same characters with nothing sure between them are refused. */
function joined(items: readonly Item[]): Item {
  let tail: CharSet = 0n;
  let set: CharSet = 0n;
  let nullable = true;
  for (const item of items) {
    if (item.unbounded && (tail & item.set) !== 0n)
      throw new Risk('two repetitions of the same characters follow each other');
    if (nullable) set |= item.set;
    // A separator that the repetition before it takes too does not end it.
    const open = item.nullable || (tail & item.set) !== 0n ? tail : 0n;
    tail = open | item.tail;
    nullable = nullable && item.nullable;
  }
  const [only] = items;
  return {
    set,
    nullable,
    unbounded: items.some((item) => item.unbounded),
    tail,
    single: items.length === 1 && only?.single === true,
  };
}

const sets = new Map<string, CharSet>();
const SETS_MAX = 10_000;

function charSetOf(source: string): CharSet {
  const known = sets.get(source);
  if (known !== undefined) return known;
  const test = new RegExp(`^${/^[.[\\]/.test(source) ? source : escaped(source)}$`, 'u');
  let set: CharSet = 0n;
  for (const [index, sample] of SAMPLES.entries()) if (test.test(sample)) set |= 1n << BigInt(index);
  if (sets.size >= SETS_MAX) sets.clear();
  sets.set(source, set);
  return set;
}

function escaped(letter: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(letter) ? `\\${letter}` : letter;
}
