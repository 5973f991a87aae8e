// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '../canonical/digest.ts';
import { ClyraError } from '../kernel/error.ts';
import { DigestRow } from './digest-row.ts';

/** Lines remembered, so that a rival's differing line is noticed; older repeats are dropped unseen: they change nothing. */
const REMEMBERED_MAX = 65_536;

/**
 * Which lines of one source partition count: of each source position the first (docs/spec/journal.md §1). Every writer
 * sequences a source in order, so a position at or below the newest is a repeat.
 */
export class FirstOccurrence {
  readonly #name: string;
  readonly #digests = new DigestRow();
  #newest: number;

  /** `newest` where reading begins later: the source offset of the newest line before. */
  constructor(name: string, newest = -1) {
    this.#name = name;
    this.#newest = newest;
  }

  /** The newest source offset that has a line; -1 before the first. */
  get newest(): number {
    return this.#newest;
  }

  /** Whether the line counts. Throws CLY_LOG_FORKED where another line was sequenced for its position. */
  isFirst(offset: number, line: Uint8Array): boolean {
    const digest = digestOf(line);
    if (offset > this.#newest) {
      this.#newest = offset;
      this.#digests.set(offset, digest);
      if (this.#digests.count > REMEMBERED_MAX) this.#digests.dropFirst();
      return true;
    }
    if (this.#digests.find(offset, digest) === 'other') {
      throw new ClyraError(
        'CLY_LOG_FORKED',
        `two different lines were sequenced for ${this.#name} offset ${offset}: compare the bundlers, one of them reads another log`,
        { retry: 'never', context: { source: this.#name, offset } },
      );
    }
    return false;
  }
}
