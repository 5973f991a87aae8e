// SPDX-License-Identifier: Apache-2.0
// Two tables of a million rows that differ in a few: `clyra diff tables` and reladiff's two algorithms, each as a whole
// process, by turns, on one server; the answers must be the same. And all that differs between two states of the
// demonstration's upstream. Options: --quick (50,000 rows), --rounds N, --json FILE.

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { openSqlClient } from '@clyra/adapter-postgres/sql-client';
import { startScratchPostgres } from '@clyra/adapter-postgres/test-support/scratch-postgres';
import { createDemoStates, diffDemo, differing } from './src/measure/demo-diff.ts';
import { benchOptions } from './src/options.ts';
import { Reladiff } from './src/peers/reladiff.ts';
import { spreadFigure } from './src/report/figures.ts';
import { limitsTable } from './src/report/limits.ts';
import { machineLine, thisMachine } from './src/report/machine.ts';
import { textTable } from './src/report/text-table.ts';
import { spreadOf } from './src/statistics.ts';

const CLYRA = new URL('../../cli/bin/clyra', import.meta.url).pathname;
const ROWS = { full: 1_000_000, quick: 50_000 };
const ALGORITHMS = ['joindiff', 'hashdiff'] as const;
const TABLES = ['public.before', 'public.after'] as const;
const DEMO = 'the demonstration: 2 snapshots, 2 diffs';
const run = promisify(execFile);

const say = (line: string): void => void process.stderr.write(`  ${line}\n`);
const print = (text: string): void => void process.stdout.write(`${text}\n`);

/** What differs, each list ascending: a changed row counts as taken away and put there. */
type Answer = { readonly added: readonly string[]; readonly removed: readonly string[] };
type Report = Readonly<Record<'added' | 'removed' | 'changed', { readonly keys: readonly string[] }>>;

const TABLES_SQL = (rows: number): string => `
  create table before (id bigint primary key, name text not null, amount numeric(12, 2) not null, at timestamptz not null);
  insert into before select g, md5(g::text), (g % 1000) / 7.0, timestamptz '2026-01-01' + g * interval '1 second'
    from generate_series(1, ${rows}) g;
  create table after (like before including all);
  insert into after select * from before;
  update after set amount = amount + 1 where id in (17, ${Math.floor(rows / 2)});
  delete from after where id = ${rows - 5};
  insert into after values (${rows + 1}, 'new', 1, now());
  vacuum analyze before; vacuum analyze after`;

async function startClyra(): Promise<undefined> {
  await run(CLYRA, ['diff', '--help']);
  return undefined;
}

async function clyra(url: string, dataDir: string): Promise<Answer> {
  const asked = ['diff', 'tables', '--tenant', 'acme', '--show-keys', '--table', TABLES.join('='), '--before', url];
  const args = ['--data-dir', dataDir, '--json', ...asked];
  const { tables } = JSON.parse(await differing(CLYRA, args)) as { readonly tables: readonly [Report] };
  const [{ added, removed, changed }] = tables;
  const both = (one: { readonly keys: readonly string[] }): string[] => [...one.keys, ...changed.keys].sort();
  return { added: both(added), removed: both(removed) };
}

const options = benchOptions(process.argv.slice(2));
const rows = options.quick ? ROWS.quick : ROWS.full;
const machine = thisMachine();
print(`${machineLine(machine)}\n${options.rounds} rounds, two tables of ${rows} rows of 4 columns, 4 of them differ\n`);
const reladiff = await Reladiff.open(say);
const server = await startScratchPostgres({ shared_buffers: '256MB' });
const dataDir = mkdtempSync(join(tmpdir(), 'clyra-bench-diff-'));
try {
  const sql = openSqlClient({ connection: server.connection, timeouts: { statementTimeoutMs: 300_000 } });
  for (const statement of TABLES_SQL(rows).split(';')) await sql.query(statement);
  await sql.close();
  const { host, port, user, database } = server.connection;
  const url = `postgresql://${user}:none@${host}:${port}/${database}`;
  const demo = await createDemoStates(server.connection);
  const contenders: Readonly<Record<string, () => Promise<Answer | undefined>>> = {
    'clyra diff tables': () => clyra(url, dataDir),
    ...Object.fromEntries(ALGORITHMS.map((name) => [`reladiff ${name}`, () => reladiff.diff(url, TABLES, name)])),
    // What a process needs before it asks the database anything.
    'clyra diff --help': startClyra,
    'reladiff --version': async () => void (await reladiff.start()),
    [DEMO]: async () => void (await diffDemo(CLYRA, demo, dataDir)),
  };
  const times = new Map<string, number[]>(Object.keys(contenders).map((name) => [name, []]));
  const answers = new Set<string>();
  // The first round warms the caches of both server and files.
  for (let round = 0; round <= options.rounds; round += 1) {
    for (const [name, ask] of Object.entries(contenders)) {
      const beganMs = performance.now();
      const answer = await ask();
      if (answer !== undefined) answers.add(JSON.stringify(answer));
      if (round > 0) times.get(name)?.push(performance.now() - beganMs);
    }
  }
  const spreads = [...times].map(([name, taken]) => ({ name, spread: spreadOf(taken) }));
  print(
    textTable(
      ['whole process, ms', 'median (lowest–highest)'],
      spreads.map(({ name, spread }) => [name, spreadFigure(spread)]),
    ),
  );
  print(`\nanswers: ${answers.size === 1 ? 'all the same' : [...answers].join('\n  and ')}`);
  const medianOf = (name: string): number =>
    times.get(name)?.length ? spreadOf(times.get(name) ?? []).median : Number.NaN;
  const ours = medianOf('clyra diff tables');
  const theirs = Math.min(...ALGORITHMS.map((name) => medianOf(`reladiff ${name}`)));
  const [ourStart, theirStart] = [medianOf('clyra diff --help'), medianOf('reladiff --version')];
  const limits = [
    { name: "whole process ÷ reladiff's faster algorithm", measured: ours / theirs },
    { name: 'the same without their starts', measured: (ours - ourStart) / (theirs - theirStart) },
  ];
  const better = 'lower';
  const ratios = limits.map((one) => ({ ...one, limit: 1, aim: 0.8, better, unit: '' }) as const);
  const demoLimit = { name: DEMO, measured: medianOf(DEMO) / 1_000, limit: 2, aim: 2, better, unit: 's' } as const;
  print(`\n${limitsTable([...ratios, demoLimit])}`);
  if (answers.size !== 1) process.exitCode = 1;
  if (options.jsonFile !== undefined) writeFileSync(options.jsonFile, JSON.stringify({ machine, rows, spreads }));
} finally {
  rmSync(dataDir, { recursive: true, force: true });
  await server.stop();
}
