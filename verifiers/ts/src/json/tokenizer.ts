// SPDX-License-Identifier: Apache-2.0
import { type JsonCode, JsonError } from './json-error.ts';
import { type JsonObject, type JsonValue, Members } from './json-value.ts';
import { NameTable } from './name-table.ts';
import { StringScan } from './string-scan.ts';

const QUOTE = 0x22;
const SPAN_DEPTH_MAX = 4;
const RECORD_NAME = /^(?:[a-z][a-z0-9_]{0,63}|\$commit|\$leaf)$/;
const INTEGER = /^(?:0|-?[1-9][0-9]*)$/;
const NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;
/** `-+.0-9eE`: what a number may be written with. */
const NUMBER_BYTES: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) =>
  Buffer.from('-+.0123456789eE').includes(byte) ? 1 : 0,
);
const NAME_BYTES: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) =>
  (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x30 && byte <= 0x39) || byte === 0x5f ? 1 : 0,
);
const LITERALS: readonly (readonly [Buffer, JsonValue])[] = [
  [Buffer.from('true'), true],
  [Buffer.from('false'), false],
  [Buffer.from('null'), null],
];
const names = new NameTable();

export interface Grammar {
  /** `record`: names and numbers of records.md §1. `envelope`: its numbers, any names. `any`: what JSON allows. */
  readonly grammar: 'record' | 'envelope' | 'any';
  /** Whether the bytes must be the RFC 8785 form: white space and order are judged too, and escapes (in records always). */
  readonly canonical: boolean;
  readonly depthMax?: number;
}

/** A strict recursive-descent reader over bytes that are UTF-8. The first fault in reading order is thrown. */
export class Tokenizer {
  /** Objects that stand high up, each with the bytes it stands in. */
  readonly spans: [object: JsonObject, from: number, to: number][] = [];
  readonly #bytes: Buffer;
  readonly #record: boolean;
  readonly #wholeNumbers: boolean;
  readonly #canonical: boolean;
  readonly #depthMax: number;
  readonly #strings: StringScan;
  #at = 0;
  #depth = 0;

  constructor(bytes: Buffer, form: Grammar) {
    this.#bytes = bytes;
    this.#record = form.grammar === 'record';
    this.#wholeNumbers = form.grammar !== 'any';
    this.#canonical = form.canonical;
    this.#depthMax = form.depthMax ?? 32;
    // A file that people write may have white space and any order, but each text has one form.
    this.#strings = new StringScan(bytes, form.canonical || this.#record);
  }

  document(): JsonObject {
    this.#skipSpace();
    if (this.#bytes[this.#at] !== 0x7b) {
      throw this.#error('CLY_JSON_SYNTAX', 'the outermost value must be an object');
    }
    const value = this.#object();
    this.#skipSpace();
    if (this.#at !== this.#bytes.length) {
      throw this.#error('CLY_JSON_SYNTAX', 'something follows the value');
    }
    return value;
  }

