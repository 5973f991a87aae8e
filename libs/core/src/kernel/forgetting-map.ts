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

  /** The key that was added first of all that are left. */
  oldest(): Key | undefined {
    return this.#boxes.keys().next().value;
  }
}
