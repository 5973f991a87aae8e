// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import { joinHalves } from './lsn.ts';

/** 2000-01-01T00:00:00Z in milliseconds since 1970: the zero of PostgreSQL's timestamps. */
const POSTGRES_EPOCH_MS = 946_684_800_000;
const MICROSECONDS_PER_MS = 1_000;
const HALF = 2 ** 32;
/** Below it a number holds both halves of 64 bits exactly; each operation on a bigint makes another one. */
const EXACT_HIGH = 2 ** 21;

/** A replication message whose bytes do not have the shape the protocol gives them. */
export function malformedMessage(reason: string, type: number): ClyraError {
  return new ClyraError(
    'CLY_SOURCE_MESSAGE_MALFORMED',
    `A replication message cannot be decoded (${reason}). Stop the recorder, and report the server version.`,
    { retry: 'never', context: { messageType: type } },
  );
}

/** Reads big-endian fields in order; every read past the end is CLY_SOURCE_MESSAGE_MALFORMED. Starts after the type byte. */
export class MessageReader {
  readonly #bytes: Buffer;
  readonly #type: number;
  #offset: number;

  /** The type byte stands at `from`. */
  constructor(bytes: Buffer, from = 0) {
    this.#bytes = bytes;
    this.#type = bytes[from] ?? 0;
    this.#offset = from + 1;
  }

  /** Of a message that has the fields of its type in another shape. */
  malformed(reason: string): ClyraError {
    return malformedMessage(reason, this.#type);
  }

  get remainingBytes(): number {
    return this.#bytes.length - this.#offset;
  }

  uint8(): number {
    return this.#bytes.readUInt8(this.#take(1));
  }

  uint16(): number {
    return this.#bytes.readUInt16BE(this.#take(2));
  }

  /** Oids and transaction ids: above 2^31 they stay positive. */
  uint32(): number {
    return this.#bytes.readUInt32BE(this.#take(4));
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#take(4));
  }

  lsn(): bigint {
    const at = this.#take(8);
    return joinHalves(this.#bytes.readUInt32BE(at), this.#bytes.readUInt32BE(at + 4));
  }

  /** Milliseconds since 1970, rounded towards 2000: commit times are after it. */
  timestampMs(): number {
    const at = this.#take(8);
    const high = this.#bytes.readUInt32BE(at);
    if (high >= EXACT_HIGH) {
      return Number(this.#bytes.readBigInt64BE(at) / BigInt(MICROSECONDS_PER_MS) + BigInt(POSTGRES_EPOCH_MS));
    }
    const microseconds = high * HALF + this.#bytes.readUInt32BE(at + 4);
    return (microseconds - (microseconds % MICROSECONDS_PER_MS)) / MICROSECONDS_PER_MS + POSTGRES_EPOCH_MS;
  }

  /** UTF-8, since the connection asks for that client encoding. */
  cString(): string {
    const end = this.#bytes.indexOf(0, this.#offset);
    if (end < 0) {
      throw this.malformed('a string has no end');
    }
    const text = this.#bytes.toString('utf8', this.#offset, end);
    this.#offset = end + 1;
    return text;
  }

  /** A view, not a copy. */
  bytes(size: number): Buffer {
    const start = this.#take(size);
    return this.#bytes.subarray(start, start + size);
  }

  /** A view of everything not yet read, without moving on. */
  rest(): Buffer {
    return this.#bytes.subarray(this.#offset);
  }

  skip(size: number): void {
    this.#take(size);
  }

  expectEnd(): void {
    if (this.remainingBytes !== 0) {
      throw this.malformed(`${this.remainingBytes} bytes after its end`);
    }
  }

  #take(size: number): number {
    const start = this.#offset;
    if (size < 0 || start + size > this.#bytes.length) {
      throw this.malformed('it is cut off');
    }
    this.#offset = start + size;
    return start;
  }
}
