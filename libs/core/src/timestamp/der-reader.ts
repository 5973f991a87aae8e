// SPDX-License-Identifier: Apache-2.0
import { stampError } from './stamp-error.ts';

/** One encoded value: its tag, its content, and the bytes of the whole. */
export type DerValue = { readonly tag: number; readonly content: Uint8Array; readonly whole: Uint8Array };

const LENGTH_BYTES_MAX = 3;

/** Reads the values of a constructed one in turn; strict, so that two readers cannot see different values. */
export class DerReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** The tag of the next value, or undefined at the end. */
  get nextTag(): number | undefined {
    return this.#bytes[this.#at];
  }

  /** The next value, of any tag or of this one. */
  next(tag?: number): DerValue {
    const start = this.#at;
    const found = this.#byte();
    if ((found & 0x1f) === 0x1f || (tag !== undefined && found !== tag)) {
      throw stampError(`has tag ${found.toString(16)} where ${tag?.toString(16) ?? 'a short one'} belongs`);
    }
    const size = this.#length();
    const from = this.#at;
    if (from + size > this.#bytes.length) throw stampError('ends inside of a value');
    this.#at = from + size;
    return { tag: found, content: this.#bytes.subarray(from, this.#at), whole: this.#bytes.subarray(start, this.#at) };
  }

  /** A reader of the next value's content. */
  open(tag: number): DerReader {
    return new DerReader(this.next(tag).content);
  }

  optional(tag: number): DerValue | undefined {
    return this.nextTag === tag ? this.next(tag) : undefined;
  }

  end(): void {
    if (!this.isAtEnd) throw stampError('has bytes behind its end');
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw stampError('ends too early');
    this.#at += 1;
    return byte;
  }

  #length(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    const count = first & 0x7f;
    if (count === 0 || count > LENGTH_BYTES_MAX) throw stampError('has a length that is not of DER');
    let size = 0;
    for (let index = 0; index < count; index += 1) size = size * 256 + this.#byte();
    if (size < 128 || size < 256 ** (count - 1)) throw stampError('has a length that is not the shortest');
    return size;
  }
}

/** The one value that these bytes are. */
export function readDer(bytes: Uint8Array, tag: number): DerReader {
  const reader = new DerReader(bytes);
  const value = reader.open(tag);
  reader.end();
  return value;
}

/** Dotted form of an object identifier's content. */
export function oidText({ content }: DerValue): string {
  const arcs: number[] = [];
  let arc = 0;
  for (const [index, byte] of content.entries()) {
    if (arc === 0 && byte === 0x80) throw stampError('has an object identifier that is not the shortest');
    arc = arc * 128 + (byte & 0x7f);
    if (arc > Number.MAX_SAFE_INTEGER / 128) throw stampError('has an object identifier beyond all use');
    if ((byte & 0x80) !== 0) {
      if (index === content.length - 1) throw stampError('has half an object identifier');
      continue;
    }
    arcs.push(arc);
    arc = 0;
  }
  const [head] = arcs;
  if (head === undefined) throw stampError('has an empty object identifier');
  const first = Math.min(2, Math.floor(head / 40));
  return [first, head - first * 40, ...arcs.slice(1)].join('.');
}

/** A small non-negative integer. */
export function smallInteger({ content }: DerValue): number {
  const first = content[0] ?? 0x80;
  const isPadded = content.length > 1 && first === 0 && ((content[1] ?? 0) & 0x80) === 0;
  if (content.length > 6 || (first & 0x80) !== 0 || isPadded) throw stampError('has a number beyond its bounds');
  return Number.parseInt(Buffer.from(content).toString('hex'), 16);
}
