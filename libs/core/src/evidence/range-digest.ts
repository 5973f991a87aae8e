// SPDX-License-Identifier: Apache-2.0
import { createHash, type Hash } from 'node:crypto';
import type { Digest } from '../canonical/digest.ts';
import { CompactRange } from '../merkle/compact-range.ts';
import { leafHash } from '../merkle/hash.ts';

export const SEGMENT_LINES = 64;
const LF = Buffer.from('\n');

export type JournalFacts = {
  readonly sha256: Digest;
  readonly size: number;
  readonly lines: number;
  readonly segments: readonly Digest[];
};

/** Digests of journal.jsonl while its lines go by: of the file, and of each 64 lines so that damage can be placed. */
export class RangeDigest {
  readonly #file: Hash = createHash('sha256');
  readonly #segments: Digest[] = [];
  #segment = new CompactRange();
  #size = 0;
  #lines = 0;

  /** Returns the leaf hash of the line. */
  append(line: Uint8Array): Digest {
    this.#file.update(line).update(LF);
    this.#size += line.length + 1;
    this.#lines += 1;
    const leaf = leafHash(line);
    this.#segment.append(leaf);
    if (this.#segment.size === SEGMENT_LINES) {
      this.#segments.push(this.#segment.root());
      this.#segment = new CompactRange();
    }
    return leaf;
  }

  get lines(): number {
    return this.#lines;
  }

  facts(): JournalFacts {
    const rest = this.#segment.size === 0 ? [] : [this.#segment.root()];
    return {
      sha256: this.#file.copy().digest('hex'),
      size: this.#size,
      lines: this.#lines,
      segments: [...this.#segments, ...rest],
    };
  }
}
