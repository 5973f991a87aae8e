// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '@clyra/core/canonical/digest';
import { foreignPosition } from '@clyra/core/change/log-position';
import type { PositionStore } from '@clyra/core/ports/position-store';
import type { SavedHeld } from '../human/held-index.ts';
import type { SavedActivity } from '../tenants/activity-ledger.ts';
import type { ResolvedChange } from '../tenants/change-index.ts';
import type { SavedTenant } from '../tenants/tenant-directory.ts';

/** How far one partition was taken. */
export type PartitionPosition = {
  /** Of clyra.receipts. */
  readonly next_offset: number;
  /** The record before it; its chain stands for all receipts before it (docs/spec/records.md). */
  readonly last: { readonly offset: number; readonly chain: string } | null;
  /** Of clyra.changes. */
  readonly next_change: number;
};

/** What an intake knows of its tenants, and the place in the log up to which that is so. */
export type IntakePosition = {
  readonly v: 0;
  /** Trust roots that were accepted: under others, other tenants would be served. */
  readonly pinned: readonly Digest[];
  readonly partitions: readonly PartitionPosition[];
  readonly tenants: readonly SavedTenant[];
  readonly activity: readonly SavedActivity[];
  /** How unknown changes ended, as commands said. */
  readonly resolved: readonly ResolvedChange[];
  /** What waits for people; a position without it is not gone on from. */
  readonly held?: SavedHeld;
};

/** Rejects as the store does, and with CLY_POSITION_FOREIGN for one of another version. */
export async function loadPosition(store: PositionStore, name: string): Promise<IntakePosition | undefined> {
  const found = (await store.load(name)) as IntakePosition | undefined;
  if (found !== undefined && found.v !== 0) throw foreignPosition('it is of another version', { name });
  return found;
}

export function savePosition(store: PositionStore, name: string, position: IntakePosition): Promise<void> {
  return store.save(name, position);
}
