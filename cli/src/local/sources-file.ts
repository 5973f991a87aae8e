// SPDX-License-Identifier: Apache-2.0
import type { PostgresConnection } from '@clyra/adapter-postgres/connection-settings';
import { openSqlClient } from '@clyra/adapter-postgres/sql-client';
import { ClyraError } from '@clyra/core/kernel/error';
import { readIfThere, writeWhole } from '@clyra/runtime/whole-file';

/** One entry of the recorder's sources.json: a PostgreSQL database. */
export type SourceEntry = {
  readonly kind?: 'postgres';
  readonly source_id: string;
  readonly tenant: string;
  readonly connection: {
    readonly host: string;
    readonly port: number;
    readonly database: string;
    readonly user: string;
    readonly password?: string;
  };
  readonly slot: string;
  readonly publication: string;
  /** `schema.table` of every table whose changes must come through the gateway. */
  readonly guarded: readonly string[];
  /** PostgreSQL 13 and 14 are read only with this. */
  readonly allow_best_effort?: true;
};

/** One entry of the recorder's sources.json: a warehouse. */
export type WarehouseEntry = {
  readonly kind: 'snowflake' | 'databricks';
  readonly source_id: string;
  readonly tenant: string;
  readonly connection: Readonly<Record<string, string | number>>;
  readonly guarded: readonly string[];
  readonly redemptions?: string;
  readonly access_history?: false;
};

export async function readSources(path: string): Promise<readonly (SourceEntry | WarehouseEntry)[]> {
  const bytes = await readIfThere(path);
  return bytes === undefined ? [] : (JSON.parse(bytes.toString('utf8')) as readonly (SourceEntry | WarehouseEntry)[]);
}

/** Adds or replaces the entry of this tenant and source. The file may hold passwords: only its owner can read it. */
export async function putSource(path: string, entry: SourceEntry | WarehouseEntry): Promise<void> {
  const others = (await readSources(path)).filter(
    ({ tenant, source_id: sourceId }) => tenant !== entry.tenant || sourceId !== entry.source_id,
  );
  await writeWhole(path, `${JSON.stringify([...others, entry], undefined, 2)}\n`, 0o600);
}

/** `postgres://user:password@host:port/database`. Throws CLY_CLI_ARGUMENT, which never repeats the password. */
export function connectionOf(text: string): SourceEntry['connection'] {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const database = decodeURIComponent(url?.pathname.slice(1) ?? '');
  if (url === undefined || !/^postgres(?:ql)?:$/.test(url.protocol) || url.username === '' || database === '') {
    throw new ClyraError('CLY_CLI_ARGUMENT', 'write the source as postgres://user:password@host:port/database', {
      retry: 'never',
    });
  }
  return {
    host: url.hostname,
    port: url.port === '' ? 5432 : Number(url.port),
    database,
    user: decodeURIComponent(url.username),
    ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
  };
}

/** What the registration hashes as the database's name. */
export function identityText({ host, port, database }: SourceEntry['connection']): string {
  return `postgres://${host}:${port}/${database}`;
}

const SYSTEM_ID_SQL = 'select system_identifier::text as "systemId" from pg_catalog.pg_control_system()';

/** Rejects as SqlClient does where the server does not answer. */
export async function readSystemId(connection: PostgresConnection): Promise<string> {
  const client = openSqlClient({ connection, connectionsMax: 1 });
  try {
    const { rows } = await client.query<{ systemId: string }>(SYSTEM_ID_SQL);
    return rows[0]?.systemId ?? '';
  } finally {
    await client.close();
  }
}
