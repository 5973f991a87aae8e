// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '@clyra/core/canonical/digest';
import { foreignPosition, requireWithin } from '@clyra/core/change/log-position';
import type { TopicNames } from '@clyra/core/change/topics';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Clock } from '@clyra/core/ports/clock';
import type { Logger } from '@clyra/core/ports/logger';
import type { PositionStore } from '@clyra/core/ports/position-store';
import type { RecordLog } from '@clyra/core/ports/record-log';
import type { HeldIndex } from '../human/held-index.ts';
import type { ReceiptIntake } from '../log/receipt-intake.ts';
import type { ActivityLedger } from '../tenants/activity-ledger.ts';
import type { ChangeIndex } from '../tenants/change-index.ts';
import type { DirectoryPump } from '../tenants/directory-pump.ts';
import type { TenantDirectory } from '../tenants/tenant-directory.ts';
import { type IntakePosition, loadPosition, type PartitionPosition } from './intake-position.ts';
import { PositionWriter } from './position-writer.ts';

export type BookParts = {
  /** Absent: every start reads the topics from their beginning. */
  readonly store: PositionStore | undefined;
  readonly name: string;
  readonly log: RecordLog;
  readonly topics: TopicNames;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly pinned: ReadonlySet<Digest>;
  readonly directory: TenantDirectory;
  readonly ledger: ActivityLedger;
  readonly index: ChangeIndex;
  readonly held: HeldIndex;
  readonly pump: DirectoryPump;
  readonly receipts: ReceiptIntake;
};

/** First offsets to read, by partition. */
export type ReadingStarts = { readonly receipts: readonly number[]; readonly changes: readonly number[] };

type Extent = { readonly start: readonly number[]; readonly end: readonly number[] };

const SAVE_MS = 10_000;
const RETRY_MS = 500;
/** Receipts before a position that are read once more, all partitions together: for `GET /v1/changes`. */
const REREAD_COUNT_MAX = 500_000;

/** Saves what is known of the tenants with the place in the log that it belongs to, and begins a start with it. */
export class PositionBook {
  readonly #parts: BookParts;
  readonly #writer: PositionWriter | undefined;
  #cancelTimer: (() => void) | undefined;

  constructor(parts: BookParts) {
    this.#parts = parts;
    this.#writer = parts.store === undefined ? undefined : new PositionWriter(parts.store, parts.name);
  }

  /**
   * Where to read from, with directory and ledger as they were there. Rejects with CLY_POSITION_DAMAGED, _BEHIND, _AHEAD
   * and _FOREIGN: what does not fit the log is never read on from, nor is a log whose beginning is gone.
   */
  async open(deadlineMs: number): Promise<ReadingStarts> {
    const { store, name, topics, logger } = this.#parts;
    const [receipts, changes] = [
      await this.#extent(topics.receipts, deadlineMs),
      await this.#extent(topics.changes, deadlineMs),
    ];
    const saved = store === undefined ? undefined : await loadPosition(store, name);
    if (saved?.held !== undefined && this.#hasSamePins(saved)) {
      const starts = this.#startsOf(saved, receipts, changes);
      if (await this.#restore(saved)) {
        const again = starts.receipts.flatMap((offset, partition) => (offset > 0 ? partition : []));
        this.#parts.receipts.resume(starts.places, new Set(again));
        logger.info('intake goes on from its position', { tenants: saved.tenants.length });
        return starts;
      }
    }
    const beginning = changes.start.map(() => 0);
    this.#requireWithin(topics.receipts, beginning, receipts);
    this.#requireWithin(topics.changes, beginning, changes);
    return { receipts: receipts.start, changes: changes.start };
  }

  start(): void {
    this.#schedule(SAVE_MS);
  }

  /** Saves once more where that can be done at this moment. */
  async stop(): Promise<void> {
    this.#cancelTimer?.();
    await this.#save();
  }

