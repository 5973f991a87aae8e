// SPDX-License-Identifier: Apache-2.0
import { setImmediate } from 'node:timers';
import { assert } from '@clyra/core/kernel/assert';
import type { Clock } from '@clyra/core/ports/clock';

type Timer = { readonly atMs: number; readonly order: number; readonly task: () => void; cancelled: boolean };

const FIRST_MS = Date.UTC(2026, 0, 1);
const VIRTUAL_DAY_MS = 24 * 60 * 60 * 1_000;

/**
 * Virtual time. Timers run one at a time, in order of time and then of creation, and all promises they settled are
 * followed to their end before the next one: the same program gives the same run. It can only follow work that
 * waits for this clock; work on threads or sockets is invisible to it.
 */
export class SimClock implements Clock {
  #nowMs: number;
  #orderCount = 0;
  /** A binary heap, the earliest timer first. */
  readonly #heap: Timer[] = [];

  constructor(startMs: number = FIRST_MS) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, task: () => void): () => void {
    assert(delayMs >= 0, `a timer cannot run ${delayMs} ms from now`);
    const timer = { atMs: this.#nowMs + Math.ceil(delayMs), order: this.#orderCount, task, cancelled: false };
    this.#orderCount += 1;
    this.#push(timer);
    return () => {
      timer.cancelled = true;
    };
  }

  /** Follows every settled promise to its end; no time passes. */
  settle(): Promise<void> {
    return new Promise((resolve) => {
      setImmediate(resolve);
    });
  }

  /** Lets exactly this much time pass, and everything happen that was to happen in it. */
  async advance(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs;
    await this.settle();
    while (await this.#runNext(endMs));
    this.#nowMs = endMs;
  }

  /** Runs until no timer is left. Rejects when that does not happen within the limit of virtual time. */
  async runUntilIdle(limitMs: number = VIRTUAL_DAY_MS): Promise<void> {
    const endMs = this.#nowMs + limitMs;
    await this.settle();
    while (await this.#runNext(endMs));
    assert(this.#peek() === undefined, `still busy after ${limitMs} ms of virtual time`);
  }

  /**
   * Lets time pass until the work is done, and hands its result over. Rejects with what the work rejects with, and
   * where it can never be done: no timer is left, or the limit of virtual time has passed.
   */
  async drive<T>(work: Promise<T>, limitMs: number = VIRTUAL_DAY_MS): Promise<T> {
    const endMs = this.#nowMs + limitMs;
    const state = { settled: false };
    const noteEnd = () => {
      state.settled = true;
    };
    work.then(noteEnd, noteEnd);
    await this.settle();
    while (!state.settled && (await this.#runNext(endMs)));
    assert(state.settled, this.#peek() === undefined ? 'the work waits for nothing' : `not done after ${limitMs} ms`);
    return work;
  }

  async #runNext(endMs: number): Promise<boolean> {
    const next = this.#peek();
    if (next === undefined || next.atMs > endMs) return false;
    this.#pop();
    this.#nowMs = next.atMs;
    next.task();
    await this.settle();
    return true;
  }

  /** The earliest timer that still counts. */
  #peek(): Timer | undefined {
    while (this.#heap[0]?.cancelled === true) this.#pop();
    return this.#heap[0];
  }

  #push(timer: Timer): void {
    let place = this.#heap.push(timer) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!isBefore(timer, this.#heap[parent] as Timer)) break;
      this.#heap[place] = this.#heap[parent] as Timer;
      place = parent;
    }
    this.#heap[place] = timer;
  }

  #pop(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      const right = this.#heap[child + 1];
      if (right !== undefined && isBefore(right, this.#heap[child] as Timer)) child += 1;
      const smaller = this.#heap[child];
      if (smaller === undefined || !isBefore(smaller, last)) break;
      this.#heap[place] = smaller;
      place = child;
    }
    this.#heap[place] = last;
  }
}

function isBefore(one: Timer, other: Timer): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}
