// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { ClyraError } from '@clyra/core/kernel/error';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { fingerprintTables } from './fingerprint-tables.ts';
import { makeScratchDatabase, type ScratchDatabase } from './scratch-database.ts';
import { ScratchSession } from './scratch-session.ts';
import { openSqlClient, type SqlClient } from './sql-client.ts';
import { type ScratchPostgres, startScratchPostgres } from './test-support/scratch-postgres.ts';

const PROOF = '/tmp/clyra-replay-got-out';
const CANARY = { schema: 'public', name: 'canary' };

let server: ScratchPostgres;
let source: SqlClient;
let maintenance: SqlClient;
let scratch: ScratchDatabase;
let session: ScratchSession;

const request = (id: string) => ({
  admin: server.connection,
  id,
  password: 'scratch',
  schemas: ['public'],
  sizeBytesMax: 64 * 1_048_576,
  statementTimeoutMs: 5_000,
  deadlineMs: 120_000,
});
const run = (text: string): Promise<unknown> =>
  session.run(text, { clockMs: Date.UTC(2031, 1, 2, 3, 4, 5), searchPath: ['public'] });

async function stateOf(sql: string): Promise<string> {
  try {
    await run(sql);
    return 'done';
  } catch (error) {
    if (!(error instanceof ClyraError)) throw error;
    return String(error.context['sqlState'] ?? error.code);
  }
}

/** Everything of the source that an attack could have changed. */
async function sourcePrint(): Promise<string> {
  const prints = await fingerprintTables(source, [CANARY]);
  const { rows } = await source.query<{ text: string }>(
    `select concat_ws(' ', (select count(*) from pg_class where relnamespace = 'public'::regnamespace),
       (select count(*) from pg_proc where pronamespace = 'public'::regnamespace), (select count(*) from pg_extension),
       (select string_agg(rolname || rolsuper || rolcreaterole || coalesce(array_to_string(rolconfig, ','), ''), ',' order by rolname)
          from pg_roles where rolname not like 'clyra\\_replay\\_%'),
       (select count(*) from pg_stat_activity where datname = current_database()), (select count(*) from pg_db_role_setting)) as text`,
  );
  return JSON.stringify([...prints].map(([name, { rows: count, sums }]) => [name, count, [...sums]])) + rows[0]?.text;
}

beforeAll(async () => {
  server = await startScratchPostgres();
  maintenance = openSqlClient({ connection: server.connection, connectionsMax: 1 });
  await maintenance.query('create database source');
  await maintenance.query("create role app login password 'app'");
  source = openSqlClient({ connection: { ...server.connection, database: 'source' }, connectionsMax: 1 });
  await source.query(`create table public.canary (id int primary key, note text);
    insert into public.canary values (1, 'alive'); grant all on public.canary to public;
    create function public.open_door() returns text language sql security definer as 'select current_user::text'`);
  scratch = await makeScratchDatabase(request('hostile'));
  session = new ScratchSession(scratch, 5_000);
}, 120_000);

afterAll(async () => {
  await session?.close();
  await scratch?.close();
  await source?.close();
  await maintenance?.close();
  await server?.stop();
});

/** Ways out of a database, with the SQLSTATE by which PostgreSQL refuses each. */
const ATTACKS: readonly (readonly [what: string, state: string, sql: string])[] = [
  ['another role', '42501', 'set role postgres'],
  ['another role, by its reset', '42501', 'set session authorization postgres'],
  ['a role of the source', '42501', 'set role app'],
  ['its own attributes', '42501', 'alter role current_user superuser'],
  ['membership', '42501', 'grant pg_execute_server_program to current_user'],
  ['a new role', '42501', 'create role helper superuser'],
  ['another database', '0A000', 'select * from source.public.canary'],
  ['a new database', '42501', 'create database other template source'],
  ['dropping the source', '42501', 'drop database source'],
  ['settings of the source', '42501', "alter database source set search_path = 'evil'"],
  ['settings of the server', '42501', "alter system set archive_command = 'touch /tmp/x'"],
  ['dblink', '42501', 'create extension dblink'],
  ['postgres_fdw', '42501', 'create extension postgres_fdw'],
  ['file_fdw', '42501', 'create extension file_fdw'],
  ['a trusted extension', '42501', 'create extension hstore'],
  ['dblink without its extension', '42883', "select dblink('dbname=source', 'drop table canary')"],
  ['a foreign server', '42501', 'create foreign data wrapper w; create server s foreign data wrapper w'],
  ['a program', '42501', `copy (select 1) to program 'touch ${PROOF}'`],
  ['a program that is read', '42501', `create table p (t text); copy p from program 'touch ${PROOF}; echo x'`],
  ['a file of the server', '42501', `copy (select 1) to '${PROOF}'`],
  ['reading files', '42501', "select pg_catalog.pg_read_file('/etc/passwd')"],
  ['large objects as files', '42501', `select lo_export(lo_create(0), '${PROOF}')`],
  [
    'a C function',
    '42501',
    "create function c() returns int language c as '/lib/x86_64-linux-gnu/libc.so.6', 'system'",
  ],
  // Not there, or a superuser's.
  ['an untrusted language', '0A000 42501', 'create language plpython3u'],
  ['an internal function', '42501', "create function i() returns int language internal as 'pg_ls_dir'"],
  ['meta commands', '42601', `\\! touch ${PROOF}`],
  ['meta commands that connect', '42601', '\\c source'],
  ['replication', '42501', "select pg_create_logical_replication_slot('s', 'pgoutput')"],
  ['a subscription', '42501', "create subscription s connection 'dbname=source' publication p"],
  ['ending sessions', '42501', "select pg_terminate_backend(pid) from pg_stat_activity where datname = 'source'"],
  ['shadowing pg_catalog', '42501', 'create function pg_catalog.md5(text) returns text language sql as $$ select 1 $$'],
  [
    'shadowing the pinned clocks',
    '42501',
    'create function clyra_pinned.now(int) returns int language sql as $$ select 1 $$',
  ],
  [
    'an event trigger',
    '42501',
    'create function e() returns event_trigger language plpgsql as $$ begin end $$; create event trigger t on ddl_command_start execute function e()',
  ],
  ['a DO block that dials out', '42883', "do $$ begin perform dblink_connect('dbname=source'); end $$"],
  ['a DO block that becomes another', '42501', 'do $$ begin set local role postgres; end $$'],
  [
    'a security definer function of its own',
    '42501',
    'create function d() returns void language plpgsql security definer as $$ begin set role postgres; end $$; select d()',
  ],
  ['row security', '42501', 'alter table pg_catalog.pg_authid disable row level security'],
  ['the catalog', '42501', 'update pg_catalog.pg_authid set rolsuper = true where rolname = current_user'],
  ['its passwords', '42501', 'select rolpassword from pg_catalog.pg_authid'],
  ['a tablespace', '42501', "create tablespace t location '/tmp'"],
  ['reloading', '42501', 'select pg_reload_conf()'],
];

