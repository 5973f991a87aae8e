// SPDX-License-Identifier: Apache-2.0
import { JsonError, type JsonErrorCode } from './json-error.ts';
import type { JsonValue } from './json-value.ts';
import { holdsNoncharacter, scanString } from './scan-string.ts';

/** Hard bounds of one parse; every one has a code of its own. */
export type JsonLimits = {
  readonly bytesMax: number;
  readonly depthMax: number;
  /** Values of any kind in the whole document, so that a small body cannot become a large heap. */
  readonly valuesMax: number;
};

export const BODY_LIMITS: JsonLimits = { bytesMax: 1_048_576, depthMax: 32, valuesMax: 200_000 };

const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;

/**
 * Reads one JSON text (RFC 8259) in the I-JSON subset (RFC 7493): valid UTF-8 without a BOM, no duplicate names
 * after unescaping, no lone surrogate or noncharacter, integers within ±(2^53−1), no number beyond a double,
 * nothing after the value. `JSON.parse` keeps the last of two equal names and turns 1e400 into Infinity, and two
 * readers that disagree on such a body are an attack, so neither is accepted. Throws JsonError.
 */
export function parseJson(bytes: Uint8Array, limits: JsonLimits): JsonValue {
  if (bytes.length > limits.bytesMax) {
    throw new JsonError('CLY_JSON_SIZE', `text is larger than ${limits.bytesMax} bytes`, limits.bytesMax);
  }
  const reader = new JsonReader(decodeUtf8(bytes), limits);
  return reader.document();
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new JsonError('CLY_JSON_UTF8', 'text is not valid UTF-8', firstBadUtf8(bytes));
  }
}

/** The length of the longest valid prefix, found by bisection on the decoder itself. */
function firstBadUtf8(bytes: Uint8Array): number {
  const streaming = (end: number): boolean => {
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, end), { stream: true });
      return true;
    } catch {
      return false;
    }
  };
  let good = 0;
  let bad = bytes.length;
  while (good + 1 < bad) {
    const middle = (good + bad) >>> 1;
    if (streaming(middle)) good = middle;
    else bad = middle;
  }
  return good;
}

type Members = Record<string, JsonValue>;

/**
 * Objects without anything inherited: a name of the data never meets one of ours, and `__proto__` is a name like any
 * other. A constructor's objects share their layout, so that a body of nothing but small objects costs a fifth of what
 * `Object.create(null)` takes; but each new name makes a new layout, so that a body of many names costs twice as much.
 */
const SharedLayout = function Members() {} as unknown as new () => Members;
SharedLayout.prototype = Object.create(null);
const LAYOUT_NAMES_MAX = 256;

/**
 * What costs far more time than the bytes that ask for it: a table of names (40,000 of them are 20 ms in any runtime),
 * and objects and lists without anything in them. A megabyte of records does not come near either.
 */
const OBJECT_NAMES_MAX = 10_000;
const CONTAINERS_MAX = 65_536;

/** Integers of up to so many digits are exact, and read digit by digit. */
const EXACT_DIGITS_MAX = 15;

class JsonReader {
  readonly #text: string;
  readonly #isSuspect: boolean;
  readonly #limits: JsonLimits;
  #at = 0;
  #values = 0;
  #containers = 0;
  readonly #names = new Set<string>();

  constructor(text: string, limits: JsonLimits) {
    this.#text = text;
    this.#isSuspect = holdsNoncharacter(text);
    this.#limits = limits;
  }

  document(): JsonValue {
    if (this.#text.charCodeAt(0) === 0xfeff) this.#fail('CLY_JSON_SYNTAX', 'a byte order mark is not allowed');
    this.#space();
    const value = this.#value(1);
    this.#space();
    if (this.#at < this.#text.length) this.#fail('CLY_JSON_TRAILING', 'there are bytes after the value');
    return value;
  }

  #fail(code: JsonErrorCode, message: string): never {
    throw new JsonError(code, message, Buffer.byteLength(this.#text.slice(0, this.#at)));
  }

  #space(): void {
    for (;;) {
      const unit = this.#text.charCodeAt(this.#at);
      if (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09) return;
      this.#at += 1;
    }
  }

  #value(depth: number): JsonValue {
    this.#values += 1;
    if (this.#values > this.#limits.valuesMax) this.#fail('CLY_JSON_SIZE', 'the text has too many values');
    switch (this.#text.charCodeAt(this.#at)) {
      case 0x7b:
        return this.#object(depth);
      case 0x5b:
        return this.#array(depth);
      case 0x22:
        return this.#string();
      case 0x74:
        return this.#literal('true', true);
      case 0x66:
        return this.#literal('false', false);
      case 0x6e:
        return this.#literal('null', null);
      default:
        return this.#number();
    }
  }

  #literal<T extends JsonValue>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) this.#fail('CLY_JSON_SYNTAX', 'a value was expected');
    this.#at += word.length;
    return value;
  }

  #number(): number {
    return this.#plainInteger() ?? this.#anyNumber();
  }