  #schedule(delayMs: number): void {
    if (this.#parts.store === undefined) return;
    this.#cancelTimer = this.#parts.clock.after(delayMs, () => {
      void this.#save().then((saved) => this.#schedule(saved ? SAVE_MS : RETRY_MS));
    });
  }

  /** False while a command is under way: what is known would lie behind the place. */
  async #save(): Promise<boolean> {
    const { directory, ledger, pump, receipts, logger } = this.#parts;
    if (this.#writer === undefined) return true;
    if (!pump.isIdle) return false;
    try {
      await this.#writer.save(receipts.positions(directory.partitionCount), {
        position: (partitions, since) => this.#known(partitions, since),
        tenantCount: ledger.tenantCount,
      });
    } catch (error) {
      if (!(error instanceof ClyraError)) throw error;
      logger.warn('the position is not saved', { code: error.code, error: error.message });
    }
    return true;
  }

  #known(partitions: readonly PartitionPosition[], since: readonly PartitionPosition[]): IntakePosition {
    const { directory, ledger, index, held, pinned } = this.#parts;
    const activity = ledger.saved(since.map((place) => place.next_change));
    return {
      v: 0,
      pinned: [...pinned].sort(),
      partitions,
      tenants: directory.saved(since.length === 0 ? undefined : new Set(activity.map(({ tenant }) => tenant))),
      activity,
      resolved: index.resolved(),
      held: held.saved(),
    };
  }

  #hasSamePins(saved: IntakePosition): boolean {
    const { pinned, logger } = this.#parts;
    if (saved.pinned.join() === [...pinned].sort().join()) return true;
    logger.warn('other trust roots are pinned than when the position was saved: the topics are read again', {});
    return false;
  }

  /** False where it cannot be used, and reading from the beginning leads to the same. */
  async #restore(saved: IntakePosition): Promise<boolean> {
    const { directory, ledger, index, held, logger } = this.#parts;
    try {
      await directory.restore(saved.tenants);
    } catch (error) {
      if (!(error instanceof ClyraError)) throw error;
      const { code, message } = error;
      logger.warn('a document of the position cannot be had: the topics are read again', { code, error: message });
      return false;
    }
    ledger.restore(saved.activity);
    if (saved.held !== undefined) held.restore(saved.held);
    for (const { event_id: eventId, tenant, state } of saved.resolved) index.resolve(eventId, tenant, state);
    return true;
  }

  #startsOf(
    { partitions }: IntakePosition,
    receipts: Extent,
    changes: Extent,
  ): ReadingStarts & { readonly places: readonly PartitionPosition[] } {
    const { topics } = this.#parts;
    const partitionCount = changes.start.length;
    if (partitions.length > partitionCount)
      throw foreignPosition('clyra.changes has fewer partitions', { partitionCount });
    const all = changes.start.map((_, partition) => partitions[partition] ?? NOTHING_READ);
    this.#requireWithin(
      topics.receipts,
      all.map((place) => place.next_offset),
      receipts,
    );
    this.#requireWithin(
      topics.changes,
      all.map((place) => place.next_change),
      changes,
    );
    const share = Math.ceil(REREAD_COUNT_MAX / partitionCount);
    const again = all.map((place, partition) => Math.max(receipts.start[partition] ?? 0, place.next_offset - share));
    return {
      places: all,
      receipts: again,
      changes: all.map((place) => place.next_change),
    };
  }

  #requireWithin(topic: string, offsets: readonly number[], { start, end }: Extent): void {
    offsets.forEach((offset, partition) => {
      requireWithin(offset, { topic, partition, start: start[partition] ?? 0, end: end[partition] ?? 0 });
    });
  }

  async #extent(topic: string, deadlineMs: number): Promise<Extent> {
    const { log } = this.#parts;
    const [start, end] = await Promise.all([log.startOffsets(topic, deadlineMs), log.endOffsets(topic, deadlineMs)]);
    return { start, end };
  }
}

const NOTHING_READ: PartitionPosition = { next_offset: 0, last: null, next_change: 0 };
