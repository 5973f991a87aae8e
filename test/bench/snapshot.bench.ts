// SPDX-License-Identifier: Apache-2.0
// The metadata of a hundred tables: on a new connection each time (cold) and on a warm one, and beside it what pg_dump
// needs for the same schema and what connecting alone costs. Options: --quick, --rounds N, --json FILE.

import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { promisify } from 'node:util';
import { openSqlClient, type SqlClient } from '@clyra/adapter-postgres/sql-client';
import { takeSnapshot } from '@clyra/adapter-postgres/take-snapshot';
import { startScratchPostgres } from '@clyra/adapter-postgres/test-support/scratch-postgres';
import { readSnapshotPolicy } from '@clyra/core/snapshot/read-snapshot';
import { findProgram } from '@clyra/stack/process/find-program';
import { hostEnvironment } from '@clyra/stack/stack-config';
import { benchOptions } from './src/options.ts';
import { spreadFigure } from './src/report/figures.ts';
import { limitsTable } from './src/report/limits.ts';
import { machineLine, thisMachine } from './src/report/machine.ts';
import { textTable } from './src/report/text-table.ts';
import { spreadOf } from './src/statistics.ts';

const TABLE_COUNT = 100;
const RUNS = { full: 40, quick: 8 };
const KEY = Buffer.alloc(32, 1);
const COLUMNS = `id bigint primary key, name text not null, rank int default 3, amount numeric(10, 2),
  at timestamptz default now(), document jsonb, flag boolean, tags text[], code uuid, day date check (day > '2000-01-01')`;
const run = promisify(execFile);

const options = benchOptions(process.argv.slice(2));
const runs = options.quick ? RUNS.quick : RUNS.full;
const machine = thisMachine();
const print = (text: string): void => void process.stdout.write(`${text}\n`);
print(`${machineLine(machine)}\n${runs} runs by turns; ${TABLE_COUNT} tables of 10 columns and 3 indexes\n`);

const server = await startScratchPostgres();
const { connection } = server;
const open = (): SqlClient => openSqlClient({ connection, connectionsMax: 2 });
const warm = open();
try {
  for (let index = 0; index < TABLE_COUNT; index += 1) {
    await warm.query(`create table t${index} (${COLUMNS}); create index on t${index} (name);
      create index on t${index} (rank, amount)`);
  }
  await warm.query('analyze');
  const request = { tenant: 'acme', sourceId: null, dsn: 'x', key: KEY, policy: readSnapshotPolicy({}) };
  const fresh = async (work: (client: SqlClient) => Promise<unknown>): Promise<void> => {
    const client = open();
    await work(client);
    // Ending takes no part in the answer.
    void client.close();
  };
  const dump = findProgram('pg_dump', hostEnvironment().path);
  const target = ['-h', connection.host, '-p', String(connection.port), '-U', connection.user, connection.database];
  const contenders: Readonly<Record<string, () => Promise<unknown>>> = {
    'snapshot, cold': () => fresh((client) => takeSnapshot(client, request)),
    'snapshot, warm': () => takeSnapshot(warm, request),
    'connect and select 1': () => fresh((client) => client.query('select 1')),
    ...(dump === undefined ? {} : { 'pg_dump --schema-only': () => run(dump, ['--schema-only', ...target]) }),
  };
  const times = new Map<string, number[]>(Object.keys(contenders).map((name) => [name, []]));
  // The first runs are the compilers' of Node.
  for (let round = -3; round < runs; round += 1) {
    for (const [name, work] of Object.entries(contenders)) {
      const beganMs = performance.now();
      await work();
      if (round >= 0) times.get(name)?.push(performance.now() - beganMs);
    }
  }
  const spreads = [...times].map(([name, taken]) => ({ name, spread: spreadOf(taken) }));
  print(
    textTable(
      ['ms', 'median (lowest–highest)'],
      spreads.map(({ name, spread }) => [name, spreadFigure(spread)]),
    ),
  );
  const [cold, hot] = spreads.map(({ spread }) => spread.median);
  const unit = 'ms';
  const limits = [
    { name: 'snapshot, cold', measured: cold ?? Number.NaN, limit: 50, aim: 40 },
    { name: 'snapshot, warm', measured: hot ?? Number.NaN, limit: 50, aim: 25 },
  ];
  print(`\n${limitsTable(limits.map((limit) => ({ ...limit, better: 'lower', unit })))}`);
  if (options.jsonFile !== undefined) writeFileSync(options.jsonFile, JSON.stringify({ machine, spreads }));
} finally {
  await warm.close();
  await server.stop();
}
