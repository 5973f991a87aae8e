// SPDX-License-Identifier: Apache-2.0
import { PARTITION_TENANT } from '@clyra/core/change/change-body';
import { foreignPosition } from '@clyra/core/change/log-position';
import type { Logger } from '@clyra/core/ports/logger';
import type { OutageWatch } from '../evidence/outage-watch.ts';
import type { HeldIndex } from '../human/held-index.ts';
import type { PartitionPosition } from '../position/intake-position.ts';
import type { ActivityLedger } from '../tenants/activity-ledger.ts';
import type { ChangeIndex } from '../tenants/change-index.ts';
import type { DirectoryPump } from '../tenants/directory-pump.ts';
import type { ChangePublisher } from './change-publisher.ts';
import type { DecodedRecord } from './partition-queue.ts';
import { readReceipt } from './read-receipt.ts';
import type { ReceiptDesk } from './receipt-desk.ts';

export type ReceiptReaders = {
  readonly desk: ReceiptDesk;
  readonly publisher: Pick<ChangePublisher, 'answered'>;
  readonly pump: DirectoryPump;
  readonly index: ChangeIndex;
  readonly ledger: ActivityLedger;
  readonly outages: Pick<OutageWatch, 'answered'>;
  readonly held: HeldIndex;
  readonly logger: Logger;
};

/** Hands the first receipt of each position to all who need it; later ones for the same position mean nothing. */
export class ReceiptIntake {
  readonly #readers: ReceiptReaders;
  readonly #nextOffsets = new Map<number, number>();
  readonly #last = new Map<number, DecodedRecord<'ReceiptEnvelope'>>();
  #saved: readonly PartitionPosition[] = [];
  #partlyRead = new Set<number>();
  #foreign: number | undefined;

  constructor(readers: ReceiptReaders) {
    this.#readers = readers;
  }

  /** What comes before these places is known already, but for the index of changes. */
  resume(saved: readonly PartitionPosition[], partlyRead: ReadonlySet<number>): void {
    this.#saved = saved;
    this.#partlyRead = new Set(partlyRead);
    for (const [partition, { next_change: next }] of saved.entries()) this.#nextOffsets.set(partition, next);
  }

  /** Throws CLY_POSITION_FOREIGN where another receipt than the saved one was read before a saved place. */
  requireSame(): void {
    if (this.#foreign === undefined) return;
    throw foreignPosition('clyra.receipts holds another record there', { partition: this.#foreign });
  }

  /** How far each partition was taken. */
  positions(partitionCount: number): readonly PartitionPosition[] {
    return Array.from({ length: partitionCount }, (_, partition) => {
      const last = this.#last.get(partition);
      const { next_offset: nextOffset = 0, last: savedLast = null } = this.#saved[partition] ?? {};
      return {
        next_offset: last === undefined ? nextOffset : last.offset + 1,
        last: last === undefined ? savedLast : { offset: last.offset, chain: hex(last.envelope.chain) },
        next_change: this.#nextOffsets.get(partition) ?? 0,
      };
    });
  }

  take(record: DecodedRecord<'ReceiptEnvelope'>): void {
    const saved = this.#saved[record.partition];
    if (saved === undefined || record.offset >= saved.next_offset) this.#takeNew(record);
    else this.#takeAgain(record, saved);
  }

  #takeNew(record: DecodedRecord<'ReceiptEnvelope'>): void {
    this.#last.set(record.partition, record);
    const receipt = readReceipt(record);
    if (receipt === undefined) {
      const { partition, offset } = record;
      this.#readers.logger.error('a receipt is malformed and is skipped', { partition, offset });
      return;
    }
    const { body } = receipt;
    if (body.offset < (this.#nextOffsets.get(body.partition) ?? 0)) return;
    this.#nextOffsets.set(body.partition, body.offset + 1);
    const { desk, publisher, pump, index, ledger, held, outages } = this.#readers;
    desk.offer(receipt);
    publisher.answered(body.event_id);
    if (body.tenant === PARTITION_TENANT) return;
    outages.answered(body.tenant);
    ledger.note(body);
    index.note(body, record.envelope);
    held.note(body);
    pump.offerReceipt(receipt);
  }

  #takeAgain(record: DecodedRecord<'ReceiptEnvelope'>, { last }: PartitionPosition): void {
    if (record.offset === last?.offset && hex(record.envelope.chain) !== last.chain) this.#foreign = record.partition;
    const receipt = readReceipt(record);
    if (receipt === undefined) return;
    const { index } = this.#readers;
    if (this.#partlyRead.delete(record.partition)) index.beginsAt(receipt.body.decided_at);
    index.note(receipt.body, record.envelope);
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
