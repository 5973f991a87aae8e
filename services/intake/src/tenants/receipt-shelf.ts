// SPDX-License-Identifier: Apache-2.0
import { ForgettingMap } from '@clyra/core/kernel/forgetting-map';

/** A receipt as it lies in the log. */
export type ShownReceipt = { readonly body: Uint8Array; readonly signature: Uint8Array | null };

const SLAB_BYTES = 262_144;
/** Of a full shelf a part in 128 goes at a time. */
const GOING_SHIFT = 7;

/**
 * The newest receipts, as copies of their bytes: what comes from the log are views into whole fetches. The copies stand
 * one after the other in pieces of its own. In Node's pool each would keep 64 KB alive, most of it long forgotten by
 * its other users, and V8 collects the whole heap as often as such memory grows.
 */
export class ReceiptShelf {
  readonly #receipts = new ForgettingMap<string, ShownReceipt>();
  readonly #countMax: number;
  #slab = new Uint8Array();
  #used = 0;

  constructor(countMax: number) {
    this.#countMax = countMax;
  }

  get(eventId: string): ShownReceipt | undefined {
    return this.#receipts.get(eventId);
  }

  /** The oldest go for it, some at a time. */
  add(eventId: string, { body, signature }: ShownReceipt): void {
    this.#receipts.set(eventId, { body: this.#copy(body), signature: signature && this.#copy(signature) });
    if (this.#receipts.size > this.#countMax) this.#receipts.deleteOldest(1 + (this.#countMax >> GOING_SHIFT));
  }

  #copy(bytes: Uint8Array): Uint8Array {
    if (this.#used + bytes.length > this.#slab.length) {
      this.#slab = new Uint8Array(Math.max(SLAB_BYTES, bytes.length));
      this.#used = 0;
    }
    const copy = this.#slab.subarray(this.#used, this.#used + bytes.length);
    copy.set(bytes);
    this.#used += bytes.length;
    return copy;
  }
}
