// SPDX-License-Identifier: Apache-2.0
import type { LineageEvent } from '@clyra/adapter-databricks/table-history';
import { assert } from '@clyra/core/kernel/assert';
import { type HistoryGap, placeOf } from '../observed-statement.ts';

/** How far the lineage's time of a write may be from that of its version, in milliseconds. */
export const NEAR_MS = 600_000;

type LineageRange = {
  readonly versions: readonly { readonly table: string; readonly atMs: number }[];
  readonly fromMs: number;
  /** Younger lineage is not complete yet, and neither need the history be. */
  readonly untilMs: number;
  /** So many events of one answer say that there may be more: in one millisecond there are fewer. */
  readonly countMax: number;
};

/**
 * Writes that Unity Catalog saw and no version of their table is near: the table's history does not show everything. Read
 * page by page, each from where the last one ended; undefined where there is no lineage to read.
 */
export async function unexplainedLineage(
  readFrom: (fromMs: number, countMax: number) => Promise<readonly LineageEvent[] | undefined>,
  { versions, fromMs, untilMs, countMax }: LineageRange,
): Promise<readonly HistoryGap[] | undefined> {
  const gaps = new Map<string, HistoryGap>();
  const timesOf = timesByTable(versions);
  for (let pageMs = fromMs; ; ) {
    const events = await readFrom(pageMs, countMax);
    if (events === undefined) return undefined;
    for (const { target, atMs } of events) {
      // A write near the beginning may belong to a version before it.
      if (atMs < fromMs + NEAR_MS || atMs > untilMs || isNear(timesOf.get(target) ?? [], atMs)) continue;
      const gap = { from: `${target} ${placeOf(atMs)}`, to: placeOf(atMs), reason: 'lineage_without_version' };
      gaps.set(gap.from, gap);
    }
    const last = events.at(-1);
    if (last === undefined || events.length < countMax || last.atMs > untilMs) return [...gaps.values()];
    assert(last.atMs > pageMs, 'a page of lineage is larger than a millisecond');
    // The last millisecond may not be whole: it is read again.
    pageMs = last.atMs;
  }
}

/** In ascending order. */
function timesByTable(versions: LineageRange['versions']): ReadonlyMap<string, readonly number[]> {
  const times = Map.groupBy(versions, ({ table }) => table).entries();
  return new Map([...times].map(([table, of]) => [table, of.map(({ atMs }) => atMs).sort((a, b) => a - b)]));
}

function isNear(times: readonly number[], atMs: number): boolean {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] ?? 0) < atMs - NEAR_MS) low = middle + 1;
    else high = middle;
  }
  return (times[low] ?? Number.POSITIVE_INFINITY) <= atMs + NEAR_MS;
}
