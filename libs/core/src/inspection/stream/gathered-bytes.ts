// SPDX-License-Identifier: Apache-2.0
import { JsonError } from '../../canonical/json-error.ts';

/** Bytes of one piece that may come in several chunks; larger ones than `bytesMax` are refused, not kept. */
export class GatheredBytes {
  readonly #bytesMax: number;
  readonly #what: string;
  #pieces: Uint8Array[] = [];
  #size = 0;

  constructor(bytesMax: number, what: string) {
    this.#bytesMax = bytesMax;
    this.#what = what;
  }

  get size(): number {
    return this.#size;
  }

  /** Keeps a copy: the chunk may be reused by whoever sent it. */
  keep(piece: Uint8Array): void {
    if (piece.length === 0) return;
    this.#grow(piece.length);
    this.#pieces.push(Uint8Array.prototype.slice.call(piece));
  }

  /** All that was kept with this last piece behind it; empty again afterwards. The result may share the piece's memory. */
  take(last: Uint8Array): Uint8Array {
    this.#grow(last.length);
    const whole = this.#pieces.length === 0 ? last : Buffer.concat([...this.#pieces, last]);
    this.#pieces = [];
    this.#size = 0;
    return whole;
  }

  #grow(size: number): void {
    this.#size += size;
    if (this.#size > this.#bytesMax) {
      throw new JsonError('CLY_JSON_SIZE', `${this.#what} is larger than ${this.#bytesMax} bytes`, this.#bytesMax);
    }
  }
}
