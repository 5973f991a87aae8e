// SPDX-License-Identifier: Apache-2.0
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { PostgresConnection } from '@clyra/adapter-postgres/connection-settings';
import { fingerprintTables } from '@clyra/adapter-postgres/fingerprint-tables';
import { openSqlClient, type SqlClient } from '@clyra/adapter-postgres/sql-client';
import type { RelationName } from '@clyra/adapter-postgres/sql-identifier';
import type { Digest } from '@clyra/core/canonical/digest';
import { ClyraError } from '@clyra/core/kernel/error';
import { columnDigest, encodeReplayKit, type ReplayKit, readReplayKit } from '@clyra/core/replay/replay-kit';
import type { Context } from '../context.ts';
import { secretFile, tenantSecret } from '../local/secret-file.ts';
import { type DbtRun, dbtKit, tablesOf } from './dbt-kit.ts';
import { keepByDigest } from './keep-by-digest.ts';

export type KitOrder = Pick<ReplayKit, 'tenant' | 'source_id' | 'sequences' | 'targets'> & {
  /** SQL texts that make the state before the first change, in order. */
  readonly base: readonly Uint8Array[];
  readonly tables: readonly RelationName[];
  /** The database as it is after the last change. */
  readonly connection: PostgresConnection;
  readonly dbt?: DbtRun;
  /** Gets the base and the kit by digest. */
  readonly artifacts: string;
};

export type MadeKit = { readonly file: string; readonly digest: Digest; readonly tableCount: number };

/** Writes down what a data replay needs (docs/spec/statements.md §2.2); returns the file of the kit. */
export async function makeKit(context: Context, order: KitOrder): Promise<MadeKit> {
  const { tenant, source_id, sequences, targets, dbt, artifacts } = order;
  const tables = distinct([...order.tables, ...(dbt === undefined ? [] : tablesOf(dbt))]);
  await mkdir(artifacts, { recursive: true });
  const base: Digest[] = [];
  for (const bytes of order.base) base.push(await keepByDigest(artifacts, bytes));
  const client = openSqlClient({
    connection: { ...order.connection, applicationName: 'clyra-cli' },
    connectionsMax: 1,
  });
  const [expected, ofRun] = await Promise.all([
    expectedOf(context, client, { tenant, tables }),
    dbt === undefined ? undefined : dbtKit(dbt, client, artifacts),
  ]).finally(() => client.close());
  const kit: ReplayKit = {
    format: 'clyra/replay-kit/v0',
    tenant,
    source_id,
    base,
    schemas: [...new Set(tables.map(({ schema }) => schema))].sort(),
    search_path: [...new Set(tables.map(({ schema }) => schema))],
    sequences,
    targets,
    expected,
    ...(ofRun === undefined ? {} : { dbt: ofRun }),
  };
  const bytes = encodeReplayKit(kit);
  readReplayKit(bytes);
  const digest = await keepByDigest(artifacts, bytes);
  return { file: join(artifacts, digest), digest, tableCount: tables.length };
}

type Expecting = Pick<KitOrder, 'tenant' | 'tables'>;

async function expectedOf(
  context: Context,
  client: SqlClient,
  { tenant, tables }: Expecting,
): Promise<ReplayKit['expected']> {
  const key = await tenantSecret(context, secretFile(context, `snapshot-${tenant}`));
  const found = await fingerprintTables(client, tables);
  return tables.map(({ schema, name }) => {
    const relation = `${schema}.${name}`;
    const print = found.get(relation);
    if (print === undefined) {
      throw new ClyraError('CLY_CLI_ARGUMENT', `there is no table ${relation}`, { retry: 'never' });
    }
    const columns = [...print.sums].map(([column, sum]) => ({
      name: column,
      digest: columnDigest(key, { relation, column, sum }),
    }));
    return { schema, name, rows: print.rows, columns };
  });
}

function distinct(tables: readonly RelationName[]): readonly RelationName[] {
  return [...new Map(tables.map((table) => [`${table.schema}.${table.name}`, table])).values()];
}
