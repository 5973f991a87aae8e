// SPDX-License-Identifier: Apache-2.0
import { performance } from 'node:perf_hooks';

export type AtRestParts = {
  /** Of the time since the last question, which share the thread was at work: 0 to 1. */
  readonly shareAtWork: () => number;
  /** A stop of some tens of milliseconds. */
  readonly collect: () => void;
};

const LOOK_EACH_MS = 2_000;
/** Below it there is nothing worth giving back. */
const BUSY_SHARE = 0.02;
/** A rest is a fourth of what was the most. */
const REST_PART = 4;

/**
 * A heap that grew in a busy time stays as it is for as long as little is done after it, since only work makes V8 look.
 * So it is collected once when a busy time is over.
 */
export class MemoryAtRest {
  readonly #parts: AtRestParts;
  #most = 0;

  constructor(parts: AtRestParts) {
    this.#parts = parts;
  }

  look(): void {
    const share = this.#parts.shareAtWork();
    this.#most = Math.max(this.#most, share);
    if (this.#most < BUSY_SHARE || share > this.#most / REST_PART) return;
    this.#most = 0;
    this.#parts.collect();
    // What the collection itself took is no work.
    this.#parts.shareAtWork();
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
  const memory = new MemoryAtRest({ shareAtWork, collect });
  setInterval(() => memory.look(), LOOK_EACH_MS).unref();
}
