// SPDX-License-Identifier: Apache-2.0
import { CompactRange } from '../hash/compact-range.ts';

const DAMAGED_MAX = 16;

/** Lines `from`..`to` (from 1) whose root is not the manifest's. */
export interface DamagedSegment {
  readonly from: number;
  readonly to: number;
}

/** Hashes each few consecutive lines into a tree of their own, so that damage can be placed (bundle.md §3). */
export class Segments {
  readonly #roots: readonly string[];
  readonly #linesEach: number;
  readonly #damaged: DamagedSegment[] = [];
  #range = new CompactRange();
  #lines = 0;
  #index = 0;
  #damagedCount = 0;

  constructor(roots: readonly string[], linesEach: number) {
    this.#roots = roots;
    this.#linesEach = linesEach;
  }

  get damaged(): readonly DamagedSegment[] {
    return this.#damaged;
  }

  get damagedCount(): number {
    return this.#damagedCount;
  }

  append(leaf: string): void {
    this.#range.append(leaf);
    this.#lines += 1;
    if (this.#range.size === this.#linesEach) {
      this.#close();
    }
  }

  end(): void {
    if (this.#range.size > 0) {
      this.#close();
    }
  }

  #close(): void {
    if (this.#range.root().toString('hex') !== this.#roots[this.#index]) {
      this.#damagedCount += 1;
      if (this.#damaged.length < DAMAGED_MAX) {
        this.#damaged.push({ from: this.#lines - this.#range.size + 1, to: this.#lines });
      }
    }
    this.#index += 1;
    this.#range = new CompactRange();
  }
}
