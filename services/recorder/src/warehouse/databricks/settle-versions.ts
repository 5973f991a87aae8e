// SPDX-License-Identifier: Apache-2.0
import type { TableVersion } from '@clyra/adapter-databricks/table-history';
import { commitKey, type HistoryGap } from '../observed-statement.ts';

export type TableLook = {
  /** `catalog.schema.table`. */
  readonly table: string;
  readonly id: string;
  /** In any order, perhaps with repetitions. */
  readonly versions: readonly TableVersion[];
  /** Of the table, also where `versions` end before it. */
  readonly newest: TableVersion | undefined;
};

export type LookContext = {
  readonly nowMs: number;
  readonly beganMs: number;
  readonly horizonMs: number;
  readonly lagMs: number;
  /** What was committed before is out of reach: it was told long ago, and is not remembered. */
  readonly reachMs: number;
  readonly isKnown: (id: string) => boolean;
  /** Whether the table was observed before. */
  readonly wasCovered: boolean;
};

export type SettledVersions = {
  /** New ones, ascending. */
  readonly fresh: readonly TableVersion[];
  readonly gaps: readonly HistoryGap[];
  /** Nothing before it is missing that may still come. */
  readonly coversUntilMs: number;
  /** A version between others is not shown: it is worth asking again. */
  readonly hasHole: boolean;
};

export function versionId(id: string, version: number): string {
  return `${id}@${version}`;
}

/**
 * What one table's history adds. Versions count without gaps, so a missing one shows; it may still be on its way for as
 * long as the lag says, and the horizon waits for it, then it is lost.
 */
export function settleVersions(look: TableLook, context: LookContext): SettledVersions {
  const { table, id } = look;
  const { nowMs, lagMs, reachMs } = context;
  const listed = [...new Map(look.versions.map((version) => [version.version, version])).values()].sort(
    (left, right) => left.version - right.version,
  );
  const fresh = listed.filter((version) => version.atMs >= reachMs && !isTold(version, look, context));
  const gaps: HistoryGap[] = [...missingBefore(listed[0], look, context), ...wentBack(look, context)];
  let coversUntilMs = nowMs - lagMs;
  let hasHole = false;
  for (const [index, after] of listed.entries()) {
    const before = listed[index - 1];
    const hole = before === undefined ? undefined : holeBetween(before, after, { id, context });
    if (before === undefined || hole === undefined) continue;
    hasHole = true;
    if (after.atMs > nowMs - lagMs) coversUntilMs = Math.min(coversUntilMs, before.atMs);
    else gaps.push({ from: `${table}@${hole.first}`, to: `${table}@${hole.last}`, reason: 'version_missing' });
  }
  return { fresh, gaps, coversUntilMs, hasHole };
}

/** Under the id that the table has now, or under one that it had before it was replaced. */
function isTold(
  { version, atMs }: TableVersion,
  { table, id }: Pick<TableLook, 'table' | 'id'>,
  { isKnown }: Pick<LookContext, 'isKnown'>,
): boolean {
  return isKnown(versionId(id, version)) || isKnown(commitKey(table, version, atMs));
}

function holeBetween(
  before: TableVersion,
  after: TableVersion,
  { id, context }: { readonly id: string; readonly context: LookContext },
): { readonly first: number; readonly last: number } | undefined {
  if (after.version - before.version < 2 || after.atMs < context.reachMs) return undefined;
  for (let version = before.version + 1; version < after.version; version += 1) {
    if (!context.isKnown(versionId(id, version))) return { first: version, last: after.version - 1 };
  }
  return undefined;
}

/** The oldest version that is shown is younger than the horizon: what was before it was not read. */
function missingBefore(oldest: TableVersion | undefined, look: TableLook, context: LookContext): readonly HistoryGap[] {
  const { table, id } = look;
  const { beganMs, horizonMs, wasCovered, isKnown } = context;
  if (oldest === undefined || !wasCovered || horizonMs <= beganMs || oldest.atMs <= horizonMs) return [];
  if (isTold(oldest, look, context) || isKnown(versionId(id, oldest.version - 1))) return [];
  return oldest.version === 0
    ? [{ from: table, to: versionId(id, 0), reason: 'table_recreated' }]
    : [{ from: table, to: `${table}@${oldest.version - 1}`, reason: 'history_aged_out' }];
}

/** A log that was set back to an earlier state: versions that were told are no longer there. */
function wentBack({ table, id, newest }: TableLook, { isKnown }: LookContext): readonly HistoryGap[] {
  if (newest === undefined || !isKnown(versionId(id, newest.version + 1))) return [];
  return [{ from: `${table}@${newest.version}`, to: `${table}@${newest.version + 1}`, reason: 'history_went_back' }];
}
