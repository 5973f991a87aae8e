// SPDX-License-Identifier: Apache-2.0
import type { PostgresConnection } from '@clyra/adapter-postgres/connection-settings';
import { openSqlClient } from '@clyra/adapter-postgres/sql-client';

/** Writes one row straight into a guarded table, as somebody with the database's password could. Returns its time there. */
export async function writeBehindTheGateway(database: PostgresConnection): Promise<number> {
  const client = openSqlClient({ connection: { ...database, applicationName: 'psql' }, connectionsMax: 1 });
  try {
    const { rows } = await client.query<{ at: string }>(
      `insert into public.refunds (event_id, subject, content)
       values ('', 'refund', '{"payee": "P-6666", "amount_cents": 9900000}')
       returning (extract(epoch from clock_timestamp()) * 1000)::bigint::text as at`,
    );
    return Number(rows[0]?.at);
  } finally {
    await client.close();
  }
}
