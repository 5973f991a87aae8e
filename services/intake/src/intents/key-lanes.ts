// SPDX-License-Identifier: Apache-2.0

/**
 * What has the same key goes one after the other, as producers expect of Kafka; everything else goes on meanwhile. A
 * key may have so many waiting at most, so that one slow key cannot take all room.
 */
export class KeyLanes {
  readonly #waitingMax: number;
  readonly #lanes = new Map<string, { count: number; last: Promise<unknown> }>();

  constructor(waitingMax: number) {
    this.#waitingMax = waitingMax;
  }

  /** Resolves as `work` does, or at once with `full` where too many of the key wait. */
  async run<Result>(key: string, work: () => Promise<Result>): Promise<Result | 'full'> {
    const lane = this.#lanes.get(key) ?? { count: 0, last: Promise.resolve() };
    if (lane.count >= this.#waitingMax) return 'full';
    lane.count += 1;
    this.#lanes.set(key, lane);
    const done = lane.last.then(work);
    lane.last = done.catch(() => {});
    try {
      return await done;
    } finally {
      lane.count -= 1;
      if (lane.count === 0) this.#lanes.delete(key);
    }
  }
}
