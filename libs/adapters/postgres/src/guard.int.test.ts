// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { guardStatus, uninstallGuard } from './guard.ts';
import { GuardedDatabase, INSTALL_SQL, refusalOf, UNINSTALL_SQL } from './test-support/guarded-database.ts';
import { type ScratchPostgres, startScratchPostgres } from './test-support/scratch-postgres.ts';

let server: ScratchPostgres;
let db: GuardedDatabase;

beforeAll(async () => {
  server = await startScratchPostgres();
  db = await GuardedDatabase.make(server);
  await db.install();
});

afterAll(async () => {
  await db.close();
  await server.stop();
});

beforeEach(() => db.empty());

describe('a guarded table', () => {
  it('takes what a grant allows, once, and the log names the grant in the same transaction', async () => {
    await db.admin.query(`select pg_create_logical_replication_slot('links', 'test_decoding')`);
    const grant = db.grant();
    await db.write(db.app, grant, `insert into contacts values (1, 'a'), (2, 'b')`);
    expect(await db.contacts()).toEqual([1, 2]);
    expect(await refusalOf(db.write(db.app, grant, `update contacts set note = 'c'`))).toBe('CLY_GUARD_GRANT_USED');
    const { rows } = await db.admin.query<{ data: string }>(
      `select data from pg_logical_slot_get_changes('links', null, null)`,
    );
    const message = rows.findIndex(({ data }) => data.includes('transactional: 1 prefix: clyra'));
    const insert = rows.findIndex(({ data }) => data.includes('public.contacts: INSERT'));
    expect(message).toBeGreaterThan(-1);
    expect(insert).toBeGreaterThan(message);
    expect(rows.slice(message, insert).some(({ data }) => data.startsWith('COMMIT'))).toBe(false);
    await db.admin.query(`select pg_drop_replication_slot('links')`);
  });

  it('gives a grant back when its transaction is rolled back', async () => {
    const grant = db.grant();
    await refusalOf(db.write(db.app, grant, 'insert into contacts values (1)', 'select 1 / 0'));
    expect(await db.contacts()).toEqual([]);
    await db.write(db.app, grant, 'insert into contacts values (1)');
    expect(await db.contacts()).toEqual([1]);
  });

  it('lets only one of two redeem the same grant at the same time', async () => {
    const grant = db.grant();
    const outcomes = await Promise.all(
      [1, 2].map((id) =>
        refusalOf(db.write(db.app, grant, 'select pg_sleep(0.1)', `insert into contacts values (${id})`)),
      ),
    );
    expect(outcomes.sort()).toEqual(['CLY_GUARD_GRANT_USED', 'done']);
  });

  it.each([
    ['insert', 'insert into contacts values (9)'],
    ['copy', `copy contacts from program 'echo 9'`],
    ['truncate', 'truncate contacts'],
    ['a write into a partition', `insert into events_eu values (1, 'eu')`],
    ['a write through the root', `insert into events values (1, 'eu')`],
    ['replica mode', `set local session_replication_role = replica; insert into contacts values (9)`],
  ])('refuses %s without a grant, to the superuser too', async (_, statement) => {
    expect(await refusalOf(db.admin.transaction((session) => session.query(statement)))).toBe('CLY_GUARD_NO_GRANT');
    expect(await db.contacts()).toEqual([]);
  });

  it.each([
    ['another operation', `delete from contacts`, 'CLY_GUARD_NO_GRANT'],
    ['an upsert beyond it', `insert into contacts values (1) on conflict (id) do update set note = 'x'`, 'done'],
    ['another table', `insert into events values (1, 'eu')`, 'CLY_GUARD_NO_GRANT'],
    ['more rows', 'insert into contacts select generate_series(1, 3)', 'CLY_GUARD_ROWS'],
  ])('judges %s', async (_, statement, code) => {
    expect(await refusalOf(db.write(db.app, db.grant(), statement))).toBe(code);
  });

  it('counts the rows of a transaction together, against the sum of its grants', async () => {
    const insert = (id: number): string => `insert into contacts values (${id})`;
    expect(await refusalOf(db.write(db.app, db.grant(), insert(1), insert(2), insert(3)))).toBe('CLY_GUARD_ROWS');
    await db.app.transaction(async (session) => {
      for (const id of [1, 2]) {
        await session.query('select clyra.redeem($1)', [db.grant()]);
        await session.query(`insert into contacts values (${id}), (${id + 10})`);
      }
    });
    expect(await db.contacts()).toEqual([1, 2, 11, 12]);
  });

  it('runs exactly the approved statement', async () => {
    const statement = `insert into contacts values (7, 'ünïcode')`;
    const member = createHash('sha256').update(statement).digest('hex');
    const run = (grant: string, text: string): Promise<unknown> =>
      db.app.query('select clyra.execute($1, $2)', [grant, text]);
    expect(await refusalOf(run(db.grant({ member }), `${statement} `))).toBe('CLY_GUARD_GRANT_MEMBER');
    expect(await refusalOf(db.write(db.app, db.grant({ member }), statement))).toBe('CLY_GUARD_GRANT_MEMBER');
    await run(db.grant({ member }), statement);
    expect(await db.contacts()).toEqual([7]);
  });
});