describe('a scratch database', () => {
  it.each(ATTACKS)('lets hostile SQL nowhere: %s', async (_what, state, sql) => {
    const before = await sourcePrint();
    expect(state.split(' ')).toContain(await stateOf(sql));
    expect(await sourcePrint()).toBe(before);
    expect(existsSync(PROOF)).toBe(false);
  });

  it('does not read as another what the role left there to be read', async () => {
    await run(`drop table if exists canary; create function public.who() returns text language plpgsql as
      $$ begin perform pg_catalog.set_config('clyra.seen', current_user::text, false); return current_user; end $$;
      create view public.canary as select 1 as id, public.who() as note`);
    await session.reset();
    await fingerprintTables(session.client, [CANARY]);
    const { rows } = await session.client.query<{ seen: string }>("select current_setting('clyra.seen', true) as seen");
    expect(rows[0]?.seen).toBe('clyra_replay_hostile');
    await run('drop view public.canary');
  });

  it('runs each text under the same pins, whatever the text before it did', async () => {
    await run(
      "begin; set search_path = evil; set timezone = 'Asia/Tokyo'; set statement_timeout = 0; set clyra.clock = ''",
    );
    await run('create table times (a timestamptz, b timestamptz, c timestamptz default now())');
    await run('insert into times values (clock_timestamp(), statement_timestamp())');
    const { rows } = await session.client.query('select a::text, b::text, c::text from public.times');
    expect(rows).toEqual([{ a: '2031-02-02 03:04:05+00', b: '2031-02-02 03:04:05+00', c: '2031-02-02 03:04:05+00' }]);
  });

  it('refuses a server where a way out stands open', async () => {
    await maintenance.query("update pg_database set datallowconn = true where datname = 'template0'");
    const template = openSqlClient({ connection: { ...server.connection, database: 'template0' }, connectionsMax: 1 });
    await template.query(`create schema stray;
      create function stray.loose() returns text language sql security definer as 'select current_user::text'`);
    await template.query('select 1');
    await template.close();
    const made = makeScratchDatabase(request('open'));
    await expect(made).rejects.toMatchObject({
      code: 'CLY_REPLAY_NOT_ISOLATED',
      message: expect.stringContaining('rights'),
    });
    expect((await maintenance.query("select from pg_roles where rolname = 'clyra_replay_open'")).rowCount).toBe(0);
    const again = openSqlClient({ connection: { ...server.connection, database: 'template0' }, connectionsMax: 1 });
    await again.query('drop schema stray cascade');
    await again.close();
  });

  it('is stopped when it grows or lasts beyond its limits, and leaves nothing behind', async () => {
    // Nothing but its size ends it, however slowly it grows.
    const small = await makeScratchDatabase({
      ...request('small'),
      sizeBytesMax: 12 * 1_048_576,
      deadlineMs: 600_000,
    });
    const grower = new ScratchSession(small, 600_000);
    const growing = grower.run(
      "set statement_timeout = 0; create table big as select repeat('x', 1000) || n as t from generate_series(1, 100000000) n",
      {
        clockMs: 0,
        searchPath: ['public'],
      },
    );
    await expect(growing).rejects.toThrow();
    expect(() => small.check()).toThrow('went beyond 12582912 bytes');
    await grower.close();
    await small.close();
    const left = await maintenance.query("select from pg_database where datname = 'clyra_replay_small'");
    expect(left.rowCount).toBe(0);
  }, 240_000);
});
