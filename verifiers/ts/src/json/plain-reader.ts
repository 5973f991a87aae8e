// SPDX-License-Identifier: Apache-2.0
import { type JsonObject, type JsonValue, Members } from './json-value.ts';
import { NOT_PLAIN, PlainCursor } from './plain-cursor.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const DEPTH_MAX = 32;
const NAMES_MAX = 4_096;
const GUESSES_MAX = 6;
const RECORD_NAME = /^(?:[a-z][a-z0-9_]{0,63}|\$commit|\$leaf)$/;
const NULL: Uint8Array = Buffer.from('null');
const TRUE: Uint8Array = Buffer.from('true');
const FALSE: Uint8Array = Buffer.from('false');
/** Stands for an object that is only checked. */
const NOTHING: JsonObject = Object.freeze(new Members());

/** A member's name with what stood behind it last time: lines say the same names in the same order. */
interface KnownName {
  readonly text: string;
  /** The name, its closing quote and the colon. */
  readonly bytes: Uint8Array;
  /** At most a few: what stands behind a name depends on the kind of line. */
  readonly next: KnownName[];
  /** The name that it is known to ascend from. */
  above: KnownName | null;
}

/**
 * Which members are kept of an object; the others are only checked. By name: which are kept of that member's object, or of the
 * objects in its list.
 */
export interface Wanted {
  /** Null keeps all but `never`. */
  readonly only: ReadonlySet<string> | null;
  readonly never: string | null;
  readonly of: ReadonlyMap<string, Wanted>;
}

/**
 * Reads canonical records that are ASCII without escapes, as nearly all are, several times faster than the strict reader. It
 * accepts nothing that the strict reader refuses, and gives the same values. What it does not accept is no fault yet: the
 * strict reader decides, and says what is wrong.
 */
export class PlainReader extends PlainCursor {
  readonly #names: Map<string, KnownName> = new Map();
  #last: KnownName = known('');

  /** An object, whose opening bracket is the next byte, `depth` deep. */
  object(depth: number, wanted: Wanted | null): JsonObject {
    if (this.bytes[this.at] !== OPEN) {
      throw NOT_PLAIN;
    }
    return this.#object(depth, true, wanted);
  }

  /** Steps over a value of any kind, `depth` deep. */
  skip(depth: number): void {
    this.#value(depth, false, null);
  }

  #object(depth: number, isKept: boolean, wanted: Wanted | null): JsonObject {
    const bytes = this.bytes;
    const into = isKept ? new Members() : NOTHING;
    this.#enter(depth);
    if (bytes[this.at] === CLOSE) {
      this.at += 1;
      return into;
    }
    const only = wanted === null ? null : wanted.only;
    const never = wanted === null ? null : wanted.never;
    let name: KnownName | null = null;
    for (;;) {
      name = this.#name(name);
      if (isKept && (only === null || only.has(name.text)) && name.text !== never) {
        into[name.text] = this.#value(depth + 1, true, wanted?.of.get(name.text) ?? null);
      } else {
        this.#value(depth + 1, false, null);
      }
      if (!this.#continues(CLOSE)) {
        return into;
      }
    }
  }

  #value(depth: number, isKept: boolean, wanted: Wanted | null): JsonValue {
    const byte = this.bytes[this.at] as number;
    if (byte === QUOTE) {
      return this.stringIf(isKept);
    }
    if (byte === OPEN) {
      return this.#object(depth, isKept, wanted);
    }
    if (byte === OPEN_LIST) {
      return this.#list(depth, isKept, wanted);
    }
    if (byte <= 0x39) {
      return this.integer();
    }
    return this.#word(byte);
  }

  #word(first: number): JsonValue {
    if (first === 0x6e) {
      this.expect(NULL);
      return null;
    }
    this.expect(first === 0x74 ? TRUE : FALSE);
    return first === 0x74;
  }

  #list(depth: number, isKept: boolean, wanted: Wanted | null): JsonValue[] {
    const values: JsonValue[] = [];
    this.#enter(depth);
    if (this.bytes[this.at] === CLOSE_LIST) {
      this.at += 1;
      return values;
    }
    do {
      const value = this.#value(depth + 1, isKept, wanted);
      if (isKept) {
        values.push(value);
      }
    } while (this.#continues(CLOSE_LIST));
    return values;
  }

  #enter(depth: number): void {
    if (depth > DEPTH_MAX) {
      throw NOT_PLAIN;
    }
    this.at += 1;
  }

  #continues(closing: number): boolean {
    const byte = this.bytes[this.at];
    this.at += 1;
    if (byte !== COMMA && byte !== closing) {
      throw NOT_PLAIN;
    }
    return byte === COMMA;
  }

  /** A name with its colon, above the one before it. */
  #name(before: KnownName | null): KnownName {
    const name = this.#guessed(this.#last.next) ?? this.#newName();
    this.#last = name;
    if (before !== null && name.above !== before) {
      if (!(name.text > before.text)) {
        throw NOT_PLAIN;
      }
      name.above = before;
    }
    return name;
  }

  #guessed(next: readonly KnownName[]): KnownName | null {
    for (const name of next) {
      if (this.#isNext(name)) {
        return name;
      }
    }
    return null;
  }

  #isNext(name: KnownName): boolean {
    const bytes = this.bytes;
    const from = this.at;
    const expected = name.bytes;
    for (let index = 0; index < expected.length; index += 1) {
      if (bytes[from + index] !== expected[index]) {
        return false;
      }
    }
    this.at = from + expected.length;
    return true;
  }

  #newName(): KnownName {
    const text = this.bytes[this.at] === QUOTE ? this.stringIf(true) : '';
    if (!RECORD_NAME.test(text) || this.bytes[this.at] !== 0x3a) {
      throw NOT_PLAIN;
    }
    this.at += 1;
    let name = this.#names.get(text);
    if (name === undefined) {
      name = known(text);
      // Names of a hostile journal may be new on every line.
      if (this.#names.size >= NAMES_MAX) {
        this.#names.clear();
        this.#last = known('');
      }
      this.#names.set(text, name);
    }
    const { next } = this.#last;
    if (next.length === GUESSES_MAX) {
      next.pop();
    }
    next.unshift(name);
    return name;
  }
}

function known(text: string): KnownName {
  return { text, bytes: new Uint8Array(Buffer.from(`"${text}":`)), next: [], above: null };
}