describe('an attacker', () => {
  type Vectors = {
    readonly key_hex: string;
    readonly cases: readonly { name: string; text: string; at: Record<string, unknown>; verdict: string }[];
  };
  const vectors = JSON.parse(
    readFileSync(new URL('../../../../schemas/vectors/grants/grants.json', import.meta.url), 'utf8'),
  ) as Vectors;

  it('meets the verdicts of the shared vectors', async () => {
    const found = await db.admin.transaction(async (session) => {
      await session.query('select clyra.configure($1, $2)', ['crm', Buffer.from(vectors.key_hex, 'hex')]);
      const verdicts: [string, string][] = [];
      for (const { name, text, at } of vectors.cases) {
        await session.query('savepoint one');
        const judged = session.query('select clyra.check_grant(clyra.open_grant($1), $2::text::jsonb)', [
          text,
          JSON.stringify(at),
        ]);
        verdicts.push([name, (await refusalOf(judged)).replace('CLY_GUARD_GRANT_', '').replace('done', 'ok')]);
        await session.query('rollback to one');
      }
      await session.query(`delete from clyra.grant_key where key_digest = sha256($1)`, [
        Buffer.from(vectors.key_hex, 'hex'),
      ]);
      return verdicts;
    });
    expect(found).toEqual(vectors.cases.map(({ name, verdict }) => [name, verdict]));
  });

  it('cannot redeem what is forged, expired, for another place or another role', async () => {
    const redeem = (grant: string): Promise<string> =>
      refusalOf(db.write(db.app, grant, 'insert into contacts values (9)'));
    const good = db.grant();
    expect(await redeem(`${good.slice(0, -1)}${good.endsWith('0') ? '1' : '0'}`)).toBe('CLY_GUARD_GRANT_FORGED');
    expect(await redeem(db.grant({ expires_at: Date.now() - 1 }))).toBe('CLY_GUARD_GRANT_EXPIRED');
    expect(await redeem(db.grant({ not_before: Date.now() + 60_000, expires_at: Date.now() + 90_000 }))).toBe(
      'CLY_GUARD_GRANT_EXPIRED',
    );
    expect(await redeem(db.grant({ source_id: 'warehouse' }))).toBe('CLY_GUARD_GRANT_ELSEWHERE');
    expect(await redeem(db.grant({ database: 'postgres' }))).toBe('CLY_GUARD_GRANT_ELSEWHERE');
    expect(await redeem(db.grant({ role: 'stranger' }))).toBe('CLY_GUARD_GRANT_ROLE');
    expect(await redeem(db.grant({ role: 'app' }))).toBe('done');
  });

  it('has no way around a role by SET ROLE', async () => {
    const asOwner = db.admin.transaction(async (session) => {
      await session.query('set local role app');
      await session.query('select clyra.redeem($1)', [db.grant({ role: 'app' })]);
    });
    expect(await refusalOf(asOwner)).toBe('CLY_GUARD_GRANT_ROLE');
    expect(await refusalOf(db.app.query('set role clyra_guard'))).toBe('CLY_SOURCE_PRIVILEGE');
    expect(await refusalOf(db.stranger.query('set role clyra_writer'))).toBe('CLY_SOURCE_PRIVILEGE');
  });

  it('lost its privilege to write, and cannot call the guard or its tables', async () => {
    expect(await refusalOf(db.stranger.query('insert into contacts values (9)'))).toBe('CLY_SOURCE_PRIVILEGE');
    expect(await refusalOf(db.stranger.query(`update contacts set note = 'x'`))).toBe('CLY_SOURCE_PRIVILEGE');
    expect(await refusalOf(db.stranger.query('select clyra.redeem($1)', [db.grant()]))).toBe('CLY_SOURCE_PRIVILEGE');
    for (const statement of [
      'select * from clyra.grant_key',
      `insert into clyra.redemption values ('\\x00', pg_current_xact_id(), 'e', '{}', '{}', 1, 0, now(), 'app')`,
      `insert into clyra.attaching values (pg_backend_pid())`,
      `select clyra.configure('crm', '\\x00')`,
      `select clyra.hmac_block('\\x00', 54)`,
      `create trigger t after insert on notes for each statement execute function clyra.check_write()`,
    ]) {
      expect([statement, await refusalOf(db.app.query(statement))]).toEqual([statement, 'CLY_SOURCE_PRIVILEGE']);
    }
  });

  it('cannot forge a link in the log', async () => {
    for (const emit of [
      `select pg_logical_emit_message(true, 'clyra', 'a token')`,
      `select pg_logical_emit_message(true, 'clyra', 'a token'::bytea)`,
    ]) {
      expect(await refusalOf(db.app.query(emit))).toBe('CLY_SOURCE_PRIVILEGE');
    }
  });

  it('cannot put its own objects before those of the guard', async () => {
    const statements = [
      `create temp table redemption as select '\\x00'::bytea as token_digest, pg_current_xact_id() as xid`,
      `create temp table guarded (schema_name name, relation_name name, relation oid)`,
      `create function public.sha256(bytea) returns bytea language sql as $$ select '\\x00'::bytea $$`,
      `create function public.permits(text[], text) returns boolean language sql as 'select true'`,
      `create function public.any_operator(text, text) returns boolean language sql as 'select true'`,
      `create operator public.= (function = public.any_operator, leftarg = text, rightarg = text)`,
      `set search_path = pg_temp, public, pg_catalog`,
      `insert into contacts values (9)`,
    ];
    const attack = db.app.transaction(async (session) => {
      for (const statement of statements) await session.query(statement);
    });
    expect(await refusalOf(attack)).toBe('CLY_GUARD_NO_GRANT');
  });

  it.each([
    'alter table contacts disable trigger all',
    'alter table contacts disable trigger clyra_check_insert',
    'drop trigger clyra_check_insert on contacts',
    'alter table contacts rename to contacts_old',
    'alter table contacts add column extra int',
    'alter table contacts enable row level security',
    'create rule away as on insert to contacts do instead nothing',
    'create index on contacts (note)',
    'drop table contacts',
    'drop table contacts cascade',
    `create table events_us partition of events for values in ('us')`,
    'alter table events detach partition events_eu',
    'create table shadow (id int); alter table contacts rename to away; alter table shadow rename to contacts',
  ])('who owns the table cannot change it without a grant: %s', async (statement) => {
    expect(await refusalOf(db.owner.query(statement))).toBe('CLY_GUARD_DDL');
  });

  it('cannot turn the guard off', async () => {
    expect(await refusalOf(db.owner.query('drop event trigger clyra_on_ddl'))).toMatch(/PRIVILEGE|42501/);
    expect(await refusalOf(db.owner.query('drop schema clyra cascade'))).toBe('CLY_SOURCE_PRIVILEGE');
    expect(await refusalOf(db.owner.query(`set session_replication_role = replica`))).toBe('CLY_SOURCE_PRIVILEGE');
    expect(await refusalOf(db.owner.query('set event_triggers = off'))).not.toBe('done');
  });
});

