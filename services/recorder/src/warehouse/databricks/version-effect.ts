// SPDX-License-Identifier: Apache-2.0
import type { RelationEffect } from '@clyra/core/reconciliation/ledger-entry';

export type VersionFacts = {
  readonly operation: string;
  readonly parameters: Readonly<Record<string, string>> | null;
  readonly metrics: Readonly<Record<string, string>> | null;
  /** From the version's file, where it can be read. */
  readonly changesData: boolean | undefined;
};

type Counts = Omit<RelationEffect, 'schema' | 'name'>;

export type VersionEffect = {
  readonly counts: Counts;
  /** The metrics were not shown: the counts are the least that the operation means. */
  readonly countsUnknown: boolean;
  readonly maintenance: boolean;
};

const NONE: Counts = { inserts: 0, updates: 0, deletes: 0, truncates: 0 };
/** Versions in which files are rearranged or measured and no row is another. */
const MAINTENANCE = /^(?:OPTIMIZE|VACUUM START|VACUUM END|COMPUTE STATS|ANALYZE|FSCK|AUTO OPTIMIZE|REORG)$/;
const INSERTS = ['numOutputRows', 'numInsertedRows', 'numCopiedRows'];
const WRITES = /^(?:WRITE|STREAMING UPDATE|COPY INTO|INSERT|APPEND)$/;

/** What a version did to its table (docs/spec/records.md §6). An operation that is not known here counts as a change of the schema. */
export function versionEffect(facts: VersionFacts): VersionEffect {
  const { operation, parameters, metrics, changesData } = facts;
  if (MAINTENANCE.test(operation)) {
    // A name is a claim; where the file shows that rows changed, it is not believed.
    return changesData === true ? effect({ updates: 1 }, true) : { ...effect({}), maintenance: true };
  }
  const isKnown = metrics !== null;
  if (WRITES.test(operation)) {
    const inserts = countOf(metrics, INSERTS);
    // Parameters that are not shown may say that all rows were replaced.
    const replaces = operation === 'WRITE' && parameters?.['mode'] !== 'Append';
    return effect({ inserts: isKnown ? inserts : 1, ...(replaces ? { truncates: 1 } : {}) }, !isKnown);
  }
  switch (operation) {
    case 'DELETE':
      return counted('deletes', metrics, ['numDeletedRows']);
    case 'UPDATE':
      return counted('updates', metrics, ['numUpdatedRows']);
    case 'MERGE':
      return isKnown
        ? effect({
            inserts: countOf(metrics, ['numTargetRowsInserted']),
            updates: countOf(metrics, ['numTargetRowsUpdated']),
            deletes: countOf(metrics, ['numTargetRowsDeleted']),
          })
        : effect({ inserts: 1, updates: 1, deletes: 1 }, true);
    case 'TRUNCATE':
    case 'RESTORE':
      return effect({ truncates: 1 });
    default:
      return effect({ ddl: 1, inserts: countOf(metrics, INSERTS), ...(changesData === true ? { truncates: 1 } : {}) });
  }
}

function counted(
  name: 'deletes' | 'updates',
  metrics: VersionFacts['metrics'],
  metricNames: readonly string[],
): VersionEffect {
  const isKnown = metricNames.some((metric) => metrics?.[metric] !== undefined);
  // Whole files may be dropped without their rows being counted.
  return effect({ [name]: isKnown ? countOf(metrics, metricNames) : 1 }, !isKnown);
}

function effect(counts: Partial<Counts>, countsUnknown = false): VersionEffect {
  return { counts: { ...NONE, ...counts }, countsUnknown, maintenance: false };
}

/** The first of these that is a whole number; Delta writes them as texts. */
function countOf(metrics: VersionFacts['metrics'], names: readonly string[]): number {
  const text = names.map((name) => metrics?.[name]).find((value) => value !== undefined) ?? '';
  return /^[0-9]{1,15}$/.test(text) ? Number(text) : 0;
}
