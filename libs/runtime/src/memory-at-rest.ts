// SPDX-License-Identifier: Apache-2.0
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { setFlagsFromString } from 'node:v8';

export type AtRestParts = {
  /** Of the time since the last question, which share the thread was at work: 0 to 1. */
  readonly shareAtWork: () => number;
  /** What the process holds of the machine's memory now. */
  readonly heldBytes: () => number;
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
/** What steady work takes above the least, with `recorder.bench` at 500 transactions a second. */
const SWELLING_BYTES = 12 * 1024 * 1024;
/** Half a minute, since nothing says that a burst was the last one. */
const LOOKS_BETWEEN_SWELLINGS = 15;
/**
 * Measured with `recorder.bench`: a transaction of a backlog took 31 µs of CPU with 200 %, 36 with 50 % and 50 with 20 %
 * (and halves of 2 MB).
 */
const PERCENT = { catchingUp: 200, otherwise: 20 } as const;

/**
 * A heap that grew in a busy time stays as it is for as long as little is done after it, since only work makes V8 look.
 * So it is collected once when a busy time is over. While the thread catches up the heap may grow far, and is collected
 * seldom; otherwise it is kept small. It begins as one that catches up: a start is, and often what comes after it. A burst
 * that is over within a look, with steady work behind it, is no busy time and has no rest: what it took shows only in what
 * the process holds, and goes with a collection too.
 */
export class MemoryAtRest {
  readonly #parts: AtRestParts;
  #most = 0;
  #isCatchingUp = true;
  #leastBytes: number;
  #looksSinceSwelling = LOOKS_BETWEEN_SWELLINGS;

  constructor(parts: AtRestParts) {
    this.#parts = parts;
    this.#leastBytes = parts.heldBytes();
  }

  look(): void {
    const share = this.#parts.shareAtWork();
    this.#most = Math.max(this.#most, share);
    const hasCaughtUp = this.#catchUp(share);
    const isAtRest = this.#most >= BUSY_SHARE && share <= this.#most / REST_PART;
    const isSwollen = this.#swell();
    if (!hasCaughtUp && !isAtRest && !isSwollen) return;
    this.#most = 0;
    this.#parts.collect();
    // What the collection itself took is no work.
    this.#parts.shareAtWork();
    this.#leastBytes = this.#parts.heldBytes();
    if (isSwollen) this.#looksSinceSwelling = 0;
  }

  /** Whether so much can be given back that a stop is worth it, though the thread has not come to rest. */
  #swell(): boolean {
    const held = this.#parts.heldBytes();
    this.#leastBytes = Math.min(this.#leastBytes, held);
    this.#looksSinceSwelling += 1;
    if (this.#isCatchingUp || this.#looksSinceSwelling < LOOKS_BETWEEN_SWELLINGS) return false;
    return held - this.#leastBytes > SWELLING_BYTES;
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
  const heldBytes = (): number => process.memoryUsage.rss();
  const memory = new MemoryAtRest({ shareAtWork, heldBytes, collect, growBy });
  setInterval(() => memory.look(), LOOK_EACH_MS).unref();
}
