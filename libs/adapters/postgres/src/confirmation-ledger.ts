// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import { formatLsn } from './lsn.ts';

type Delivered = { readonly endLsn: bigint; readonly weight: number };

/** Consumed entries are cut off in blocks, since removing the head of an array one by one copies the rest each time. */
const COMPACT_AFTER_COUNT = 1_024;

/**
 * What was handed over and what the caller has called durable. The position told to the server is
 * `confirmedLsn` and nothing else: it starts at the slot's own position, because PostgreSQL 15 would let a slot
 * move backwards, and it moves only by `confirm`.
 */
export class ConfirmationLedger {
  #confirmedLsn: bigint;
  #receivedLsn: bigint;
  #pendingWeight = 0;
  #delivered: Delivered[] = [];
  #headIndex = 0;

  constructor(slotConfirmedLsn: bigint) {
    this.#confirmedLsn = slotConfirmedLsn;
    this.#receivedLsn = slotConfirmedLsn;
  }

  get confirmedLsn(): bigint {
    return this.#confirmedLsn;
  }

  /** The weights of all transactions delivered and not yet confirmed. */
  get pendingWeight(): number {
    return this.#pendingWeight;
  }

  /** Everything that was delivered is confirmed. */
  get isSettled(): boolean {
    return this.#headIndex === this.#delivered.length;
  }

  deliver(endLsn: bigint, weight: number): void {
    this.#delivered.push({ endLsn, weight });
    this.#pendingWeight += weight;
    this.#receive(endLsn);
  }

  /** The server has nothing to send below `lsn`. Only to be called when settled and outside a transaction. */
  receiveKeepalive(lsn: bigint): void {
    this.#receive(lsn);
  }

  /**
   * Everything up to `lsn` is durable elsewhere. True when the confirmed position moved; a position already
   * confirmed changes nothing. Throws CLY_SOURCE_CONFIRM_AHEAD (retry: never) for one that was never received:
   * the server would throw away what nobody has.
   */
  confirm(lsn: bigint): boolean {
    if (lsn > this.#receivedLsn) {
      throw new ClyraError(
        'CLY_SOURCE_CONFIRM_AHEAD',
        'A log position was confirmed before it was received. Confirm only positions that this stream delivered.',
        { retry: 'never', context: { lsn: formatLsn(lsn), receivedLsn: formatLsn(this.#receivedLsn) } },
      );
    }
    if (lsn <= this.#confirmedLsn) {
      return false;
    }
    this.#confirmedLsn = lsn;
    let head = this.#delivered[this.#headIndex];
    while (head !== undefined && head.endLsn <= lsn) {
      this.#pendingWeight -= head.weight;
      this.#headIndex += 1;
      head = this.#delivered[this.#headIndex];
    }
    if (this.#headIndex >= COMPACT_AFTER_COUNT || this.isSettled) {
      this.#delivered = this.#delivered.slice(this.#headIndex);
      this.#headIndex = 0;
    }
    return true;
  }

  #receive(lsn: bigint): void {
    if (lsn > this.#receivedLsn) {
      this.#receivedLsn = lsn;
    }
  }
}
