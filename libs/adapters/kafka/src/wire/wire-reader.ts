// SPDX-License-Identifier: Apache-2.0

/** Reads Kafka's primitive types. Throws RangeError behind the end: a broker sends whole answers. */
export class WireReader {
  readonly #bytes: Buffer;
  at: number;
  readonly end: number;

  constructor(bytes: Buffer, from = 0, to: number = bytes.length) {
    if (from < 0 || from > to || to > bytes.length) throw new RangeError('a length points outside the answer');
    this.#bytes = bytes;
    this.at = from;
    this.end = to;
  }

  get remaining(): number {
    return this.end - this.at;
  }

  int8(): number {
    return this.#bytes.readInt8(this.#take(1));
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.#take(2));
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#take(4));
  }

  /** Throws RangeError beyond ±(2^53−1). */
  int64(): number {
    const at = this.#take(8);
    const value = this.#bytes.readInt32BE(at) * 0x1_0000_0000 + this.#bytes.readUInt32BE(at + 4);
    if (!Number.isSafeInteger(value)) throw new RangeError('a 64-bit number is no safe integer');
    return value;
  }

  string(): string {
    const length = this.int16();
    return length < 0 ? '' : this.#bytes.toString('latin1', this.#take(length), this.at);
  }

  varint(): number {
    let rest = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#bytes[this.#take(1)] as number;
      rest |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (rest >>> 1) ^ -(rest & 1);
    }
    throw new RangeError('a number is longer than five bytes');
  }

  /** Zigzag of up to 64 bits. Throws RangeError beyond ±(2^53−1). */
  varlong(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 10; count += 1) {
      const byte = this.#bytes[this.#take(1)] as number;
      value += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte >= 0x80) continue;
      if (value > Number.MAX_SAFE_INTEGER) break;
      return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
    throw new RangeError('a 64-bit number is no safe integer');
  }

  /** A view, not a copy; null where the length is negative. */
  varBytes(): Uint8Array | null {
    const length = this.varint();
    if (length < 0) return null;
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  skip(byteCount: number): void {
    this.#take(byteCount);
  }

  #take(byteCount: number): number {
    const { at } = this;
    if (byteCount < 0 || byteCount > this.end - at) throw new RangeError('the answer ends within a value');
    this.at = at + byteCount;
    return at;
  }
}
