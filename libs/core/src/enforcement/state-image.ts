// SPDX-License-Identifier: Apache-2.0
import { assert } from '../kernel/assert.ts';

export type ImageSource = {
  readonly partCount: number;
  /** The lines of a part as they stand now. */
  readonly read: (index: number) => readonly string[];
  /** Called once, when nothing of the source is needed any more. */
  readonly onDone: () => void;
};

/**
 * The lines of a state as of the moment it was taken, in parts. A cut must not stop for all lines of a large state, so each
 * part is read when somebody asks for it, or before it changes (`keep`), whichever comes first. Going through it again
 * gives the same lines.
 */
export class StateImage implements Iterable<readonly string[]> {
  readonly #source: ImageSource;
  readonly #parts: (readonly string[] | undefined)[];
  #missingCount: number;
  #done = false;

  constructor(source: ImageSource) {
    this.#source = source;
    this.#parts = new Array<readonly string[] | undefined>(source.partCount).fill(undefined);
    this.#missingCount = source.partCount;
  }

  *[Symbol.iterator](): Iterator<readonly string[]> {
    for (let index = 0; index < this.#parts.length; index += 1) {
      this.keep(index);
      const lines = this.#parts[index];
      assert(lines !== undefined, 'an image that was discarded is not read');
      yield lines;
    }
  }

  /** The part is about to change: its lines are read first. */
  keep(index: number): void {
    if (this.#done || this.#parts[index] !== undefined) return;
    this.#parts[index] = this.#source.read(index);
    this.#missingCount -= 1;
    if (this.#missingCount === 0) this.discard();
  }

  /** Nobody goes on reading: what was not read yet may change. */
  discard(): void {
    if (this.#done) return;
    this.#done = true;
    this.#source.onDone();
  }
}
