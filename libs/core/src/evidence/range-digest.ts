// SPDX-License-Identifier: Apache-2.0
import { createHash, type Hash } from 'node:crypto';
import type { Digest } from '../canonical/digest.ts';
import { CompactRange } from '../merkle/compact-range.ts';
import { leafHash, nodeHash } from '../merkle/hash.ts';

export const SEGMENT_LINES = 64;
/** With so many whole segments they are joined in pairs: a manifest of any range stays small. */
export const SEGMENT_COUNT_MAX = 8_192;
const LF = Buffer.from('\n');

export type JournalFacts = {
  readonly sha256: Digest;
  readonly size: number;
  readonly lines: number;
  readonly segment_lines: number;
  readonly segments: readonly Digest[];
};

/** Digests of journal.jsonl while its lines go by: of the file, and of pieces of it so that damage can be placed. */
export class RangeDigest {
  readonly #file: Hash = createHash('sha256');
  readonly #segments: Segments;
  #size = 0;
  #lines = 0;

  constructor(segmentCountMax: number = SEGMENT_COUNT_MAX) {
    this.#segments = new Segments(segmentCountMax);
  }

  /** Returns the leaf hash of the line. */
  append(line: Uint8Array): Digest {
    const leaf = leafHash(line);
    this.appendLine(line, leaf);
    return leaf;
  }

  /** As `append` for a line that stands for another leaf: a replaced one in an export. */
  appendLine(line: Uint8Array, leaf: Digest): void {
    this.#file.update(line).update(LF);
    this.#size += line.length + 1;
    this.#lines += 1;
    this.#segments.append(leaf);
  }

  get lines(): number {
    return this.#lines;
  }

  facts(): JournalFacts {
    return {
      sha256: this.#file.copy().digest('hex'),
      size: this.#size,
      lines: this.#lines,
      segment_lines: this.#segments.lines,
      segments: this.#segments.roots(),
    };
  }
}

class Segments {
  readonly #countMax: number;
  #whole: Digest[] = [];
  #open = new CompactRange();
  lines = SEGMENT_LINES;

  constructor(countMax: number) {
    this.#countMax = countMax;
  }

  append(leaf: Digest): void {
    this.#open.append(leaf);
    if (this.#open.size < this.lines) return;
    this.#whole.push(this.#open.root());
    this.#open = new CompactRange();
    if (this.#whole.length === this.#countMax) this.#join();
  }

  roots(): readonly Digest[] {
    return this.#open.size === 0 ? [...this.#whole] : [...this.#whole, this.#open.root()];
  }

  /** The trees of two neighbours are the halves of the tree of both. */
  #join(): void {
    const joined: Digest[] = [];
    for (let index = 0; index < this.#whole.length; index += 2) {
      joined.push(nodeHash(this.#whole[index] as Digest, this.#whole[index + 1] as Digest));
    }
    this.#whole = joined;
    this.lines *= 2;
  }
}
