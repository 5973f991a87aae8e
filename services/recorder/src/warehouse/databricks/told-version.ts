// SPDX-License-Identifier: Apache-2.0
import { type LoggedVersion, logFileName, readLogFile } from '@clyra/adapter-databricks/delta-log';
import type { TableVersion } from '@clyra/adapter-databricks/table-history';
import { digestOf } from '@clyra/core/canonical/digest';
import type { BlobStore } from '@clyra/core/ports/blob-store';
import type { HistoryGap, ObservedStatement } from '../observed-statement.ts';
import { readSessionTag } from '../session-tag.ts';
import { type TableLook, versionId } from './settle-versions.ts';
import { versionEffect } from './version-effect.ts';

type Log = { readonly digest: string; readonly read: LoggedVersion };

/** One version as it is told: from the history, and from its own file where that can be read. */
export async function toldVersion(
  { table, id }: TableLook,
  version: TableVersion,
  { store, horizonMs }: { readonly store: BlobStore | undefined; readonly horizonMs: number },
): Promise<{ readonly statement: ObservedStatement; readonly gaps: readonly HistoryGap[] }> {
  const log = store === undefined ? undefined : await logOf(store, version.version);
  const isLost = store !== undefined && log === undefined;
  const place = `${table}@${version.version}`;
  return {
    statement: statementOf({ table, id }, version, { log, horizonMs }),
    gaps: isLost ? [{ from: place, to: place, reason: 'log_file_missing' }] : [],
  };
}

function statementOf(
  { table, id }: Pick<TableLook, 'table' | 'id'>,
  version: TableVersion,
  { log, horizonMs }: { readonly log: Log | undefined; readonly horizonMs: number },
): ObservedStatement {
  const parameters = version.parameters ?? filled(log?.read.parameters);
  const metrics = version.metrics ?? filled(log?.read.metrics);
  const { operation, atMs } = version;
  const { counts, countsUnknown, maintenance } = versionEffect({
    operation,
    parameters,
    metrics,
    changesData: log?.read.changesData,
  });
  const tag = readSessionTag(log?.read.userMetadata || version.userMetadata);
  const dot = table.lastIndexOf('.');
  const relation = { schema: table.slice(0, dot), name: table.slice(dot + 1), ...counts };
  const { tokenHash, runId, actorId } = tag;
  return {
    engine: 'databricks',
    id: versionId(id, version.version),
    operation,
    committedAtMs: atMs,
    // A version that changed no row touches nothing that is guarded.
    relations: maintenance ? [] : [relation],
    effectFrom: 'table_history',
    tokenHashes: tokenHash === undefined ? [] : [tokenHash],
    link: tokenHash === undefined ? 'none' : 'user_metadata',
    content: [operation, JSON.stringify(parameters), JSON.stringify(metrics), version.userMetadata].join('\n'),
    table,
    ...(countsUnknown ? { countsUnknown: true } : {}),
    ...(maintenance ? { maintenance: true } : {}),
    ...(atMs < horizonMs ? { late: true } : {}),
    ...(log === undefined ? {} : { logDigest: log.digest }),
    ...(runId === undefined ? {} : { runId }),
    ...(actorId === undefined ? {} : { actorId }),
    user: version.user,
  };
}

async function logOf(store: BlobStore, version: number): Promise<Log | undefined> {
  const bytes = await store.get(logFileName(version));
  return bytes === undefined ? undefined : { digest: digestOf(bytes), read: readLogFile(bytes) };
}

/** A map without entries says as little as none. */
function filled(map: Readonly<Record<string, string>> | undefined): Readonly<Record<string, string>> | null {
  return map === undefined || Object.keys(map).length === 0 ? null : map;
}
