// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '@clyra/core/canonical/digest';
import { foreignPosition } from '@clyra/core/change/log-position';
import type { PositionStore } from '@clyra/core/ports/position-store';

/** A place in a partition of clyra.journal, before the record at `next_offset`. */
export type JournalMark = {
  readonly next_offset: number;
  /** Source offsets of the newest lines before it; -1 where there are none. */
  readonly changes: number;
  readonly observations: number;
  /** The record before it, by which a journal of another log is told from this one. */
  readonly last: { readonly offset: number; readonly digest: Digest } | null;
};

/** The first receipt of a change: following the partition's chain can begin at it. */
export type ReceiptMark = { readonly offset: number; readonly change_offset: number; readonly chain: Digest };

export type TenantPosition = {
  readonly tenant: string;
  /** Lines of the tenant before it are in the bundles, or carried. */
  readonly from: JournalMark;
  /** Where its open range begins: what `from` falls back to when there is too much to carry. */
  readonly cut: JournalMark;
  /** The newest bundle, and what its fold goes on with; null before the first. */
  readonly bundle: {
    readonly start: number;
    readonly end: number;
    readonly frontier: readonly Digest[];
    readonly ledger: string;
  } | null;
  /** Sequenced lines after the bundle and before `from`. */
  readonly carried: readonly string[];
};

/** From where a partition can be read on: the lowest mark of its tenants. */
export type LanePosition = {
  readonly v: 0;
  readonly partition: number;
  readonly journal: JournalMark;
  readonly receipts: ReceiptMark | null;
  readonly tenants: readonly TenantPosition[];
};

/** Rejects as the store does, and with CLY_POSITION_FOREIGN for a position of another partition or version. */
export async function loadPosition(store: PositionStore, partition: number): Promise<LanePosition | undefined> {
  const found = (await store.load(positionName(partition))) as LanePosition | undefined;
  if (found === undefined) return undefined;
  if (found.v !== 0 || found.partition !== partition) throw foreignPosition('it is of another version', { partition });
  return found;
}

export function savePosition(store: PositionStore, position: LanePosition): Promise<void> {
  return store.save(positionName(position.partition), position);
}

function positionName(partition: number): string {
  return `bundler-${partition}`;
}
