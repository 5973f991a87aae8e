// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../canonical/digest.ts';

/** Of a digest; nobody makes second content whose digest begins with the same. */
const KEPT_BYTES = 16;
const FIRST_COUNT = 64;

/**
 * Digests under numbers, in the order of the numbers: 24 bytes each, where a Map of strings takes 200 and makes a new
 * table each time that half of it was replaced. Numbers that come in order cost nothing; others are put in between.
 */
export class DigestRow {
  #numbers = new Float64Array(FIRST_COUNT);
  #digests = Buffer.alloc(FIRST_COUNT * KEPT_BYTES);
  #start = 0;
  #end = 0;

  get count(): number {
    return this.#end - this.#start;
  }

  /** A number that is there gets the new digest. */
  set(number: number, digest: Digest): void {
    let at = this.#placeOf(number);
    if (at === this.#end || this.#numbers[at] !== number) at = this.#open(at);
    this.#numbers[at] = number;
    this.#digests.write(digest, at * KEPT_BYTES, KEPT_BYTES, 'hex');
  }

  /** Whether the number has a digest, and whether it is this one. */
  find(number: number, digest: Digest): 'none' | 'same' | 'other' {
    const at = this.#placeOf(number);
    if (at === this.#end || this.#numbers[at] !== number) return 'none';
    const kept = this.#digests.toString('hex', at * KEPT_BYTES, (at + 1) * KEPT_BYTES);
    return digest.startsWith(kept) ? 'same' : 'other';
  }

  /** Forgets the lowest number. */
  dropFirst(): void {
    if (this.#start < this.#end) this.#start += 1;
  }

  /** The first place whose number is not lower. */
  #placeOf(number: number): number {
    let [low, high] = [this.#start, this.#end];
    if (low < high && (this.#numbers[high - 1] as number) < number) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#numbers[middle] as number) < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Makes a place there, and returns it: what is forgotten is moved out of the way, or everything into more room. */
  #open(place: number): number {
    let at = place;
    if (this.#end === this.#numbers.length) {
      at -= this.#start;
      this.#move(this.#start * 3 > this.#end ? this.#numbers.length : Math.ceil(this.#numbers.length * 1.5));
    }
    this.#numbers.copyWithin(at + 1, at, this.#end);
    this.#digests.copyWithin((at + 1) * KEPT_BYTES, at * KEPT_BYTES, this.#end * KEPT_BYTES);
    this.#end += 1;
    return at;
  }

  #move(room: number): void {
    const [numbers, digests] = [new Float64Array(room), Buffer.alloc(room * KEPT_BYTES)];
    numbers.set(this.#numbers.subarray(this.#start, this.#end));
    digests.set(this.#digests.subarray(this.#start * KEPT_BYTES, this.#end * KEPT_BYTES));
    [this.#numbers, this.#digests] = [numbers, digests];
    [this.#start, this.#end] = [0, this.#end - this.#start];
  }
}
