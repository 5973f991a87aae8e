// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { PostgresConnection } from '@clyra/adapter-postgres/connection-settings';
import { openSqlClient } from '@clyra/adapter-postgres/sql-client';
import { ACCOUNTS_TABLE, AGENT_TABLE, CRM_TABLES, createCrmTables } from '@clyra/scenario-activation/crm-tables';
import { activations } from '@clyra/scenario-activation/payloads';

const run = promisify(execFile);
const STATES = ['demo_before', 'demo_after'] as const;
/** What happens to the demonstration's upstream between its two states: data behind the gateway, and one new column. */
const AFTERWARDS = `insert into activations (event_id, subject, content) values ('bypass', 'mallory', '{}');
  update activations set subject = 'mallory' where id = 7;
  delete from activations where id = 8;
  alter table accounts add column discount_cents bigint`;

/** The demonstration's upstream with its 329 activations, before and after; one database of `connection`'s server each. */
export async function createDemoStates(connection: PostgresConnection): Promise<readonly [string, string]> {
  const main = openSqlClient({ connection });
  for (const database of STATES) await main.query(`create database ${database}`);
  await main.close();
  for (const database of STATES) {
    const client = openSqlClient({ connection: { ...connection, database } });
    await client.transaction(createCrmTables);
    const rows = activations().map(({ event, record }, index) => ({
      event_id: String(index),
      subject: event,
      content: record,
    }));
    await client.query(
      `insert into activations (event_id, subject, content, received_at)
         select event_id, subject, content, timestamptz '2026-01-01' from json_to_recordset($1)
           as row(event_id text, subject text, content jsonb)`,
      [JSON.stringify(rows)],
    );
    if (database === STATES[1]) for (const statement of AFTERWARDS.split(';')) await client.query(statement);
    await client.close();
  }
  const { host, port, user } = connection;
  const [before, after] = STATES.map((database) => `postgresql://${user}:none@${host}:${port}/${database}`);
  return [before ?? '', after ?? ''];
}

/** A snapshot of each state, the drift of the schema, and the rows that differ: four processes, as a person runs them. */
export async function diffDemo(clyra: string, urls: readonly [string, string], dataDir: string): Promise<string> {
  const files = ['before.json', 'after.json'].map((name) => join(dataDir, name));
  const tenant = ['--tenant', 'acme'];
  for (const [index, url] of urls.entries()) {
    await run(clyra, ['--data-dir', dataDir, 'snapshot', ...tenant, '--url', url, '--out', files[index] ?? '']);
  }
  const tables = [...CRM_TABLES, AGENT_TABLE, ACCOUNTS_TABLE].map((name) => `public.${name}`);
  const sides = ['--before', urls[0], '--after', urls[1]];
  const schema = await differing(clyra, ['--data-dir', dataDir, '--json', 'diff', 'snapshots', ...files]);
  const asked = ['--data-dir', dataDir, '--json', 'diff', 'tables', ...tenant, ...sides, '--table', ...tables];
  return `${schema}\n${await differing(clyra, asked)}`;
}

/** What a `diff` that finds something prints. Throws where it finds nothing: something differs. */
export async function differing(clyra: string, args: readonly string[]): Promise<string> {
  const { code, stdout } = await run(clyra, args).then(
    () => ({ code: 0, stdout: '' }),
    (error: { readonly code: number; readonly stdout: string }) => error,
  );
  // Exit code 1 is the answer that something differs.
  if (code !== 1) throw new Error(`clyra ${args.join(' ')} ended with ${code}`);
  return stdout;
}
