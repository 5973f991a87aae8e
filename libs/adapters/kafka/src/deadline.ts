// SPDX-License-Identifier: Apache-2.0
import { performance } from 'node:perf_hooks';

/** A point on the monotonic clock: a stepped wall clock must not stretch or cut a wait. */
export type Deadline = { readonly atMs: number };

export function deadlineIn(waitMs: number): Deadline {
  return { atMs: performance.now() + waitMs };
}

export function remainingMs(deadline: Deadline): number {
  return Math.max(0, deadline.atMs - performance.now());
}

export function isPast(deadline: Deadline): boolean {
  return remainingMs(deadline) === 0;
}

/** Thrown by `within`; adapters turn it into their own error. */
export class DeadlinePassed extends Error {
  constructor() {
    super('the deadline passed before the log answered');
    this.name = 'DeadlinePassed';
  }
}

/** The work itself goes on after the deadline; the caller must discard what it runs on. */
export function within<T>(deadline: Deadline, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new DeadlinePassed()), remainingMs(deadline));
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

export function pauseMs(durationMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, durationMs);
  });
}
