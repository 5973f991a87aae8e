// SPDX-License-Identifier: Apache-2.0
import { JsonError } from './json-error.ts';
import { NameTable } from './name-table.ts';

const QUOTE = 0x22;
/** Kinds, roles and names come again in every line; ids and digests are longer. */
const SHORT_BYTES = 24;
const texts = new NameTable();
const BACKSLASH = 0x5c;
/** Bytes that a string may hold as they stand and that need no further look. */
const PLAIN: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte < 0x80 && byte !== QUOTE && byte !== BACKSLASH ? 1 : 0,
);
const SHORT: ReadonlyMap<number, string> = new Map(
  Object.entries({ '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }).map(
    ([letter, value]) => [letter.charCodeAt(0), value],
  ),
);
const HEX4 = /^[0-9a-fA-F]{4}$/;
/** The only escapes of this form that RFC 8785 writes: control characters without a letter of their own. */
const LONG_CANONICAL = /^00(?:0[0-7be-f]|1[0-9a-f])$/;

/** Scans one string whose opening quote stands at `at`; afterwards `at` stands behind the closing one. */
export class StringScan {
  at = 0;
  readonly #bytes: Buffer;
  readonly #canonical: boolean;

  constructor(bytes: Buffer, canonical: boolean) {
    this.#bytes = bytes;
    this.#canonical = canonical;
  }

  scan(from: number): string {
    const bytes = this.#bytes;
    let at = from + 1;
    while (PLAIN[bytes[at] as number] === 1) {
      at += 1;
    }
    if (bytes[at] === QUOTE) {
      this.at = at + 1;
      return at - from <= SHORT_BYTES ? texts.textOf(bytes, from + 1, at) : bytes.toString('latin1', from + 1, at);
    }
    return this.#scanRest(from + 1, at);
  }

  #scanRest(from: number, plainTo: number): string {
    const bytes = this.#bytes;
    let text = '';
    let copiedTo = from;
    let at = plainTo;
    for (;;) {
      const byte = bytes[at];
      if (byte === QUOTE) {
        this.at = at + 1;
        return text + bytes.toString('utf8', copiedTo, at);
      }
      if (byte === BACKSLASH) {
        text += bytes.toString('utf8', copiedTo, at) + this.#escape(at);
        at = this.at;
        copiedTo = at;
      } else if (byte === undefined || byte < 0x20) {
        throw new JsonError('CLY_JSON_SYNTAX', 'a string holds a control character or does not end', at);
      } else if (byte < 0xef) {
        at += 1;
      } else {
        at = this.#afterHighCharacter(at);
      }
    }
  }

  /** The value of the escape at `at`; `this.at` is then behind it. */
  #escape(at: number): string {
    const letter = this.#bytes[at + 1] ?? 0;
    const short = SHORT.get(letter);
    if (short !== undefined) {
      if (this.#canonical && short === '/') {
        throw new JsonError('CLY_JSON_CANONICAL', 'an escape that canonical form does not write', at);
      }
      this.at = at + 2;
      return short;
    }
    const unit = letter === 0x75 ? this.#hex4(at + 2) : null;
    if (unit === null) {
      throw new JsonError('CLY_JSON_SYNTAX', 'not an escape of JSON', at);
    }
    return this.#unicode(at, unit);
  }

  #unicode(at: number, unit: number): string {
    const isHigh = unit >= 0xd800 && unit < 0xdc00;
    const low = isHigh && this.#bytes[at + 6] === BACKSLASH && this.#bytes[at + 7] === 0x75 ? this.#hex4(at + 8) : null;
    const isPair = low !== null && low >= 0xdc00 && low < 0xe000;
    const point = isPair ? 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00) : unit;
    if ((unit >= 0xd800 && unit < 0xe000 && !isPair) || isNoncharacter(point)) {
      throw new JsonError('CLY_JSON_STRING', 'a lone surrogate or a noncharacter', at);
    }
    if (this.#canonical && !LONG_CANONICAL.test(this.#bytes.toString('latin1', at + 2, at + 6))) {
      throw new JsonError('CLY_JSON_CANONICAL', 'an escape that canonical form does not write', at);
    }
    this.at = at + (isPair ? 12 : 6);
    return String.fromCodePoint(point);
  }

  #hex4(from: number): number | null {
    const digits = this.#bytes.toString('latin1', from, from + 4);
    return HEX4.test(digits) ? Number.parseInt(digits, 16) : null;
  }

  /** Past a character of three or four bytes that may be a noncharacter. The input is known to be UTF-8. */
  #afterHighCharacter(at: number): number {
    const bytes = this.#bytes;
    const lead = bytes[at] as number;
    const length = lead === 0xef ? 3 : 4;
    let point = length === 3 ? lead & 0x0f : lead & 0x07;
    for (let index = 1; index < length; index += 1) {
      point = (point << 6) | ((bytes[at + index] as number) & 0x3f);
    }
    if (isNoncharacter(point)) {
      throw new JsonError('CLY_JSON_STRING', 'a noncharacter', at);
    }
    return at + length;
  }
}

function isNoncharacter(point: number): boolean {
  return (point >= 0xfdd0 && point <= 0xfdef) || (point & 0xfffe) === 0xfffe;
}
