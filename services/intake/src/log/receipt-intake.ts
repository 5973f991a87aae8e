// SPDX-License-Identifier: Apache-2.0
import { PARTITION_TENANT } from '@clyra/core/change/change-body';
import type { Logger } from '@clyra/core/ports/logger';
import type { ActivityLedger } from '../tenants/activity-ledger.ts';
import type { ChangeIndex } from '../tenants/change-index.ts';
import type { DirectoryPump } from '../tenants/directory-pump.ts';
import type { DecodedRecord } from './partition-queue.ts';
import { readReceipt } from './read-receipt.ts';
import type { ReceiptDesk } from './receipt-desk.ts';

export type ReceiptReaders = {
  readonly desk: ReceiptDesk;
  readonly pump: DirectoryPump;
  readonly index: ChangeIndex;
  readonly ledger: ActivityLedger;
  readonly logger: Logger;
};

/** Hands the first receipt of each position to all who need it; later ones for the same position mean nothing. */
export class ReceiptIntake {
  readonly #readers: ReceiptReaders;
  readonly #nextOffsets = new Map<number, number>();

  constructor(readers: ReceiptReaders) {
    this.#readers = readers;
  }

  take(record: DecodedRecord<'ReceiptEnvelope'>): void {
    const receipt = readReceipt(record);
    if (receipt === undefined) {
      const { partition, offset } = record;
      this.#readers.logger.error('a receipt is malformed and is skipped', { partition, offset });
      return;
    }
    const { body } = receipt;
    if (body.offset < (this.#nextOffsets.get(body.partition) ?? 0)) return;
    this.#nextOffsets.set(body.partition, body.offset + 1);
    const { desk, pump, index, ledger } = this.#readers;
    desk.offer(receipt);
    if (body.tenant === PARTITION_TENANT) return;
    ledger.note(body);
    index.note(body, record.envelope.body);
    pump.offerReceipt(receipt);
  }
}
