// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import type { PostgresConnection } from '@clyra/adapter-postgres/connection-settings';
import { openSqlClient } from '@clyra/adapter-postgres/sql-client';
import { clientEnvironment, clientProgram, connectionArguments } from './client-programs.ts';

export type DatabaseLoad = {
  /** What writes: `pgbench`, or `sql` where the host has none. */
  readonly writer: 'pgbench' | 'sql';
  stop(): Promise<void>;
};

export type LoadOptions = {
  readonly database: PostgresConnection;
  /** For the scripts. */
  readonly folder: string;
  readonly transactionsPerSecond: number;
};

const CLIENT_COUNT = 4;
const ROW = `insert into public.activations (event_id, subject, content) values ('', 'load', '{"a": 1}')`;
const CLAIM = `select pg_logical_emit_message(true, 'clyra', 'forged-' || gen_random_uuid())`;

/** What the load is made of. Rolled back and unguarded transactions must leave no trace in the observations. */
const SCRIPTS: readonly { readonly name: string; readonly weight: number; readonly statements: readonly string[] }[] = [
  { name: 'plain', weight: 5, statements: [ROW] },
  { name: 'claimed', weight: 3, statements: ['begin', CLAIM, ROW, 'commit'] },
  {
    name: 'mixed',
    weight: 1,
    statements: [
      'begin',
      ROW,
      ROW,
      `update public.activations set subject = 'changed' where id = currval('public.activations_id_seq')`,
      `delete from public.activations where id = currval('public.activations_id_seq') - 1 and subject = 'load'`,
      'commit',
    ],
  },
  { name: 'rolled-back', weight: 1, statements: ['begin', CLAIM, ROW, 'rollback'] },
  { name: 'unguarded', weight: 1, statements: ['insert into public.diary (line) values (1)'] },
];

/** The table of the load that no policy guards. */
export const UNGUARDED_TABLE = 'create table if not exists public.diary (id bigserial primary key, line int not null)';

/** Writes at a steady rate until it is stopped. */
export async function startDatabaseLoad(options: LoadOptions): Promise<DatabaseLoad> {
  const program = clientProgram('pgbench');
  return program === undefined ? startLanes(options) : startPgbench(program, options);
}

async function startPgbench(program: string, options: LoadOptions): Promise<DatabaseLoad> {
  const { database, folder, transactionsPerSecond } = options;
  const files: string[] = [];
  for (const { name, weight, statements } of SCRIPTS) {
    const file = join(folder, `${name}.sql`);
    await writeFile(file, statements.map((statement) => `${statement};\n`).join(''));
    files.push('-f', `${file}@${weight}`);
  }
  const size = ['-c', String(CLIENT_COUNT), '-j', '1', '-R', String(transactionsPerSecond), '-T', '3600'];
  const args = ['-n', ...files, ...size, ...connectionArguments(database), database.database];
  const child = spawn(program, args, { env: clientEnvironment(database), stdio: ['ignore', 'ignore', 'pipe'] });
  const said = text(child.stderr);
  const exited = once(child, 'exit');
  return {
    writer: 'pgbench',
    stop: async () => {
      if (child.exitCode !== null) throw new Error(`pgbench ended too early: ${await said}`);
      child.kill('SIGINT');
      await exited;
    },
  };
}

/** The same transactions over the driver. */
function startLanes({ database, transactionsPerSecond }: LoadOptions): DatabaseLoad {
  const client = openSqlClient({ connection: database, connectionsMax: CLIENT_COUNT });
  const pauseMs = (1_000 * CLIENT_COUNT) / transactionsPerSecond;
  const choices = SCRIPTS.flatMap((script) => Array.from({ length: script.weight }, () => script.statements));
  let running = true;
  const lane = async (index: number): Promise<void> => {
    for (let turn = index; running; turn += CLIENT_COUNT) {
      await client.query((choices[turn % choices.length] ?? []).join('; '));
      await pause(pauseMs);
    }
  };
  const lanes = Promise.all(Array.from({ length: CLIENT_COUNT }, (_, index) => lane(index)));
  return {
    writer: 'sql',
    stop: async () => {
      running = false;
      await lanes;
      await client.close();
    },
  };
}
