// SPDX-License-Identifier: Apache-2.0
import type { LineageEvent } from '@clyra/adapter-databricks/table-history';
import { type HistoryGap, placeOf } from '../observed-statement.ts';

/** How far the lineage's time of a write may be from that of its version, in milliseconds. */
export const NEAR_MS = 600_000;

/** Writes that Unity Catalog saw and no version of their table is near: the table's history does not show everything. */
export function unexplainedLineage(
  events: readonly LineageEvent[],
  range: {
    readonly versions: readonly { readonly table: string; readonly atMs: number }[];
    readonly fromMs: number;
    /** Younger lineage is not complete yet, and neither need the history be. */
    readonly untilMs: number;
  },
): readonly HistoryGap[] {
  const gaps = new Map<string, HistoryGap>();
  for (const { target, atMs } of events) {
    // A write near the beginning may belong to a version before it.
    if (atMs < range.fromMs + NEAR_MS || atMs > range.untilMs) continue;
    if (range.versions.some((version) => version.table === target && Math.abs(version.atMs - atMs) <= NEAR_MS))
      continue;
    const gap = { from: `${target} ${placeOf(atMs)}`, to: placeOf(atMs), reason: 'lineage_without_version' };
    gaps.set(gap.from, gap);
  }
  return [...gaps.values()];
}
