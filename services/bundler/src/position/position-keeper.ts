// SPDX-License-Identifier: Apache-2.0
import { requireWithin } from '@clyra/core/change/log-position';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Clock } from '@clyra/core/ports/clock';
import type { Logger } from '@clyra/core/ports/logger';
import type { PositionStore } from '@clyra/core/ports/position-store';
import type { JournalFollower } from '../journal-follower.ts';
import { type JournalMark, type LanePosition, loadPosition, savePosition } from './lane-position.ts';
import type { ReceiptMarks } from './receipt-marks.ts';

export type KeeperOptions = {
  readonly store: PositionStore | undefined;
  readonly partition: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Between two savings, in milliseconds. */
  readonly everyMs: number;
};

/** A saved position, or why this partition must not go on from it. */
export type OpenedPosition = { readonly position: LanePosition | undefined; readonly trouble: ClyraError | undefined };

/** Saves from where one partition can be read on. What cannot be saved costs the next start time, and nothing else. */
export class PositionKeeper {
  readonly #options: KeeperOptions;
  #savedAtMs: number;
  #savedOffset = -1;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#savedAtMs = options.clock.nowMs();
  }

  async saveWhenDue(follower: JournalFollower, marks: ReceiptMarks): Promise<void> {
    if (this.#options.clock.nowMs() - this.#savedAtMs >= this.#options.everyMs) await this.save(follower, marks);
  }

  async save(follower: JournalFollower, marks: ReceiptMarks): Promise<void> {
    const { store, partition, clock, logger } = this.#options;
    if (store === undefined || follower.nextOffset === this.#savedOffset) return;
    this.#savedAtMs = clock.nowMs();
    this.#savedOffset = follower.nextOffset;
    try {
      await savePosition(store, positionOf(partition, follower, marks));
    } catch (error) {
      if (!(error instanceof ClyraError)) throw error;
      logger.warn('the position is not saved', { partition, code: error.code, error: error.message });
    }
  }
}

/** Rejects where the store cannot be asked now; what never passes stops only this partition. */
export async function openPosition(
  store: PositionStore | undefined,
  journal: { readonly topic: string; readonly partition: number; readonly start: number; readonly end: number },
): Promise<OpenedPosition> {
  try {
    const position = store === undefined ? undefined : await loadPosition(store, journal.partition);
    if (position !== undefined) requireWithin(position.journal.next_offset, journal);
    return { position, trouble: undefined };
  } catch (error) {
    if (!(error instanceof ClyraError) || error.retry !== 'never') throw error;
    return { position: undefined, trouble: error };
  }
}

/** Where the journal is read from: the record before a saved place comes once more, and is recognised. */
export function readingFrom({ next_offset: nextOffset, last }: JournalMark, start: number): number {
  return last !== null && last.offset >= start ? last.offset : nextOffset;
}

function positionOf(partition: number, follower: JournalFollower, marks: ReceiptMarks): LanePosition {
  const now = follower.mark();
  const tenants = [...follower.tenants.values()].map((log) => log.position(now));
  const journal = tenants.reduce((lowest, { from }) => lower(lowest, from), now);
  marks.forgetBefore(tenants.reduce((lowest, { cut }) => lower(lowest, cut), journal).changes);
  return { v: 0, partition, journal, receipts: marks.upTo(journal.changes), tenants };
}

function lower(left: JournalMark, right: JournalMark): JournalMark {
  return right.next_offset < left.next_offset ? right : left;
}
