// SPDX-License-Identifier: Apache-2.0
import { type JsonCode, JsonError } from './json-error.ts';
import type { JsonObject, JsonValue } from './json-value.ts';
import { scanString } from './scan-string.ts';

const DEPTH_MAX = 32;
const SPAN_DEPTH_MAX = 3;
const RECORD_NAME = /^(?:[a-z][a-z0-9_]{0,63}|\$commit|\$leaf)$/;
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
const LITERALS: readonly (readonly [string, JsonValue])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
];

export interface Span {
  readonly from: number;
  readonly to: number;
}

/** A strict recursive-descent scanner over one text. Indices are UTF-16; they become bytes only in an error. */
export class Scanner {
  readonly spans: Map<JsonObject, Span> = new Map();
  readonly #text: string;
  readonly #record: boolean;
  readonly #canonical: boolean;
  #at = 0;
  #depth = 0;

  constructor(text: string, record: boolean, canonical: boolean) {
    this.#text = text;
    this.#record = record;
    this.#canonical = canonical;
  }

  scanDocument(): JsonObject {
    this.#skipSpace();
    if (this.#text[this.#at] !== '{') {
      throw this.#error('CLY_JSON_SYNTAX', 'the outermost value must be an object');
    }
    const value = this.#scanObject();
    this.#skipSpace();
    if (this.#at !== this.#text.length) {
      throw this.#error('CLY_JSON_SYNTAX', 'something follows the value');
    }
    return value;
  }

  #scanValue(): JsonValue {
    const code = this.#text.charCodeAt(this.#at);
    if (code === 0x22) {
      return this.#scanText();
    }
    if (code === 0x7b) {
      return this.#scanObject();
    }
    if (code === 0x5b) {
      return this.#scanList();
    }
    if (code === 0x2d || (code >= 0x30 && code <= 0x39)) {
      return this.#scanNumber();
    }
    for (const [word, value] of LITERALS) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    }
    throw this.#error('CLY_JSON_SYNTAX', 'no JSON value starts here');
  }

  #scanObject(): JsonObject {
    const from = this.#at;
    const value = Object.create(null) as JsonObject;
    this.#enter();
    let previous: string | undefined;
    let more = !this.#endsWith(0x7d);
    while (more) {
      previous = this.#scanMember(value, previous);
      more = this.#continues(0x7d);
    }
    if (this.#depth <= SPAN_DEPTH_MAX) {
      this.spans.set(value, { from, to: this.#at });
    }
    this.#depth -= 1;
    return value;
  }

  #scanMember(into: JsonObject, previous: string | undefined): string {
    const from = this.#at;
    if (this.#text.charCodeAt(from) !== 0x22) {
      throw this.#error('CLY_JSON_SYNTAX', 'a member name must stand here');
    }
    const name = this.#scanText();
    if (this.#record && !RECORD_NAME.test(name)) {
      throw this.#error('CLY_JSON_NAME', 'a member name is not of the record grammar', from);
    }
    if (name in into) {
      throw this.#error('CLY_JSON_DUPLICATE', 'a member name stands twice in one object', from);
    }
    if (this.#canonical && previous !== undefined && name < previous) {
      throw this.#error('CLY_JSON_ORDER', 'members are not sorted by name', from);
    }
    this.#skipSpace();
    if (this.#text.charCodeAt(this.#at) !== 0x3a) {
      throw this.#error('CLY_JSON_SYNTAX', 'a colon must stand here');
    }
    this.#at += 1;
    this.#skipSpace();
    into[name] = this.#scanValue();
    return name;
  }

  #scanList(): JsonValue[] {
    const values: JsonValue[] = [];
    this.#enter();
    let more = !this.#endsWith(0x5d);
    while (more) {
      values.push(this.#scanValue());
      more = this.#continues(0x5d);
    }
    this.#depth -= 1;
    return values;
  }

  #scanText(): string {
    const { value, end } = scanString(this.#text, this.#at);
    this.#at = end;
    return value;
  }

  #scanNumber(): number {
    NUMBER.lastIndex = this.#at;
    const match = NUMBER.exec(this.#text);
    if (match === null) {
      throw this.#error('CLY_JSON_NUMBER', 'not a number of JSON');
    }
    const value = Number(match[0]);
    const isWhole = match[1] === undefined && match[2] === undefined && Number.isSafeInteger(value);
    if (this.#record && (!isWhole || Object.is(value, -0))) {
      throw this.#error('CLY_JSON_NUMBER', 'not an integer within ±(2^53−1) in plain form');
    }
    if (!Number.isFinite(value)) {
      throw this.#error('CLY_JSON_NUMBER', 'a number too large for a double');
    }
    this.#at += match[0].length;
    return value;
  }

  /** Steps over the opening bracket. */
  #enter(): void {
    this.#depth += 1;
    if (this.#depth > DEPTH_MAX) {
      throw this.#error('CLY_JSON_DEPTH', `nested deeper than ${DEPTH_MAX}`);
    }
    this.#at += 1;
    this.#skipSpace();
  }

  #endsWith(closing: number): boolean {
    if (this.#text.charCodeAt(this.#at) !== closing) {
      return false;
    }
    this.#at += 1;
    return true;
  }

  /** After an element: true at a comma, false at the closing bracket. */
  #continues(closing: number): boolean {
    this.#skipSpace();
    if (this.#endsWith(closing)) {
      return false;
    }
    if (this.#text.charCodeAt(this.#at) !== 0x2c) {
      throw this.#error('CLY_JSON_SYNTAX', 'a comma or the closing bracket must stand here');
    }
    this.#at += 1;
    this.#skipSpace();
    return true;
  }

  #skipSpace(): void {
    if (this.#canonical) {
      return;
    }
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) {
        return;
      }
      this.#at += 1;
    }
  }

  #error(code: JsonCode, message: string, at: number = this.#at): JsonError {
    return new JsonError(code, message, Buffer.byteLength(this.#text.slice(0, at)));
  }
}
