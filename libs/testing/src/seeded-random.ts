// SPDX-License-Identifier: Apache-2.0
import { assert } from '@clyra/core/kernel/assert';
import type { Random } from '@clyra/core/ports/random';

const UINT32_COUNT = 2 ** 32;

/** sfc32 (PractRand's small fast counter generator): the same seed gives the same run on every machine. */
export class SeededRandom implements Random {
  readonly seed: number;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    this.seed = seed;
    this.#a = 0x9e3779b9 ^ seed;
    this.#b = 0x243f6a88 ^ Math.floor(seed / UINT32_COUNT);
    this.#c = 0xb7e15162;
    // The first outputs still resemble the seed.
    for (let round = 0; round < 15; round += 1) this.nextUint32();
  }

  nextUint32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** In [0, 1). */
  nextFraction(): number {
    return this.nextUint32() / UINT32_COUNT;
  }

  /** A whole number from `min` to `max`, both included. */
  nextInt(min: number, max: number): number {
    assert(Number.isSafeInteger(min) && Number.isSafeInteger(max) && min <= max, `no whole number in ${min}..${max}`);
    return min + Math.floor(this.nextFraction() * (max - min + 1));
  }

  /** True with the given probability, from 0 to 1. */
  chance(share: number): boolean {
    return share > 0 && this.nextFraction() < share;
  }

  pick<T>(choices: readonly T[]): T {
    assert(choices.length > 0, 'nothing to pick from');
    return choices[this.nextInt(0, choices.length - 1)] as T;
  }

  shuffle<T>(items: readonly T[]): T[] {
    const shuffled = [...items];
    for (let last = shuffled.length - 1; last > 0; last -= 1) {
      const other = this.nextInt(0, last);
      [shuffled[last], shuffled[other]] = [shuffled[other] as T, shuffled[last] as T];
    }
    return shuffled;
  }

  bytes(size: number): Uint8Array {
    return Uint8Array.from({ length: size }, () => this.nextUint32() & 0xff);
  }

  /** A generator of its own, so that one part drawing more numbers does not change what another part draws. */
  fork(): SeededRandom {
    return new SeededRandom(this.nextUint32() * 2 ** 20 + (this.nextUint32() >>> 12));
  }
}
