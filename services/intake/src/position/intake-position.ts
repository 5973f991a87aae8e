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

/** A later position that stands beside a whole one: of its tenants only those of which something was read since. */
type RecentPosition = {
  /** The places of the whole one; it belongs to no other. */
  readonly since: readonly PartitionPosition[];
  readonly position: IntakePosition;
};

/**
 * The newest that was saved. Rejects as the store does, and with CLY_POSITION_FOREIGN for one of another version. A recent
 * one that a crash left behind a newer whole one is passed over.
 */
export async function loadPosition(store: PositionStore, name: string): Promise<IntakePosition | undefined> {
  const whole = (await store.load(name)) as IntakePosition | undefined;
  if (whole === undefined) return undefined;
  requireVersion(whole, name);
  const recent = (await store.load(recentName(name))) as RecentPosition | undefined;
  if (recent === undefined || !belongsTo(recent, whole)) return whole;
  requireVersion(recent.position, name);
  const { tenants, activity } = recent.position;
  return {
    ...recent.position,
    tenants: overlaid(whole.tenants, tenants),
    activity: overlaid(whole.activity, activity),
  };
}

export function saveWhole(store: PositionStore, name: string, position: IntakePosition): Promise<void> {
  return store.save(name, position);
}

/** `position` has only the tenants of which something was read after `since`, where the newest whole one stands. */
export function saveRecent(store: PositionStore, name: string, recent: RecentPosition): Promise<void> {
  return store.save(recentName(name), recent);
}

function recentName(name: string): string {
  return `${name}.recent`;
}

function belongsTo({ since, position }: RecentPosition, whole: IntakePosition): boolean {
  const placeOf = (pinned: readonly Digest[], partitions: readonly PartitionPosition[]): string =>
    JSON.stringify([pinned, partitions]);
  return placeOf(position.pinned, since) === placeOf(whole.pinned, whole.partitions);
}

/** In the order in which the tenants came. */
function overlaid<Saved extends { readonly tenant: string }>(
  whole: readonly Saved[],
  recent: readonly Saved[],
): readonly Saved[] {
  return [...new Map([...whole, ...recent].map((saved) => [saved.tenant, saved])).values()];
}

function requireVersion({ v }: IntakePosition, name: string): void {
  if (v !== 0) throw foreignPosition('it is of another version', { name });
}
