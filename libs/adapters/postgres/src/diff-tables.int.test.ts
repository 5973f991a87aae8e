// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ComparedTables, type DiffRequest, diffTables } from './diff-tables.ts';
import { openSqlClient, type SqlClient } from './sql-client.ts';
import { type ScratchPostgres, startScratchPostgres } from './test-support/scratch-postgres.ts';

/** The measurement of the issue asks for a million. */
const ROWS = Number(process.env['CLYRA_DIFF_ROWS'] ?? 20_000);

let server: ScratchPostgres;
let sql: SqlClient;
let major: number;

beforeAll(async () => {
  server = await startScratchPostgres({ shared_buffers: '256MB' });
  sql = openSqlClient({ connection: server.connection });
  await sql.query(`create table a (id int primary key, name text, amount numeric, at timestamptz);
    insert into a select g, 'row ' || g, g * 1.5, '2026-01-01Z'::timestamptz + g * interval '1 s' from generate_series(1, ${ROWS}) g;
    create table b (like a including all); insert into b select * from a`);
  await sql.query(`update b set amount = amount + 1 where id = 7; update b set name = null, at = at + interval '1 us' where id = 11;
    delete from b where id = 13; insert into b values (${ROWS + 1}, 'new', 1, now())`);
  await sql.query('analyze a, b');
  const { rows } = await sql.query<{ major: number }>(
    `select current_setting('server_version_num')::int / 10000 as major`,
  );
  major = rows[0]?.major ?? 0;
}, 120_000);

afterAll(async () => {
  await sql.close();
  await server.stop();
});

const compare = (before: string, after: string, overrides: Partial<DiffRequest> = {}): Promise<ComparedTables> =>
  diffTables({
    clients: [sql, sql],
    relations: [
      { schema: 'public', name: before },
      { schema: 'public', name: after },
    ],
    name: 'public.t',
    keysMax: 20,
    rowsMax: 100_000,
    withColumnSums: false,
    asText: false,
    showKey: (key) => key,
    ...overrides,
  });

describe('the difference of two tables of PostgreSQL', () => {
  it.each([false, true])(
    'is found exactly, by native hashes and by text alike (as text: %s)',
    async (asText) => {
      const startedMs = performance.now();
      const diff = await compare('a', 'b', { asText });
      if (process.env['CLYRA_SHOW_TIMES'] === '1') {
        process.stdout.write(`diff of ${ROWS} rows (${diff.hash}): ${(performance.now() - startedMs).toFixed(0)} ms\n`);
      }
      expect(diff).toMatchObject({
        equal: false,
        // 13 has no hash of records.
        hash: asText || major < 14 ? 'text' : 'native',
        key: ['id'],
        rows: { before: ROWS, after: ROWS, delta: 0 },
        added: { count: 1, keys: [String(ROWS + 1)] },
        removed: { count: 1, keys: ['13'] },
        changed: { count: 2, keys: ['11', '7'] },
        columns: [
          { name: 'name', rows: 1 },
          { name: 'amount', rows: 1 },
          { name: 'at', rows: 1 },
        ],
        uncompared: [],
        retyped: [],
      });
    },
    60_000,
  );

  it('is nothing where the rows are the same in another order', async () => {
    await sql.query('create table c (like a including all); insert into c select * from a order by id desc');
    const diff = await compare('a', 'c', { withColumnSums: true });
    expect(diff).toMatchObject({ equal: true, buckets: { differing: 0 }, added: { count: 0 }, changed: { count: 0 } });
    expect(diff.sums?.map(({ name }) => name)).toEqual(['id', 'name', 'amount', 'at']);
    expect(diff.sums?.every(({ before, after }) => before === after && before !== '0')).toBe(true);
    const sums = (await compare('a', 'b', { withColumnSums: true })).sums?.map(({ before, after }) => before === after);
    expect(sums).toEqual([false, false, false, false]);
  });

  it('counts repeated rows of a table without a key', async () => {
    await sql.query(`create table d as select * from (values (1, 'x'), (1, 'x'), (2, 'y')) v(n, t);
      create table e as select * from (values (1, 'x'), (2, 'y'), (2, 'y'), (3, 'z')) v(n, t)`);
    expect(await compare('d', 'e')).toMatchObject({
      key: [],
      added: { count: 2 },
      removed: { count: 1 },
      changed: { count: 0 },
    });
  });

  it('says what it did not compare, and compares retyped columns and types without a hash as text', async () => {
    await sql.query(`create table f (id int primary key, n int, j json, p point, only_f int);
      create table g (id int primary key, n bigint, j json, p point, only_g int);
      insert into f values (1, 1, '{"a": 1}', '(1,2)', 1), (2, 2, null, null, 1);
      insert into g values (1, 1, '{"a": 1}', '(1,2)', 2), (2, 2, '{}', null, 2)`);
    expect(await compare('f', 'g')).toMatchObject({
      changed: { count: 1, keys: ['2'] },
      columns: [{ name: 'j', rows: 1 }],
      uncompared: [
        { name: 'only_f', side: 'before' },
        { name: 'only_g', side: 'after' },
      ],
      retyped: [{ name: 'n', before: 'integer', after: 'bigint' }],
    });
  });

  it('handles names and keys that need quotation marks, and says what is not there', async () => {
    await sql.query(`create table "q""1" ("a b" text, "c'd" int, primary key ("a b", "c'd"));
      create table "q""2" (like "q""1" including all);
      insert into "q""1" values ('x,y', 1), ('(', 2); insert into "q""2" values ('x,y', 1), ('"', 2)`);
    expect(await compare('q"1', 'q"2')).toMatchObject({
      added: { keys: ['("""",2)'] },
      removed: { keys: ['("(",2)'] },
    });
    await expect(compare('a', 'nowhere')).rejects.toMatchObject({ code: 'CLY_DIFF_RELATION' });
    await expect(compare('a', 'd')).rejects.toMatchObject({ code: 'CLY_DIFF_COLUMNS' });
  });
});
