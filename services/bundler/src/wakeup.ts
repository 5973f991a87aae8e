// SPDX-License-Identifier: Apache-2.0
import type { Clock } from '@clyra/core/ports/clock';

/** Lets one loop sleep until there is something to do. A call that comes before the sleep is not lost. */
export class Wakeup {
  readonly #clock: Clock;
  #called = false;
  #resolve: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  call(): void {
    this.#called = true;
    this.#resolve?.();
  }

  /** Forgets earlier calls: what they announced is about to be looked at. */
  reset(): void {
    this.#called = false;
  }

  /** Resolves at the next call, or after `timeoutMs` where there is one. */
  async wait(timeoutMs?: number): Promise<void> {
    if (this.#called) return;
    await new Promise<void>((resolve) => {
      const cancel = timeoutMs === undefined ? () => {} : this.#clock.after(timeoutMs, resolve);
      this.#resolve = () => {
        cancel();
        resolve();
      };
    });
    this.#resolve = undefined;
  }
}
