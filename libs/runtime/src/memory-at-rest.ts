// SPDX-License-Identifier: Apache-2.0
import { performance } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';

export type AtRestParts = {
  /** Of the time since the last question, which share the thread was at work: 0 to 1. */
  readonly shareAtWork: () => number;
  /** A stop of some tens of milliseconds. */
  readonly collect: () => void;
  /** From now on the heap is collected when it has grown by so much of what lives in it. */
  readonly growBy: (percent: number) => void;
};

const LOOK_EACH_MS = 2_000;
/** Below it there is nothing worth giving back. */
const BUSY_SHARE = 0.02;
/** A rest is a fourth of what was the most. */
const REST_PART = 4;
/** Above it the thread has no time to lose: it catches up. */
const CATCHING_UP_SHARE = 0.5;
/**
 * Measured with `recorder.bench`: a transaction of a backlog took 31 µs of CPU with 200 %, 36 with 50 % and 50 with 20 %
 * (and halves of 2 MB).
 */
const PERCENT = { catchingUp: 200, otherwise: 20 } as const;

/**
 * A heap that grew in a busy time stays as it is for as long as little is done after it, since only work makes V8 look.
 * So it is collected once when a busy time is over. While the thread catches up the heap may grow far, and is collected
 * seldom; otherwise it is kept small. It begins as one that catches up: a start is, and often what comes after it.
 */
export class MemoryAtRest {
  readonly #parts: AtRestParts;
  #most = 0;
  #isCatchingUp = true;

  constructor(parts: AtRestParts) {
    this.#parts = parts;
  }

  look(): void {
    const share = this.#parts.shareAtWork();
    this.#most = Math.max(this.#most, share);
    const hasCaughtUp = this.#catchUp(share);
    const isAtRest = this.#most >= BUSY_SHARE && share <= this.#most / REST_PART;
    if (!hasCaughtUp && !isAtRest) return;
    this.#most = 0;
    this.#parts.collect();
    // What the collection itself took is no work.
    this.#parts.shareAtWork();
  }

  /** Whether it has just ended. */
  #catchUp(share: number): boolean {
    const isCatchingUp = share > CATCHING_UP_SHARE;
    if (isCatchingUp === this.#isCatchingUp) return false;
    this.#isCatchingUp = isCatchingUp;
    this.#parts.growBy(isCatchingUp ? PERCENT.catchingUp : PERCENT.otherwise);
    return !isCatchingUp;
  }
}

/** Looks every two seconds for as long as the process lives, and keeps none alive. */
export function giveBackAtRest(collect: () => void): void {
  let before = performance.eventLoopUtilization();
  const shareAtWork = (): number => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    return utilization;
  };
  const growBy = (percent: number): void => setFlagsFromString(`--heap-growing-percent=${percent}`);
  const memory = new MemoryAtRest({ shareAtWork, collect, growBy });
  setInterval(() => memory.look(), LOOK_EACH_MS).unref();
}