  #value(): JsonValue {
    const byte = this.#bytes[this.#at] as number;
    if (byte === QUOTE) {
      return this.#string();
    }
    if (byte === 0x7b) {
      return this.#object();
    }
    if (byte === 0x5b) {
      return this.#list();
    }
    if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) {
      return this.#number();
    }
    for (const [word, value] of LITERALS) {
      const end = this.#at + word.length;
      // A comparison that reaches beyond the text would throw instead of differing.
      if (word[0] === byte && end <= this.#bytes.length && word.compare(this.#bytes, this.#at, end) === 0) {
        this.#at = end;
        return value;
      }
    }
    throw this.#error('CLY_JSON_SYNTAX', 'no JSON value starts here');
  }

  #object(): JsonObject {
    const from = this.#at;
    const value = new Members();
    this.#enter();
    let previous = '';
    let more = !this.#ends(0x7d);
    while (more) {
      previous = this.#member(value, previous);
      more = this.#continues(0x7d);
    }
    if (this.#depth <= SPAN_DEPTH_MAX) {
      this.spans.push([value, from, this.#at]);
    }
    this.#depth -= 1;
    return value;
  }

  /** An empty `previous` is no name of an earlier member in the record grammar; elsewhere "" sorts first anyway. */
  #member(into: JsonObject, previous: string): string {
    const from = this.#at;
    if (this.#bytes[from] !== QUOTE) {
      throw this.#error('CLY_JSON_SYNTAX', 'a member name must stand here');
    }
    const name = this.#name();
    if (!(this.#canonical && name > previous) && name in into) {
      throw this.#error('CLY_JSON_DUPLICATE', 'a member name stands twice in one object', from);
    }
    if (this.#canonical && name < previous) {
      throw this.#error('CLY_JSON_ORDER', 'members are not sorted by name', from);
    }
    this.#skipSpace();
    if (this.#bytes[this.#at] !== 0x3a) {
      throw this.#error('CLY_JSON_SYNTAX', 'a colon must stand here');
    }
    this.#at += 1;
    this.#skipSpace();
    into[name] = this.#value();
    return name;
  }

  #name(): string {
    const bytes = this.#bytes;
    const from = this.#at;
    if (this.#record) {
      let at = from + 1;
      while (NAME_BYTES[bytes[at] as number] === 1) {
        at += 1;
      }
      const first = bytes[from + 1] as number;
      if (bytes[at] === QUOTE && at - from <= 65 && first >= 0x61) {
        this.#at = at + 1;
        return names.textOf(bytes, from + 1, at);
      }
    }
    const name = this.#string();
    if (this.#record && !RECORD_NAME.test(name)) {
      throw this.#error('CLY_JSON_NAME', 'a member name is not of the record grammar', from);
    }
    return name;
  }

  #list(): JsonValue[] {
    const values: JsonValue[] = [];
    this.#enter();
    let more = !this.#ends(0x5d);
    while (more) {
      values.push(this.#value());
      more = this.#continues(0x5d);
    }
    this.#depth -= 1;
    return values;
  }

  #string(): string {
    const text = this.#strings.scan(this.#at);
    this.#at = this.#strings.at;
    return text;
  }

  #number(): number {
    const from = this.#at;
    const bytes = this.#bytes;
    let at = from;
    let plain = 0;
    for (let digit = (bytes[at] as number) - 0x30; digit >= 0 && digit <= 9; digit = (bytes[at] as number) - 0x30) {
      plain = plain * 10 + digit;
      at += 1;
    }
    const isPlain = at - from <= 15 && (at - from === 1 || (at > from && bytes[from] !== 0x30));
    // Any number of up to 15 digits without more is canonical and safe; the rest is judged as a text.
    if (isPlain && NUMBER_BYTES[bytes[at] as number] !== 1) {
      this.#at = at;
      return plain;
    }
    while (NUMBER_BYTES[bytes[at] as number] === 1) {
      at += 1;
    }
    this.#at = at;
    const token = this.#bytes.toString('latin1', from, this.#at);
    const value = Number(token);
    const isGood = this.#wholeNumbers
      ? INTEGER.test(token) && Number.isSafeInteger(value)
      : NUMBER.test(token) && Number.isFinite(value);
    if (!isGood) {
      throw this.#error('CLY_JSON_NUMBER', 'not a number of this grammar', from);
    }
    if (this.#canonical && String(value) !== token) {
      throw this.#error('CLY_JSON_CANONICAL', 'a number not in its one form', from);
    }
    return value;
  }

  /** Steps over the opening bracket. */
  #enter(): void {
    this.#depth += 1;
    if (this.#depth > this.#depthMax) {
      throw this.#error('CLY_JSON_DEPTH', `nested deeper than ${this.#depthMax}`);
    }
    this.#at += 1;
    this.#skipSpace();
  }

  #ends(closing: number): boolean {
    if (this.#bytes[this.#at] !== closing) {
      return false;
    }
    this.#at += 1;
    return true;
  }

  /** After an element: true at a comma, false at the closing bracket. */
  #continues(closing: number): boolean {
    this.#skipSpace();
    if (this.#ends(closing)) {
      return false;
    }
    if (this.#bytes[this.#at] !== 0x2c) {
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
      const byte = this.#bytes[this.#at];
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) {
        return;
      }
      this.#at += 1;
    }
  }

  #error(code: JsonCode, message: string, at: number = this.#at): JsonError {
    return new JsonError(code, message, at);
  }
}
