// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '../canonical/json-value.ts';

/** Namespaces whose keys are forgotten at a window cut once they can no longer change a decision. */
export const EXPIRING: ReadonlySet<string> = new Set([
  'event',
  'nonce',
  'idem',
  'velocity',
  'velocity_chunk',
  'metric',
  'tripped',
  'loop',
  'cool',
  'cost',
  'deploy',
  'deploy_rate',
  'pending',
  'held',
  'challenge',
  'abandoned',
  'command',
  'run_closed',
]);

/** Keys that expire within the same step stand together. */
const STEP_MS = 10_000;

/** When a key may be forgotten; undefined for what an open change holds, a key or a commit: it is put again when that ends. */
export function expiryOf(value: JsonObject): number | undefined {
  const isHeld = value['state'] === 'in_flight' || value['state'] === 'unknown';
  const at = value['expires_at'];
  return isHeld || typeof at !== 'number' ? undefined : at;
}

/**
 * The keys of a state by when they expire, so that a cut looks at those that do and not at all there are. What it gives
 * follows from the state alone; the order in which it gives it does not, and means nothing.
 */
export class StateExpiry {
  readonly #steps = new Map<number, Set<string>>();
  /** A binary heap of the steps that have keys, or had some. */
  readonly #heap: number[] = [];

  add(key: string, value: JsonObject): void {
    const at = expiryOf(value);
    if (at === undefined) return;
    const step = Math.floor(at / STEP_MS);
    let keys = this.#steps.get(step);
    if (keys === undefined) {
      keys = new Set();
      this.#steps.set(step, keys);
      this.#push(step);
    }
    keys.add(key);
  }

  remove(key: string, value: JsonObject): void {
    const at = expiryOf(value);
    if (at !== undefined) this.#steps.get(Math.floor(at / STEP_MS))?.delete(key);
  }

  /** What `remove` and `add` would do: most values are put again within the step they stand in. */
  replace(key: string, before: JsonObject, value: JsonObject): void {
    const [from, to] = [expiryOf(before), expiryOf(value)];
    if (from !== undefined && to !== undefined && Math.floor(from / STEP_MS) === Math.floor(to / STEP_MS)) return;
    this.remove(key, before);
    this.add(key, value);
  }

  /** Every key that expires at or before this time, and some that expire in the same step as the last of them. */
  dueBy(nowMs: number): readonly string[] {
    const last = Math.floor(nowMs / STEP_MS);
    const due: string[] = [];
    const open: number[] = [];
    for (let step = this.#heap[0]; step !== undefined && step <= last; step = this.#heap[0]) {
      this.#pop();
      const keys = this.#steps.get(step);
      if (keys === undefined || keys.size === 0) {
        this.#steps.delete(step);
        continue;
      }
      for (const key of keys) due.push(key);
      open.push(step);
    }
    // They are forgotten when the caller's deletions are applied, not before.
    for (const step of open) this.#push(step);
    return due;
  }

  #push(step: number): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(step);
    while (at > 0) {
      const above = (at - 1) >> 1;
      if ((heap[above] as number) <= step) break;
      heap[at] = heap[above] as number;
      at = above;
    }
    heap[at] = step;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && (heap[below + 1] as number) < (heap[below] as number)) below += 1;
      if ((heap[below] as number) >= last) break;
      heap[at] = heap[below] as number;
      at = below;
    }
    heap[at] = last;
  }
}
