// SPDX-License-Identifier: Apache-2.0
import { assert } from '@clyra/core/kernel/assert';

/** Writes Kafka's primitive types into memory whose size is known beforehand. */
export class WireWriter {
  readonly bytes: Buffer;
  at = 0;

  /** Given memory is filled from its start. */
  constructor(memory: number | Buffer) {
    this.bytes = typeof memory === 'number' ? Buffer.allocUnsafe(memory) : memory;
  }

  int8(value: number): void {
    this.at = this.bytes.writeInt8(value, this.at);
  }

  int16(value: number): void {
    this.at = this.bytes.writeInt16BE(value, this.at);
  }

  int32(value: number): void {
    this.at = this.bytes.writeInt32BE(value, this.at);
  }

  /** A whole number within ±(2^53−1). */
  int64(value: number): void {
    assert(Number.isSafeInteger(value), `${value} is no safe integer`);
    this.at = this.bytes.writeInt32BE(Math.floor(value / 0x1_0000_0000), this.at);
    this.at = this.bytes.writeUInt32BE(((value % 0x1_0000_0000) + 0x1_0000_0000) % 0x1_0000_0000, this.at);
  }

  /** Topic names are ASCII. */
  string(value: string | null): void {
    this.int16(value === null ? -1 : value.length);
    if (value !== null) this.at += this.bytes.write(value, this.at, 'latin1');
  }

  /** Zigzag, as record lengths and offsets within a batch are written. */
  varint(value: number): void {
    const { bytes } = this;
    let rest = zigzag(value);
    while (rest > 0x7f) {
      bytes[this.at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    bytes[this.at++] = rest;
  }

  raw(value: Uint8Array): void {
    this.bytes.set(value, this.at);
    this.at += value.length;
  }
}

export function varintSize(value: number): number {
  const rest = zigzag(value);
  if (rest < 0x80) return 1;
  if (rest < 0x4000) return 2;
  if (rest < 0x20_0000) return 3;
  return rest < 0x1000_0000 ? 4 : 5;
}

function zigzag(value: number): number {
  return ((value << 1) ^ (value >> 31)) >>> 0;
}
