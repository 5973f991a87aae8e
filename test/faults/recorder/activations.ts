// SPDX-License-Identifier: Apache-2.0
import type { SqlClient } from '@clyra/adapter-postgres/sql-client';

export type Activation = { readonly subject: string; readonly eventId?: string; readonly token?: string };

/** Writes one row in a transaction of its own, with the token where there is one. Returns the transaction's id. */
export function insertActivation(sql: SqlClient, { subject, eventId = '', token }: Activation): Promise<string> {
  return sql.transaction(async (session) => {
    if (token !== undefined) await session.query("select pg_logical_emit_message(true, 'clyra', $1)", [token]);
    const { rows } = await session.query<{ xid: string }>(
      `insert into public.activations (event_id, subject, content) values ($1, $2, '{}')
       returning pg_current_xact_id()::text as xid`,
      [eventId, subject],
    );
    return rows[0]?.xid ?? '';
  });
}
