// SPDX-License-Identifier: Apache-2.0
import { type Clock, sleep } from '@clyra/core/ports/clock';

/** The least and the most time between the starts of two sends, while changes wait. */
const LEAST_MS = 3;
const MOST_MS = 15;

/**
 * When the next send of changes begins. A send is the pulse of all that follows: the broker, the enforcer, its receipts
 * and their reader have a request each for it, about 2 ms of CPU in all. The next one begins when the last one's
 * receipts are back: earlier, both would only take the cores from each other, and whatever holds one pulse up would let
 * small ones pile up behind it instead of one large. An enforcer that says nothing holds nobody up for longer than the
 * most, and after a quiet moment nothing waits.
 */
export class SendPulse {
  readonly #clock: Clock;
  /** Event ids of the newest send whose receipts are not read yet. A new set for each: its tables come and go with it. */
  #open = new Set<string>();
  readonly #resting = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  began(eventIds: Iterable<string>): void {
    this.#open = new Set(eventIds);
  }

  /** The receipt of a change was read. */
  answered(eventId: string): void {
    if (!this.#open.delete(eventId) || this.#open.size > 0) return;
    for (const goOn of this.#resting) goOn();
  }

  /** Resolves when the send after the one that began then may begin. */
  async rest(beganAtMs: number): Promise<void> {
    const restMs = beganAtMs + MOST_MS - this.#clock.nowMs();
    if (this.#open.size > 0 && restMs > 0) await this.#answeredWithin(restMs);
    // At least one turn: whoever was woken by these receipts goes before those who still wait.
    await sleep(this.#clock, Math.max(0, beganAtMs + LEAST_MS - this.#clock.nowMs()));
  }

  #answeredWithin(restMs: number): Promise<void> {
    return new Promise((resolve) => {
      const goOn = (): void => {
        cancelTimer();
        this.#resting.delete(goOn);
        resolve();
      };
      const cancelTimer = this.#clock.after(restMs, goOn);
      this.#resting.add(goOn);
    });
  }
}
