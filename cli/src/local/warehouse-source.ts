// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path';
import { openBlobStore } from '@clyra/adapter-blob/open-blob-store';
import { ClyraError } from '@clyra/core/kernel/error';
import { readWarehouseEntry, type WarehouseSettings } from '@clyra/recorder/source/warehouse-entry';
import { DatabricksHistory } from '@clyra/recorder/warehouse/databricks/databricks-history';
import type { HistorySource } from '@clyra/recorder/warehouse/history-source';
import { SnowflakeHistory } from '@clyra/recorder/warehouse/snowflake/snowflake-history';
import { systemClock } from '@clyra/runtime/system-clock';
import type { WarehouseEntry } from './sources-file.ts';

export type WarehouseOptions = {
  readonly account?: string;
  readonly user?: string;
  readonly role?: string;
  readonly warehouse?: string;
  readonly redemptions?: string;
  readonly host?: string;
  readonly path?: string;
  readonly address?: string;
  readonly port?: number;
  readonly tlsCaFile?: string;
  readonly privateKeyFile?: string;
  readonly passwordFile?: string;
  readonly passwordEnv?: string;
  readonly tokenFile?: string;
  readonly tokenEnv?: string;
  readonly guard: readonly string[];
  readonly accessHistory: boolean;
};

const CONNECTIONS = {
  snowflake: ['account', 'address', 'user', 'role', 'warehouse', 'privateKeyFile', 'passwordFile', 'passwordEnv'],
  databricks: ['host', 'port', 'path', 'tokenFile', 'tokenEnv', 'tlsCaFile'],
} as const;

/** The entry of sources.json that the options describe. Secrets stay where they are: the entry names a file or a variable. */
export function warehouseEntry(
  kind: 'snowflake' | 'databricks',
  source: { readonly source_id: string; readonly tenant: string },
  options: WarehouseOptions,
): WarehouseEntry {
  const given = Object.entries(options)
    .filter(([, value]) => value !== undefined)
    // The entry's relative files are beside sources.json, those of a command where it is given.
    .map(([name, value]) => [name, name.endsWith('File') ? resolve(String(value)) : value] as const);
  const known: readonly string[] = CONNECTIONS[kind];
  const { redemptions, guard, accessHistory } = options;
  return {
    kind,
    ...source,
    connection: Object.fromEntries(given.filter(([name]) => known.includes(name))) as WarehouseEntry['connection'],
    guarded: guard,
    ...(kind === 'snowflake' && redemptions !== undefined ? { redemptions } : {}),
    ...(kind === 'snowflake' && !accessHistory ? { access_history: false } : {}),
  };
}

/** What the registration hashes as the warehouse's name. */
export function warehouseIdentity({ kind, connection }: WarehouseEntry): string {
  return kind === 'snowflake'
    ? `snowflake://${connection['account']}`
    : `databricks://${connection['host']}${connection['path']}`;
}

/** Asks the warehouse which one it is. Throws CLY_CLI_ARGUMENT for options that make no entry, and as the drivers' adapters do. */
export async function readWarehouseSystemId(entry: WarehouseEntry, sourcesFile: string): Promise<string> {
  const source = openHistory(settingsOf(entry, sourcesFile));
  try {
    return (await source.facts()).systemId;
  } finally {
    await source.close();
  }
}

function settingsOf(entry: WarehouseEntry, path: string): WarehouseSettings {
  try {
    return readWarehouseEntry(entry, { kind: entry.kind, at: { path, place: 'source add' } });
  } catch (error) {
    if (!(error instanceof ClyraError)) throw error;
    const message = `the options do not describe a ${entry.kind} source: ${error.message}`;
    throw new ClyraError('CLY_CLI_ARGUMENT', message, { retry: 'never', cause: error });
  }
}

function openHistory(settings: WarehouseSettings): HistorySource {
  return settings.kind === 'snowflake'
    ? new SnowflakeHistory(settings.snowflake)
    : new DatabricksHistory(settings.databricks, { openBlobs: (where) => openBlobStore(where, systemClock) });
}
