// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { installGuard } from '@clyra/adapter-postgres/guard';
import { openSqlClient, type SqlClient } from '@clyra/adapter-postgres/sql-client';
import { createCrmTables } from '@clyra/scenario-activation/crm-tables';
import { POSTGRES_SUPERUSER } from '@clyra/stack/postgres/postgres';
import type { FaultWorld } from '../world/fault-world.ts';
import { UNGUARDED_TABLE } from './database-load.ts';
import { INBOX } from './inbox.ts';

const INSTALL_SQL = new URL('../../../integrations/postgres/sql/install.sql', import.meta.url);

/** The guard takes from everybody what this test's tokens are announced with: here it is the load that redeems. */
const MAY_ANNOUNCE = `do $$ declare announce regprocedure; begin
  for announce in select oid::regprocedure from pg_catalog.pg_proc where proname = 'pg_logical_emit_message' loop
    execute format('grant execute on function %s to crm', announce);
  end loop; end $$`;

export type Clients = { readonly sql: SqlClient; readonly admin: SqlClient };

/** Tables, inbox, and the guard in review: it announces schema changes and refuses nothing, so that there is something to find. */
export async function prepareDatabase(world: FaultWorld): Promise<Clients> {
  await world.makeDatabase();
  const sql = openSqlClient({ connection: world.database, connectionsMax: 4 });
  world.onClose(() => sql.close());
  const superuser = { ...world.database, user: POSTGRES_SUPERUSER };
  const admin = openSqlClient({ connection: superuser, connectionsMax: 1 });
  world.onClose(() => admin.close());
  await createCrmTables(sql);
  await sql.query(UNGUARDED_TABLE);
  await sql.query(INBOX);
  await installGuard(admin, {
    installSql: await readFile(INSTALL_SQL, 'utf8'),
    sourceId: 'crm',
    key: randomBytes(32),
    review: true,
    relations: [{ schema: 'public', name: 'activations' }],
    writers: ['crm'],
  });
  await admin.query(MAY_ANNOUNCE);
  return { sql, admin };
}
