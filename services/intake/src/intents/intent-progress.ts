// SPDX-License-Identifier: Apache-2.0

type Place = { readonly taken: number[]; readonly done: Set<number>; next: number };

/**
 * How far each partition of clyra.intents is done: up to the first record that is not answered yet, whatever was
 * answered behind it. What lies behind is read again after a crash, and found in the log then.
 */
export class IntentProgress {
  readonly #places: Place[];

  constructor(from: readonly number[]) {
    this.#places = from.map((next) => ({ taken: [], done: new Set(), next }));
  }

  /** In the order of their offsets. */
  take(partition: number, offset: number): void {
    this.#place(partition).taken.push(offset);
  }

  finish(partition: number, offset: number): void {
    const place = this.#place(partition);
    place.done.add(offset);
    let head = place.taken[0];
    while (head !== undefined && place.done.delete(head)) {
      place.next = head + 1;
      place.taken.shift();
      head = place.taken[0];
    }
  }

  get offsets(): readonly number[] {
    return this.#places.map(({ next }) => next);
  }

  /** Taken and not answered. */
  get openCount(): number {
    return this.#places.reduce((sum, { taken, done }) => sum + taken.length - done.size, 0);
  }

  #place(partition: number): Place {
    return this.#places[partition] as Place;
  }
}
