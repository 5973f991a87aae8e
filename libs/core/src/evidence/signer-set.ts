// SPDX-License-Identifier: Apache-2.0
import type { DecidedLine, ObservedLine } from './journal-line.ts';

/** Which keys signed in which of the three roles that a separated installation keeps apart (docs/spec/bundle.md §3). */
export class SignerSet {
  readonly #changes = new Set<string>();
  readonly #receipts = new Set<string>();
  readonly #transactions = new Set<string>();

  decided({ change, receipt }: DecidedLine): void {
    this.#changes.add(change.block.key_id);
    if (receipt.block !== null) this.#receipts.add(receipt.block.key_id);
  }

  observed({ observation: { body, block } }: ObservedLine): void {
    if (body.kind === 'transaction') this.#transactions.add(block.key_id);
  }

  /** Whether one key signed in two of them. */
  get isShared(): boolean {
    const all = [...this.#changes, ...this.#receipts, ...this.#transactions];
    return new Set(all).size < all.length;
  }
}
