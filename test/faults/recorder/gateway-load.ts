// SPDX-License-Identifier: Apache-2.0
import { setTimeout as pause } from 'node:timers/promises';
import type { Caller } from '../world/caller.ts';
import { activationRequest } from '../world/requests.ts';

/** An actor may do 100,000 actions in ten minutes. */
const ACTOR_COUNT = 8;
const LANE_COUNT = 16;
const ATTEMPTS_MAX = 5;
const ALREADY_SENT = 409;

/** Changes through the gateway at a steady rate, each sent again under its key where the answer was none. */
export class GatewayLoad {
  readonly #caller: Caller;
  readonly #count: number;
  readonly #perSecond: number;
  readonly #startedMs = performance.now();
  readonly #lanes: Promise<unknown>;
  #next = 0;
  #sentCount = 0;
  repeatedCount = 0;

  constructor(caller: Caller, { count, perSecond }: { readonly count: number; readonly perSecond: number }) {
    this.#caller = caller;
    this.#count = count;
    this.#perSecond = perSecond;
    this.#lanes = Promise.all(Array.from({ length: LANE_COUNT }, () => this.#lane()));
    // Whoever waits for the end is told; until then it is no unhandled rejection.
    this.#lanes.catch(() => {});
  }

  /** Of all changes, 0 to 1. */
  get progress(): number {
    return this.#sentCount / this.#count;
  }

  async ended(): Promise<{ readonly perSecond: number }> {
    await this.#lanes;
    return { perSecond: (this.#count * 1_000) / (performance.now() - this.#startedMs) };
  }

  async #lane(): Promise<void> {
    for (;;) {
      const index = this.#next;
      this.#next += 1;
      if (index >= this.#count) return;
      const dueMs = this.#startedMs + (index * 1_000) / this.#perSecond;
      await pause(Math.max(0, dueMs - performance.now()));
      await this.#send(index);
      this.#sentCount += 1;
    }
  }

  async #send(index: number): Promise<void> {
    const request = activationRequest(`change-${index}`, `load-${index % ACTOR_COUNT}`);
    for (let attempt = 1; ; attempt += 1) {
      const { status, code } = await this.#caller.send(request);
      if (status === 201 || (attempt > 1 && status === ALREADY_SENT)) return;
      if (attempt === ATTEMPTS_MAX) throw new Error(`change ${index} was answered ${status} ${code}`);
      this.repeatedCount += 1;
      await pause(1_000);
    }
  }
}