  /** undefined, with nothing read, for every other number and for what is none. */
  #plainInteger(): number | undefined {
    const text = this.#text;
    const isNegative = text.charCodeAt(this.#at) === 0x2d;
    const from = isNegative ? this.#at + 1 : this.#at;
    let at = from;
    let value = 0;
    let unit = text.charCodeAt(at);
    while (unit >= 0x30 && unit <= 0x39) {
      value = value * 10 + (unit - 0x30);
      at += 1;
      unit = text.charCodeAt(at);
    }
    const count = at - from;
    const isOther = count === 0 || count > EXACT_DIGITS_MAX || unit === 0x2e || unit === 0x65 || unit === 0x45;
    const startsWithZero = text.charCodeAt(from) === 0x30;
    if (isOther || (startsWithZero && (count > 1 || isNegative))) return undefined;
    this.#at = at;
    return isNegative ? -value : value;
  }

  #anyNumber(): number {
    NUMBER.lastIndex = this.#at;
    const match = NUMBER.exec(this.#text);
    if (match === null) this.#fail('CLY_JSON_SYNTAX', 'a value was expected');
    const value = Number(match[0]);
    if (!Number.isFinite(value)) this.#fail('CLY_JSON_NUMBER', 'the number is beyond a double');
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
      this.#fail('CLY_JSON_NUMBER', 'the integer is beyond ±(2^53−1); write it as a string');
    }
    this.#at = NUMBER.lastIndex;
    return value;
  }

  #string(): string {
    const scanned = scanString(this.#text, this.#at, this.#isSuspect);
    if (typeof scanned === 'object') {
      this.#at = scanned.end;
      return scanned.value;
    }
    this.#fail(scanned, 'the string is not acceptable');
  }

  #enter(depth: number): void {
    if (depth > this.#limits.depthMax) this.#fail('CLY_JSON_DEPTH', `nesting is deeper than ${this.#limits.depthMax}`);
    this.#containers += 1;
    if (this.#containers > CONTAINERS_MAX) this.#fail('CLY_JSON_SIZE', 'the text has too many objects and lists');
    this.#at += 1;
    this.#space();
  }

  /** After an element: true if another follows, false if the closing bracket was read. */
  #more(closing: number): boolean {
    this.#space();
    const unit = this.#text.charCodeAt(this.#at);
    if (unit !== 0x2c && unit !== closing) this.#fail('CLY_JSON_SYNTAX', 'a comma or closing bracket was expected');
    this.#at += 1;
    if (unit === closing) return false;
    this.#space();
    return true;
  }

  #array(depth: number): JsonValue[] {
    this.#enter(depth);
    const items: JsonValue[] = [];
    if (this.#text.charCodeAt(this.#at) === 0x5d) {
      this.#at += 1;
      return items;
    }
    do items.push(this.#value(depth + 1));
    while (this.#more(0x5d));
    return items;
  }

  #newMembers(): Members {
    return this.#names.size < LAYOUT_NAMES_MAX ? new SharedLayout() : (Object.create(null) as Members);
  }

  #object(depth: number): JsonValue {
    this.#enter(depth);
    const members = this.#newMembers();
    let count = 0;
    if (this.#text.charCodeAt(this.#at) === 0x7d) {
      this.#at += 1;
      return members;
    }
    do {
      if (this.#text.charCodeAt(this.#at) !== 0x22) this.#fail('CLY_JSON_SYNTAX', 'a name was expected');
      const name = this.#string();
      if (this.#names.size < LAYOUT_NAMES_MAX) this.#names.add(name);
      count += 1;
      if (count > OBJECT_NAMES_MAX) this.#fail('CLY_JSON_SIZE', `an object has more than ${OBJECT_NAMES_MAX} names`);
      if (name in members) this.#fail('CLY_JSON_DUPLICATE_NAME', 'a name stands twice in one object');
      this.#space();
      if (this.#text.charCodeAt(this.#at) !== 0x3a) this.#fail('CLY_JSON_SYNTAX', 'a colon was expected');
      this.#at += 1;
      this.#space();
      members[name] = this.#value(depth + 1);
    } while (this.#more(0x7d));
    return members;
  }
}
