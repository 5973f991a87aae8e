// SPDX-License-Identifier: Apache-2.0
import { createHmac, type Hmac, hash, type KeyObject } from 'node:crypto';

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;
/** What most transactions change of a relation, several times over. */
const HELD_BYTES_MAX = 4_096;
const FREE_MAX = 128;

/**
 * HMAC-SHA256 (RFC 2104) under one key and over one prefix, of many texts most of which are short. An object of the
 * platform for each of them is a third of what a small transaction costs, most of it in the collector: a short text
 * is held and hashed at once, and only a longer one goes through such an object.
 */
export class HmacKey {
  readonly #key: KeyObject;
  /** The key under the inner pad, and the prefix: each buffer begins with it. */
  readonly #start: Buffer;
  /** The key under the outer pad, and room for the inner digest. */
  readonly #outer: Buffer;
  readonly #free: Buffer[] = [];

  constructor(key: KeyObject, prefix: Uint8Array) {
    this.#key = key;
    const bytes = key.export();
    const block = Buffer.alloc(BLOCK_BYTES);
    if (bytes.length > BLOCK_BYTES) block.write(hash('sha256', bytes, 'hex'), 'hex');
    else block.set(bytes);
    this.#start = Buffer.concat([block.map((byte) => byte ^ INNER_PAD), prefix]);
    this.#outer = Buffer.concat([block.map((byte) => byte ^ OUTER_PAD), Buffer.alloc(DIGEST_BYTES)]);
  }

  begin(): RunningHmac {
    return new RunningHmac(this);
  }

  /** A buffer of `HELD_BYTES_MAX` that begins with `startBytes`, to be handed back. */
  take(): Buffer {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const made = Buffer.allocUnsafeSlow(HELD_BYTES_MAX);
    made.set(this.#start);
    return made;
  }

  giveBack(held: Buffer): void {
    if (this.#free.length < FREE_MAX) this.#free.push(held);
  }

  get startBytes(): number {
    return this.#start.length;
  }

  /** Of what stands in the buffer before `end`, in lower-case hex. */
  digest(held: Buffer, end: number): string {
    this.#outer.write(hash('sha256', held.subarray(0, end), 'hex'), BLOCK_BYTES, 'hex');
    return hash('sha256', this.#outer, 'hex');
  }

  /** What stands in the buffer before `end` has been taken in by it. */
  stream(held: Buffer, end: number): Hmac {
    return createHmac('sha256', this.#key).update(held.subarray(BLOCK_BYTES, end));
  }
}

/** One text under an `HmacKey`. */
export class RunningHmac {
  readonly #key: HmacKey;
  #held: Buffer | undefined;
  #end: number;
  #stream: Hmac | undefined;

  constructor(key: HmacKey) {
    this.#key = key;
    this.#held = key.take();
    this.#end = key.startBytes;
  }

  update(bytes: Uint8Array): void {
    const held = this.#held;
    if (held !== undefined && this.#end + bytes.length <= held.length) {
      held.set(bytes, this.#end);
      this.#end += bytes.length;
      return;
    }
    this.#streaming().update(bytes);
  }

  updateByte(byte: number): void {
    const held = this.#held;
    if (held !== undefined && this.#end < held.length) held[this.#end++] = byte;
    else this.#streaming().update(Uint8Array.of(byte));
  }

  /** Lower-case hex; it takes nothing more afterwards. */
  finish(): string {
    if (this.#stream !== undefined) return this.#stream.digest('hex');
    const held = this.#held;
    if (held === undefined) throw new Error('the text is finished');
    const digest = this.#key.digest(held, this.#end);
    this.#letGo(held);
    return digest;
  }

  #streaming(): Hmac {
    if (this.#stream !== undefined) return this.#stream;
    const held = this.#held;
    if (held === undefined) throw new Error('the text is finished');
    this.#stream = this.#key.stream(held, this.#end);
    this.#letGo(held);
    return this.#stream;
  }

  #letGo(held: Buffer): void {
    this.#held = undefined;
    this.#key.giveBack(held);
  }
}
