// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '@clyra/core/canonical/digest';
import type { ReceiptBody } from '@clyra/core/enforcement/receipt-body';
import { ForgettingMap } from '@clyra/core/kernel/forgetting-map';
import type { Clock } from '@clyra/core/ports/clock';
import type { Logger } from '@clyra/core/ports/logger';
import type { ReadReceipt } from './read-receipt.ts';

export type AwaitedReceipt = {
  readonly eventId: string;
  readonly tenant: string;
  /** Of the change that was sent: a receipt for other bytes under the same id is not ours. */
  readonly digest: Digest;
  /** A receipt that fails it is ignored: only the deadline ends the wait then. */
  readonly isTrusted: (receipt: ReadReceipt) => boolean;
};

export type ReceiptWait = {
  /** The receipt, or what ended the wait before it came. After that, a late receipt means nothing. */
  readonly result: Promise<ReceiptBody | 'deadline' | 'cancelled'>;
  cancel(): void;
};

/** Of the changes whose callers waited in vain, so many are remembered: a receipt of theirs came late. */
const GIVEN_UP_MAX = 10_000;

type Waiter = AwaitedReceipt & { readonly end: (result: ReceiptBody | 'deadline' | 'cancelled') => void };

/** Where callers wait for the receipts of their changes. */
export class ReceiptDesk {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #waiters = new ForgettingMap<string, Waiter>();
  readonly #givenUp = new Set<string>();
  #onLate: () => void = () => {};

  constructor(parts: { readonly clock: Clock; readonly logger: Logger }) {
    this.#clock = parts.clock;
    this.#logger = parts.logger;
  }

  isAwaited(eventId: string, tenant: string): boolean {
    return this.#waiters.get(eventId)?.tenant === tenant;
  }

  /** Called for each receipt that comes after its caller's deadline. */
  whenLate(onLate: () => void): void {
    this.#onLate = onLate;
  }

  await(awaited: AwaitedReceipt, deadlineMs: number): ReceiptWait {
    let end: Waiter['end'] = () => {};
    const result = new Promise<ReceiptBody | 'deadline' | 'cancelled'>((resolve) => {
      const cancelTimer = this.#clock.after(Math.max(0, deadlineMs), () => end('deadline'));
      end = (outcome) => {
        cancelTimer();
        this.#waiters.delete(awaited.eventId);
        if (outcome === 'deadline') this.#giveUp(awaited.eventId);
        resolve(outcome);
      };
    });
    this.#waiters.set(awaited.eventId, { ...awaited, end });
    return { result, cancel: () => end('cancelled') };
  }

  /** Takes every first receipt of a position. */
  offer(receipt: ReadReceipt): void {
    const { body } = receipt;
    const waiter = this.#waiters.get(body.event_id);
    if (waiter === undefined) {
      if (this.#givenUp.delete(body.event_id)) this.#onLate();
      return;
    }
    if (body.kind === 'poisoned') return;
    if (body.kind === 'decided' && body.duplicate_of !== undefined) return;
    if (body.change_digest !== waiter.digest || !waiter.isTrusted(receipt)) {
      this.#logger.error('a receipt is not for the bytes that were sent, or not signed by a trusted enforcer', {
        event_id: body.event_id,
        tenant: body.tenant,
        partition: body.partition,
        offset: body.offset,
      });
      return;
    }
    waiter.end(body);
  }

  #giveUp(eventId: string): void {
    if (this.#givenUp.size >= GIVEN_UP_MAX) this.#givenUp.delete(this.#givenUp.values().next().value as string);
    this.#givenUp.add(eventId);
  }
}
