// SPDX-License-Identifier: Apache-2.0

type Box<Value> = { value: Value | undefined };

/**
 * A map for what comes and goes quickly. V8 replaces the table of a Map after a number of additions and deletions, and
 * the replaced table points to the next one. Once one of them has grown old, it keeps all that follow alive until the
 * whole heap is collected, each with what it held. So the table holds boxes here, and what is deleted leaves its box.
 */
export class ForgettingMap<Key, Value> {
  readonly #boxes = new Map<Key, Box<Value>>();

  get size(): number {
    return this.#boxes.size;
  }

  get(key: Key): Value | undefined {
    return this.#boxes.get(key)?.value;
  }

  set(key: Key, value: Value): void {
    const box = this.#boxes.get(key);
    if (box === undefined) this.#boxes.set(key, { value });
    else box.value = value;
  }

  delete(key: Key): boolean {
    const box = this.#boxes.get(key);
    if (box !== undefined) box.value = undefined;
    return this.#boxes.delete(key);
  }

  /** Deletes so many that were added first. Best many at a time: a Map that is asked for its first looks over all that were deleted before it. */
  deleteOldest(count: number): void {
    let left = count;
    for (const key of this.#boxes.keys()) {
      if (left <= 0) return;
      left -= 1;
      this.delete(key);
    }
  }
}
