// SPDX-License-Identifier: Apache-2.0
import { NameTable } from './name-table.ts';

const QUOTE = 0x22;
const SHORT_BYTES = 24;
const LAST_BYTES_MAX = 66;
/** Bytes that stand in a string as they are: ASCII without controls, quote and backslash. */
const PLAIN: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte < 0x80 && byte !== QUOTE && byte !== 0x5c ? 1 : 0,
);
const tableOf = (letters: string): Uint8Array =>
  Uint8Array.from({ length: 256 }, (_, byte) => (Buffer.from(letters).includes(byte) ? 1 : 0));
export const HEX: Uint8Array = tableOf('0123456789abcdef');
export const UPPER_HEX: Uint8Array = tableOf('0123456789ABCDEF');
const texts = new NameTable();

/** Not a fault: the text has something that only the strict reader can judge. */
class NotPlainError extends Error {}
export const NOT_PLAIN = new NotPlainError('not plain');

/** What stood last in one place of the lines, with its quotes. */
export class LastText {
  readonly bytes: Uint8Array = new Uint8Array(LAST_BYTES_MAX);
  length = 0;
  text = '';
}

/** Steps over the bytes of a text piece by piece; throws NOT_PLAIN where a piece is not what is expected. */
export class PlainCursor {
  at = 0;
  protected bytes: Buffer = Buffer.alloc(0);

  /** Reads with `read` from the start of the bytes; null when they are not plain, or not read to their end. */
  attempt<T>(bytes: Buffer, read: () => T): T | null {
    this.bytes = bytes;
    this.at = 0;
    const value = this.tries(read);
    return this.at === bytes.length ? value : null;
  }

  /** Reads with `read` from where it stands; null, and back there, when that does not find what it expects. */
  tries<T>(read: () => T): T | null {
    const from = this.at;
    try {
      return read();
    } catch (error) {
      if (error instanceof NotPlainError) {
        this.at = from;
        return null;
      }
      throw error;
    }
  }

  /** Steps over exactly these bytes, or stays. */
  takes(expected: Uint8Array): boolean {
    const bytes = this.bytes;
    const from = this.at;
    for (let index = 0; index < expected.length; index += 1) {
      if (bytes[from + index] !== expected[index]) {
        return false;
      }
    }
    this.at = from + expected.length;
    return true;
  }

  expect(expected: Uint8Array): void {
    if (!this.takes(expected)) {
      throw NOT_PLAIN;
    }
  }

  /** Steps over so many bytes of a class, as a table says it, and gives where they began. */
  run(table: Uint8Array, length: number): number {
    const bytes = this.bytes;
    const from = this.at;
    let all = 1;
    for (let index = from; index < from + length; index += 1) {
      all &= table[bytes[index] as number] as number;
    }
    if (all !== 1 || from + length > bytes.length) {
      throw NOT_PLAIN;
    }
    this.at = from + length;
    return from;
  }

  /** Steps over bytes of a class, at least one and no more than so many. */
  runUpTo(table: Uint8Array, lengthMax: number): void {
    const bytes = this.bytes;
    const from = this.at;
    let at = from;
    while (at < from + lengthMax && table[bytes[at] as number] === 1) {
      at += 1;
    }
    if (at === from) {
      throw NOT_PLAIN;
    }
    this.at = at;
  }

  /** An integer of at most 15 digits, which has one form. */
  integer(): number {
    const bytes = this.bytes;
    const isNegative = bytes[this.at] === 0x2d;
    const from = isNegative ? this.at + 1 : this.at;
    let at = from;
    let value = 0;
    for (let digit = (bytes[at] as number) - 0x30; digit >= 0 && digit <= 9; digit = (bytes[at] as number) - 0x30) {
      value = value * 10 + digit;
      at += 1;
    }
    const digits = at - from;
    if (digits === 0 || digits > 15 || (bytes[from] === 0x30 && (digits > 1 || isNegative))) {
      throw NOT_PLAIN;
    }
    this.at = at;
    return isNegative ? -value : value;
  }

  /** An integer that is not negative. */
  count(): number {
    if (this.bytes[this.at] === 0x2d) {
      throw NOT_PLAIN;
    }
    return this.integer();
  }

  string(): string {
    if (this.bytes[this.at] !== QUOTE) {
      throw NOT_PLAIN;
    }
    return this.stringIf(true);
  }

  /** A string that nearly always is the one that stood in its place before: then its bytes are compared, and no more. */
  stringAgain(last: LastText): string {
    const bytes = this.bytes;
    const from = this.at;
    const kept = last.bytes;
    let index = 0;
    while (index < last.length && bytes[from + index] === kept[index]) {
      index += 1;
    }
    if (index > 0 && index === last.length) {
      this.at = from + index;
      return last.text;
    }
    const text = this.string();
    const length = this.at - from;
    if (length <= LAST_BYTES_MAX) {
      kept.set(bytes.subarray(from, this.at));
      last.length = length;
      last.text = text;
    }
    return text;
  }

  /** The text of bytes that were stepped over and come again in many lines. */
  repeated(from: number, to: number): string {
    return texts.textOf(this.bytes, from, to);
  }

  /** The text of bytes that were stepped over and hardly come again. */
  once(from: number, to: number): string {
    return this.bytes.toString('latin1', from, to);
  }

  /** The text of bytes that were stepped over. */
  text(from: number, to: number): string {
    return textOf(this.bytes, from, to);
  }

  stringIf(isKept: boolean): string {
    const bytes = this.bytes;
    const from = this.at + 1;
    let at = from;
    while (PLAIN[bytes[at] as number] === 1) {
      at += 1;
    }
    if (bytes[at] !== QUOTE) {
      throw NOT_PLAIN;
    }
    this.at = at + 1;
    return isKept ? textOf(bytes, from, at) : '';
  }
}

function textOf(bytes: Buffer, from: number, to: number): string {
  return to - from <= SHORT_BYTES ? texts.textOf(bytes, from, to) : bytes.toString('latin1', from, to);
}
