// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '@clyra/core/canonical/digest';
import type { SeededRandom } from '@clyra/testing/seeded-random';
import type { HistoryRow } from './delta-tables.ts';

/** One version that was really committed. The stand-in never sees this: it is shown rows, at times of their own. */
export type TrueCommit = {
  readonly version: number;
  readonly atMs: number;
  readonly operation: 'WRITE' | 'MERGE' | 'DELETE' | 'UPDATE' | 'OPTIMIZE' | 'SET TBLPROPERTIES';
  readonly counts: { readonly inserts: number; readonly updates: number; readonly deletes: number };
  readonly token: string | null;
};

/** The versions of one table from `first` on, seconds to minutes apart. */
export function drawCommits(
  random: SeededRandom,
  { first, count, fromMs }: { readonly first: number; readonly count: number; readonly fromMs: number },
): TrueCommit[] {
  let atMs = fromMs;
  return Array.from({ length: count }, (_, index) => {
    atMs += random.nextInt(1_000, 120_000);
    const operation = random.pick(['WRITE', 'MERGE', 'DELETE', 'UPDATE', 'OPTIMIZE', 'SET TBLPROPERTIES'] as const);
    const has = (of: readonly string[]): number => (of.includes(operation) ? random.nextInt(1, 9) : 0);
    return {
      version: first + index,
      atMs,
      operation,
      counts: {
        inserts: has(['WRITE', 'MERGE']),
        updates: has(['UPDATE', 'MERGE']),
        deletes: has(['DELETE', 'MERGE']),
      },
      token: random.chance(0.5) ? digestOf(`token ${first + index}`).slice(0, 32) : null,
    };
  });
}

/** As DESCRIBE HISTORY shows it, from `visibleAtMs` on. */
export function shown(commit: TrueCommit, visibleAtMs: number): HistoryRow {
  const { version, atMs, operation, token } = commit;
  return {
    version,
    atMs,
    operation,
    parameters: parametersOf(operation),
    metrics: metricsOf(commit),
    ...(token === null ? {} : { userMetadata: userMetadataOf(token) }),
    userName: 'loader@example.com',
    visibleAtMs,
  };
}

/** Of each operation, the members that Delta writes (test/standins/spark/recorded). */
function parametersOf(operation: TrueCommit['operation']): Readonly<Record<string, string>> {
  switch (operation) {
    case 'WRITE':
      return { mode: 'Append', partitionBy: '[]' };
    case 'MERGE':
      return {
        predicate: '["(id#0L = id#0L)"]',
        matchedPredicates: '[{"actionType":"update"}]',
        notMatchedPredicates: '[{"actionType":"insert"}]',
        notMatchedBySourcePredicates: '[]',
      };
    case 'OPTIMIZE':
      return { auto: 'false', clusterBy: '[]', predicate: '[]', zOrderBy: '[]' };
    case 'SET TBLPROPERTIES':
      return { properties: '{"clyra.note":"x"}' };
    default:
      return { predicate: '["(id#0L = 1)"]' };
  }
}

const REWRITTEN = [
  ...['executionTimeMs', 'numAddedBytes', 'numAddedChangeFiles', 'numAddedFiles', 'numCopiedRows'],
  ...['numDeletionVectorsAdded', 'numDeletionVectorsRemoved', 'numDeletionVectorsUpdated', 'numRemovedBytes'],
  ...['numRemovedFiles', 'rewriteTimeMs', 'scanTimeMs'],
];
const MERGED = [
  ...['executionTimeMs', 'materializeSourceTimeMs', 'numOutputRows', 'numSourceRows', 'numTargetBytesAdded'],
  ...['numTargetBytesRemoved', 'numTargetChangeFilesAdded', 'numTargetDeletionVectorsAdded'],
  ...['numTargetDeletionVectorsRemoved', 'numTargetDeletionVectorsUpdated', 'numTargetFilesAdded'],
  ...['numTargetFilesRemoved', 'numTargetRowsCopied', 'numTargetRowsMatchedDeleted', 'numTargetRowsMatchedUpdated'],
  ...['numTargetRowsNotMatchedBySourceDeleted', 'numTargetRowsNotMatchedBySourceUpdated', 'rewriteTimeMs'],
  'scanTimeMs',
];
const OPTIMIZED = [
  ...['maxFileSize', 'minFileSize', 'numAddedBytes', 'numDeletionVectorsRemoved', 'numRemovedBytes'],
  ...['p25FileSize', 'p50FileSize', 'p75FileSize'],
];

/** With zeros for what the recorder does not read. */
function metricsOf({ operation, counts }: TrueCommit): Readonly<Record<string, string>> {
  const { inserts, updates, deletes } = counts;
  switch (operation) {
    case 'WRITE':
      return { numFiles: '1', numOutputBytes: '0', numOutputRows: String(inserts) };
    case 'MERGE':
      return {
        ...zeros(MERGED),
        numTargetRowsInserted: String(inserts),
        numTargetRowsUpdated: String(updates),
        numTargetRowsDeleted: String(deletes),
      };
    case 'DELETE':
      return { ...zeros(REWRITTEN), numDeletedRows: String(deletes) };
    case 'UPDATE':
      return { ...zeros(REWRITTEN), numUpdatedRows: String(updates) };
    case 'OPTIMIZE':
      return { ...zeros(OPTIMIZED), numAddedFiles: '1', numRemovedFiles: '4' };
    default:
      return {};
  }
}

function zeros(names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(names.map((name) => [name, '0']));
}

export function userMetadataOf(token: string): string {
  return JSON.stringify({ ClyraApprovalToken: token, RunId: 'run-7', ActorId: 'sync-bot' });
}

/** The version's own file in `_delta_log`: one action a line. */
export function logFile(commit: TrueCommit): string {
  const { atMs, operation, token } = commit;
  const dataChange = operation !== 'OPTIMIZE';
  const path = `part-00000-${commit.version}.snappy.parquet`;
  const commitInfo = {
    timestamp: atMs,
    operation,
    operationParameters: parametersOf(operation),
    operationMetrics: metricsOf(commit),
    ...(token === null ? {} : { userMetadata: userMetadataOf(token) }),
  };
  const actions: object[] = [{ commitInfo }];
  if (operation !== 'SET TBLPROPERTIES') {
    actions.push({ add: { path, partitionValues: {}, size: 1, modificationTime: atMs, dataChange } });
  }
  return `${actions.map((action) => JSON.stringify(action)).join('\n')}\n`;
}
