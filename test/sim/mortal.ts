// SPDX-License-Identifier: Apache-2.0
import type { BlobStore } from '@clyra/core/ports/blob-store';
import type { Clock } from '@clyra/core/ports/clock';

/** Whether a simulated process still lives. What a dead one does has no effect and is never answered. */
export class Mortality {
  dead = false;

  /** Settles only while the process lives. */
  async guard<Value>(work: () => Promise<Value>): Promise<Value> {
    if (this.dead) return never();
    const value = await work();
    return this.dead ? never() : value;
  }

  /** As `guard`, piece by piece. */
  async *guardEach<Value>(values: AsyncIterable<Value>): AsyncIterable<Value> {
    for await (const value of values) yield await this.guard(async () => value);
  }
}

function never(): Promise<never> {
  return new Promise(() => {});
}

export function mortalBlobs(blobs: BlobStore, life: Mortality): BlobStore {
  return {
    put: (name, content) => life.guard(() => blobs.put(name, content)),
    get: (name) => life.guard(() => blobs.get(name)),
    read: (name) => life.guardEach(blobs.read(name)),
    has: (name) => life.guard(() => blobs.has(name)),
    list: (prefix) => life.guard(() => blobs.list(prefix)),
  };
}

export function mortalClock(clock: Clock, life: Mortality): Clock {
  return {
    nowMs: () => clock.nowMs(),
    after: (delayMs, task) =>
      clock.after(delayMs, () => {
        if (!life.dead) task();
      }),
  };
}
