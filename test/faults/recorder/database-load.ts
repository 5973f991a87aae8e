// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import type { PostgresConnection } from '@clyra/adapter-postgres/connection-settings';
import { openSqlClient, type SqlClient } from '@clyra/adapter-postgres/sql-client';
import { ClyraError } from '@clyra/core/kernel/error';
import { clientEnvironment, clientProgram, connectionArguments } from './client-programs.ts';

export type DatabaseLoad = {
  /** What writes: `pgbench`, or `sql` where the host has none. */
  readonly writer: 'pgbench' | 'sql';
  /** How often the database was gone under it. */
  readonly cutCount: () => number;
  stop(): Promise<void>;
};

export type LoadOptions = {
  readonly database: PostgresConnection;
  /** For the scripts. */
  readonly folder: string;
  readonly transactionsPerSecond: number;
};

const CLIENT_COUNT = 4;
const ORDER = 'select public.do_next()';
/** A database that stays away, or a script that cannot run, is no load. */
const CUTS_MAX = 100;
const AWAY_MS = 200;

/** What the load is made of. Rolled back and unguarded transactions must leave no trace in the observations. */
const SCRIPTS: readonly { readonly name: string; readonly weight: number; readonly statements: readonly string[] }[] = [
  { name: 'order', weight: 10, statements: [ORDER] },
  { name: 'rolled-back', weight: 1, statements: ['begin', ORDER, 'rollback'] },
  { name: 'unguarded', weight: 1, statements: ['insert into public.diary (line) values (1)'] },
];

/** The table of the load that no policy guards. */
export const UNGUARDED_TABLE = 'create table if not exists public.diary (id bigserial primary key, line int not null)';

/** Writes at a steady rate until it is stopped, also after the database was gone. */
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
  let cuts = 0;
  let said = '';
  const start = () => spawn(program, args, { env: clientEnvironment(database), stdio: ['ignore', 'ignore', 'pipe'] });
  const stopping = new AbortController();
  const runs = (async () => {
    while (!stopping.signal.aborted && cuts <= CUTS_MAX) {
      const child = start();
      const end = (): unknown => child.kill('SIGINT');
      stopping.signal.addEventListener('abort', end, { once: true });
      [said] = await Promise.all([text(child.stderr), once(child, 'exit')]);
      stopping.signal.removeEventListener('abort', end);
      if (stopping.signal.aborted) return;
      cuts += 1;
      await pause(AWAY_MS);
    }
  })();
  return {
    writer: 'pgbench',
    cutCount: () => cuts,
    stop: async () => {
      stopping.abort();
      await runs;
      if (cuts > CUTS_MAX) throw new Error(`pgbench cannot run: ${said}`);
    },
  };
}

/** The same transactions over the driver. */
function startLanes({ database, transactionsPerSecond }: LoadOptions): DatabaseLoad {
  const client = openSqlClient({ connection: database, connectionsMax: CLIENT_COUNT });
  const pauseMs = (1_000 * CLIENT_COUNT) / transactionsPerSecond;
  const choices = SCRIPTS.flatMap((script) => Array.from({ length: script.weight }, () => script.statements));
  let running = true;
  let cuts = 0;
  const lane = async (index: number): Promise<void> => {
    for (let turn = index; running && cuts <= CUTS_MAX * CLIENT_COUNT; turn += CLIENT_COUNT) {
      const isCut = await cutShort(client, (choices[turn % choices.length] ?? []).join('; '));
      if (isCut) cuts += 1;
      await pause(isCut ? AWAY_MS : pauseMs);
    }
  };
  const lanes = Promise.all(Array.from({ length: CLIENT_COUNT }, (_, index) => lane(index)));
  return {
    writer: 'sql',
    cutCount: () => cuts,
    stop: async () => {
      running = false;
      await lanes;
      await client.close();
    },
  };
}

async function cutShort(client: SqlClient, statements: string): Promise<boolean> {
  try {
    await client.query(statements);
    return false;
  } catch (error) {
    if (error instanceof ClyraError) return true;
    throw error;
  }
}
