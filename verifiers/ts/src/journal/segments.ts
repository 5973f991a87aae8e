// SPDX-License-Identifier: Apache-2.0
import { SEGMENT_LINES } from '../documents/manifest.ts';
import { CompactRange } from '../hash/compact-range.ts';

const DAMAGED_MAX = 16;

/** Lines `from`..`to` (from 1) whose root is not the manifest's; `loose` are lines whose append time nothing else pins. */
export interface DamagedSegment {
  readonly from: number;
  readonly to: number;
  readonly loose: readonly number[];
}

/** Hashes each 64 consecutive lines into a tree of their own, so that damage can be placed (bundle.md §2). */
export class Segments {
  readonly #roots: readonly string[];
  readonly #damaged: DamagedSegment[] = [];
  #range = new CompactRange();
  #loose: number[] = [];
  #lines = 0;
  #index = 0;
  #damagedCount = 0;

  constructor(roots: readonly string[]) {
    this.#roots = roots;
  }

  get damaged(): readonly DamagedSegment[] {
    return this.#damaged;
  }

  get damagedCount(): number {
    return this.#damagedCount;
  }

  append(leaf: Buffer): void {
    this.#range.append(leaf);
    this.#lines += 1;
    if (this.#range.size === SEGMENT_LINES) {
      this.#close();
    }
  }

  /** Says that the line appended last carries an append time that differs from its decision time. */
  markLoose(): void {
    this.#loose.push(this.#lines);
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
        this.#damaged.push({ from: this.#lines - this.#range.size + 1, to: this.#lines, loose: this.#loose });
      }
    }
    this.#index += 1;
    this.#range = new CompactRange();
    this.#loose = [];
  }
}
