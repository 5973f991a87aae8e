// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { guardStatus } from './guard.ts';
import { DATABASE, GuardedDatabase, refusalOf } from './test-support/guarded-database.ts';
import { recordStream, until } from './test-support/recording-stream.ts';
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

describe('a schema change', () => {
  const ddl = (relations: readonly string[]): string =>
    db.grant({ operations: ['ddl', 'insert'], relations, rows_max: 9 });

  it('is allowed by a grant, and a table made anew is guarded from its first row on', async () => {
    const relations = ['public.contacts'];
    await db.write(
      db.owner,
      ddl(relations),
      'create table contacts_new (id int primary key, note text)',
      'grant all on contacts_new to stranger',
      'insert into contacts_new values (5)',
      'alter table contacts rename to contacts_old',
      'alter table contacts_new rename to contacts',
      'drop table contacts_old',
    );
    expect(await db.contacts()).toEqual([5]);
    expect(await refusalOf(db.owner.query('insert into contacts values (6)'))).toBe('CLY_GUARD_NO_GRANT');
    expect(await refusalOf(db.stranger.query('insert into contacts values (6)'))).toBe('CLY_SOURCE_PRIVILEGE');
    await db.write(db.app, db.grant(), 'insert into contacts values (6)');
    expect((await guardStatus(db.admin))?.problems).toEqual([]);
  });

  it('guards a new partition', async () => {
    const us = `create table events_us partition of events for values in ('us')`;
    await db.write(db.owner, ddl(['public.events']), us);
    expect(await refusalOf(db.owner.query(`insert into events_us values (1, 'us')`))).toBe('CLY_GUARD_NO_GRANT');
    await db.write(db.owner, ddl(['public.events']), `insert into events_us values (1, 'us')`, 'drop table events_us');
  });

  it('of a partition needs a grant for the table it belongs to, its triggers and its end included', async () => {
    for (const statement of [
      'drop trigger clyra_check_insert on events_eu',
      'drop trigger clyra_rows_update on events_eu',
      'alter table events_eu disable trigger clyra_check_insert',
      'alter table events detach partition events_eu',
      'alter table events_eu alter column id set default 0',
      'drop table events_eu',
      'drop table contacts, notes',
    ]) {
      expect([statement, await refusalOf(db.owner.query(statement))]).toEqual([statement, 'CLY_GUARD_DDL']);
    }
    expect((await guardStatus(db.admin))?.problems).toEqual([]);
  });

  it('lets a partition go that was taken off under a grant, and guards it again when it is put back', async () => {
    const events = ddl(['public.events']);
    await db.write(db.owner, events, `create table events_us partition of events for values in ('us')`);
    await db.write(db.owner, ddl(['public.events']), 'alter table events detach partition events_us');
    expect(await refusalOf(db.owner.query(`insert into events_us values (1, 'us')`))).toBe('done');
    const back = `alter table events attach partition events_us for values in ('us')`;
    expect(await refusalOf(db.owner.query(back))).toBe('CLY_GUARD_DDL');
    await db.write(db.owner, ddl(['public.events']), back);
    expect(await refusalOf(db.owner.query(`insert into events_us values (2, 'us')`))).toBe('CLY_GUARD_NO_GRANT');
    expect(await refusalOf(db.owner.query('drop table events_us'))).toBe('CLY_GUARD_DDL');
    await db.write(db.owner, ddl(['public.events']), 'alter table events detach partition events_us');
    expect(await refusalOf(db.owner.query('drop table events_us'))).toBe('done');
    expect((await guardStatus(db.admin))?.problems).toEqual([]);
  });

  it('of a partition is in the stream under the name of the table it belongs to', async () => {
    await db.admin.query('create publication parts for table events with (publish_via_partition_root)');
    await db.admin.query(`select pg_create_logical_replication_slot('parts', 'pgoutput')`);
    const connection = { ...server.connection, database: DATABASE };
    const recording = await recordStream({ connection, slot: 'parts', publication: 'parts' });
    const statements = [
      `create table events_us partition of events for values in ('us')`,
      'alter table events_us alter column id set default 0',
      'create index events_us_id on events_us (id)',
      'alter table events_us alter column id drop default',
      'drop table events_us',
    ];
    for (const statement of statements) await db.write(db.owner, ddl(['public.events']), statement);
    await until('all of them', () => recording.transactions.length === statements.length);
    const named = recording.transactions.map(({ relations }) =>
      relations.map(({ schema, name }) => `${schema}.${name}`),
    );
    expect(named).toEqual(statements.map(() => ['public.events']));
    await recording.stream.close();
    await db.admin.query(`drop publication parts; select pg_drop_replication_slot('parts')`);
  });

  it('is in the stream, with the relations it was about', async () => {
    await db.admin.query(`create publication ddl for table notes; alter table notes replica identity full`);
    await db.admin.query(`select pg_create_logical_replication_slot('ddl', 'pgoutput')`);
    const connection = { ...server.connection, database: DATABASE };
    const recording = await recordStream({ connection, slot: 'ddl', publication: 'ddl' });
    await db.owner.query('create index notes_index on notes (id); alter table notes add column extra int');
    await db.owner.query('insert into notes values (1, 2); drop index notes_index');
    await db.owner.query('create function nothing() returns int language sql as $$ select 1 $$');
    await until('three transactions', () => recording.transactions.length === 3);
    expect(
      recording.transactions.map(({ ddl, relations }) => [ddl?.tags, relations.map(({ ddlCount }) => ddlCount)]),
    ).toEqual([
      [
        [
          { tag: 'ALTER TABLE', count: 1 },
          { tag: 'CREATE INDEX', count: 1 },
        ],
        [2],
      ],
      // PostgreSQL does not say of a dropped index which table it was on.
      [[{ tag: 'DROP INDEX', count: 1 }], [undefined]],
      [[{ tag: 'CREATE FUNCTION', count: 1 }], []],
    ]);
    await recording.stream.close();
    await db.admin.query(`select pg_drop_replication_slot('ddl')`);
    await db.owner.query('alter table notes drop column extra; drop function nothing()');
  });

  it('of what nobody guards goes its way', async () => {
    await db.owner.query('alter table notes add column extra int; create index on notes (id); drop index notes_id_idx');
    await db.owner.query('alter table notes drop column extra; truncate notes; insert into notes values (1)');
    await db.owner.query('create temp table scratch (id int); drop table scratch');
  });
});
