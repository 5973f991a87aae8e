// SPDX-License-Identifier: Apache-2.0
import type { SqlClient, SqlSession } from '@clyra/adapter-postgres/sql-client';
import { ACCOUNTS_TABLE, CRM_DDL, CRM_TABLES } from '@clyra/scenario-activation/crm-tables';

/** SQL that makes the demonstration's tables as they are now, where a replay of what comes next begins. */
export function demoBase(client: SqlClient): Promise<string> {
  return client.transaction(async (session) => {
    await session.query(`set local datestyle = 'ISO'; set local timezone = 'UTC'`);
    const texts: string[] = [CRM_DDL];
    for (const table of [...CRM_TABLES, ACCOUNTS_TABLE]) texts.push(...(await tableTexts(session, table)));
    return `${texts.join(';\n')};\n`;
  });
}

async function tableTexts(session: SqlSession, table: string): Promise<readonly string[]> {
  const found = await session.query<{ name: string }>(
    `select quote_ident(attname) as name from pg_attribute
     where attrelid = $1::text::regclass and attnum > 0 and not attisdropped order by attnum`,
    [`public.${table}`],
  );
  const columns = found.rows.map(({ name }) => name);
  const values = columns.map((column) => `quote_nullable(${column}::text)`).join(`, ', ', `);
  const { rows } = await session.query<{ row: string }>(
    `select concat(${values}) as row from public.${table} order by id`,
  );
  const insert = `insert into public.${table} (${columns.join(', ')}) overriding system value values`;
  const sequence = await session.query<{ next: string }>(
    `select (last_value + is_called::int)::text as next from public.${table}_id_seq`,
  );
  return [
    ...(rows.length === 0 ? [] : [`${insert}\n${rows.map(({ row }) => `(${row})`).join(',\n')}`]),
    `alter table public.${table} alter column id restart with ${sequence.rows[0]?.next ?? '1'}`,
  ];
}
