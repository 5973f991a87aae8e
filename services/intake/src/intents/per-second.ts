// SPDX-License-Identifier: Apache-2.0
import type { Clock } from '@clyra/core/ports/clock';

/** Lets so many through in each second: what anybody may cause without a proof must not fill a topic. */
export class PerSecond {
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #countMax: number;
  #second = 0;
  #count = 0;

  constructor(countMax: number, clock: Pick<Clock, 'nowMs'>) {
    this.#countMax = countMax;
    this.#clock = clock;
  }

  take(): boolean {
    const second = Math.floor(this.#clock.nowMs() / 1_000);
    if (second !== this.#second) this.#count = 0;
    this.#second = second;
    this.#count += 1;
    return this.#count <= this.#countMax;
  }
}
