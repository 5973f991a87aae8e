// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestOf } from '@clyra/core/canonical/digest';
import type { Folded } from '@clyra/core/enforcement/partition-fold';
import { ClyraError } from '@clyra/core/kernel/error';
import { ForgettingMap } from '@clyra/core/kernel/forgetting-map';

/** What stands on clyra.receipts for one partition, against what this replica folds. */
export class PublishedReceipts {
  readonly #partition: number;
  /** Folded here, not yet seen in the log. The bytes themselves: comparing them costs a fraction of hashing what is read. */
  readonly #expected = new ForgettingMap<number, Uint8Array>();
  /** Seen in the log, not yet folded here: the other replica is ahead. */
  readonly #ahead = new Map<number, Digest>();
  #foldedUpTo = -1;
  #last: { readonly offset: number; readonly digest: Digest; readonly chain: string } | undefined;

  constructor(partition: number) {
    this.#partition = partition;
  }

  /** The newest receipt at the start: the fold is silent up to it, and is checked against it there. */
  startAt(last: { readonly offset: number; readonly body: Uint8Array; readonly chain: Uint8Array }): void {
    this.#last = { offset: last.offset, digest: digestOf(last.body), chain: Buffer.from(last.chain).toString('hex') };
  }

  get lastOffset(): number {
    return this.#last?.offset ?? -1;
  }

  /** Whether the receipt must still be published. Throws CLY_ENFORCER_DIVERGED. */
  folded(folded: Folded): boolean {
    this.#foldedUpTo = folded.offset;
    if (folded.offset < this.lastOffset) return false;
    if (folded.offset === this.lastOffset) {
      this.#compare(folded.offset, this.#last?.digest, folded.digest);
      this.#compare(folded.offset, this.#last?.chain, folded.chain);
      return false;
    }
    const published = this.#ahead.get(folded.offset);
    if (published === undefined) {
      this.#expected.set(folded.offset, folded.bytes);
      return true;
    }
    this.#ahead.delete(folded.offset);
    this.#compare(folded.offset, published, folded.digest);
    return false;
  }

  /**
   * A receipt was read from the log. Whether it is the one folded here: only then it says that everything up to it
   * stands in the log. Throws CLY_ENFORCER_DIVERGED.
   */
  seen(offset: number, body: Uint8Array): boolean {
    if (offset <= this.lastOffset) return false;
    const expected = this.#expected.get(offset);
    if (expected === undefined) {
      // What was folded and is not expected any more stood in the log before: a late duplicate.
      if (offset > this.#foldedUpTo) this.#ahead.set(offset, digestOf(body));
      return false;
    }
    if (Buffer.compare(expected, body) !== 0) throw divergence(this.#partition, offset);
    this.#expected.delete(offset);
    return true;
  }

  #compare(offset: number, published: string | undefined, own: string): void {
    if (published === own) return;
    throw divergence(this.#partition, offset);
  }
}

/** Two bodies for one position: one of the programs, or the log itself, is wrong. */
export function divergence(partition: number, offset: number): ClyraError {
  return new ClyraError(
    'CLY_ENFORCER_DIVERGED',
    'a receipt in the log differs from the one folded here: stop both replicas and compare their versions and logs',
    { retry: 'never', context: { partition, offset } },
  );
}