describe('the guard', () => {
  it('says that it is whole, and what is not', async () => {
    expect(await guardStatus(db.admin)).toMatchObject({
      source_id: 'crm',
      mode: 'enforce',
      guarded: ['public.contacts', 'public.events'],
      problems: [],
    });
    const problems = await db.admin.transaction(async (session) => {
      await session.query(`alter event trigger clyra_on_drop disable; alter event trigger clyra_on_ddl disable;
        alter table contacts disable trigger clyra_check_insert; drop trigger clyra_rows_update on contacts;
        create or replace function clyra.enforces() returns boolean language sql as 'select false';
        do $$ declare emit regprocedure; begin
          select min(oid) into emit from pg_proc where proname = 'pg_logical_emit_message';
          execute format('grant execute on function %s to public', emit);
        end $$`);
      const { rows } = await session.query<{ status: { problems: string[] } }>('select clyra.status() as status');
      await session.query('rollback');
      await session.query('begin');
      return rows[0]?.status.problems.map((problem) => problem.split(':')[0]);
    });
    expect(problems).toEqual([
      'CLY_GUARD_CODE',
      'CLY_GUARD_EVENT_TRIGGER',
      'CLY_GUARD_EVENT_TRIGGER',
      'CLY_GUARD_MESSAGES_OPEN',
      'CLY_GUARD_REVIEW',
      'CLY_GUARD_TRIGGER_MISSING',
      'CLY_GUARD_TRIGGER_OFF',
    ]);
  });

  it('is installed again without a change, keeps what was redeemed, and only watches in review', async () => {
    const grant = db.grant();
    await db.write(db.app, grant, 'insert into contacts values (1)');
    const before = await guardStatus(db.admin);
    expect(await db.install()).toEqual(before);
    expect(await refusalOf(db.write(db.app, grant))).toBe('CLY_GUARD_GRANT_USED');
    expect((await db.install(true)).problems).toEqual(['CLY_GUARD_REVIEW: the guard only watches']);
    await db.app.query('insert into contacts values (2)');
    expect((await db.install()).problems).toEqual([]);
    expect(await refusalOf(db.app.query('insert into contacts values (3)'))).toBe('CLY_GUARD_NO_GRANT');
  });

  it('leaves nothing of itself behind, and gives every privilege back', async () => {
    await uninstallGuard(db.admin, UNINSTALL_SQL);
    await uninstallGuard(db.admin, UNINSTALL_SQL);
    expect(await guardStatus(db.admin)).toBeUndefined();
    await db.stranger.query('insert into contacts values (8)');
    await db.stranger.query(`update contacts set note = 'x'; delete from contacts`);
    await db.owner.query('alter table contacts add column extra int; alter table contacts drop column extra');
    expect(await refusalOf(db.app.query(`select pg_logical_emit_message(true, 'clyra', 'x')`))).toBe('done');
    await db.install();
    expect(await refusalOf(db.admin.query(INSTALL_SQL))).toBe('done');
    expect((await guardStatus(db.admin))?.problems).toEqual([]);
  });
});
