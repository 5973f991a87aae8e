// SPDX-License-Identifier: Apache-2.0
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { PostgresConnection } from '@clyra/adapter-postgres/connection-settings';
import { fingerprintTables } from '@clyra/adapter-postgres/fingerprint-tables';
import { openSqlClient } from '@clyra/adapter-postgres/sql-client';
import type { RelationName } from '@clyra/adapter-postgres/sql-identifier';
import { type Digest, digestOf } from '@clyra/core/canonical/digest';
import { ClyraError } from '@clyra/core/kernel/error';
import { columnDigest, encodeReplayKit, type ReplayKit, readReplayKit } from '@clyra/core/replay/replay-kit';
import type { Context } from '../context.ts';
import { secretFile, tenantSecret } from '../local/secret-file.ts';
import { writeWhole } from '../local/write-file.ts';

export type KitOrder = Pick<ReplayKit, 'tenant' | 'source_id' | 'sequences' | 'targets'> & {
  /** SQL texts that make the state before the first change, in order. */
  readonly base: readonly Uint8Array[];
  readonly tables: readonly RelationName[];
  /** The database as it is after the last change. */
  readonly connection: PostgresConnection;
  /** Gets the base and the kit by digest. */
  readonly artifacts: string;
};

/** Writes down what a data replay needs (docs/spec/statements.md §2.2); returns the file and digest of the kit. */
export async function makeKit(context: Context, order: KitOrder): Promise<{ readonly file: string; digest: Digest }> {
  const { tenant, source_id, sequences, targets, tables } = order;
  await mkdir(order.artifacts, { recursive: true });
  const base: Digest[] = [];
  for (const bytes of order.base) base.push(await keepByDigest(order.artifacts, bytes));
  const kit: ReplayKit = {
    format: 'clyra/replay-kit/v0',
    tenant,
    source_id,
    base,
    schemas: [...new Set(tables.map(({ schema }) => schema))].sort(),
    search_path: [...new Set(tables.map(({ schema }) => schema))],
    sequences,
    targets,
    expected: await expectedOf(context, order),
  };
  const bytes = encodeReplayKit(kit);
  readReplayKit(bytes);
  const digest = await keepByDigest(order.artifacts, bytes);
  return { file: join(order.artifacts, digest), digest };
}

/** Writes the bytes into the folder under their digest, where a replay looks for them. */
export async function keepByDigest(folder: string, bytes: Uint8Array): Promise<Digest> {
  const digest = digestOf(bytes);
  await writeWhole(join(folder, digest), bytes);
  return digest;
}

async function expectedOf(context: Context, order: KitOrder): Promise<ReplayKit['expected']> {
  const key = await tenantSecret(context, secretFile(context, `snapshot-${order.tenant}`));
  const connection = { ...order.connection, applicationName: 'clyra-cli' };
  const client = openSqlClient({ connection, connectionsMax: 1 });
  try {
    const found = await fingerprintTables(client, order.tables);
    return order.tables.map(({ schema, name }) => {
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
  } finally {
    await client.close();
  }
}
