// SPDX-License-Identifier: Apache-2.0
import type { Clock } from '@clyra/core/ports/clock';

/** Sleeps that all end at once when the work is over. */
export class Pause {
  readonly ended: Promise<void>;
  readonly #clock: Clock;
  #end: () => void = () => {};
  #isOver = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  async sleep(delayMs: number): Promise<void> {
    if (this.#isOver) return;
    let cancel = (): void => {};
    const slept = new Promise<void>((resolve) => {
      cancel = this.#clock.after(delayMs, resolve);
    });
    await Promise.race([slept, this.ended]);
    cancel();
  }

  end(): void {
    this.#isOver = true;
    this.#end();
  }
}
