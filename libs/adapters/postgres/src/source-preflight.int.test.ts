// SPDX-License-Identifier: Apache-2.0
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { GuardedRelations } from './publication-preflight.ts';
import { dropSlot, inspectSource, prepareSource, requireUsable, type SourceFacts } from './source-preflight.ts';
import { openSqlClient, type SqlClient } from './sql-client.ts';
import { type ScratchPostgres, startScratchPostgres } from './test-support/scratch-postgres.ts';

const SLOT = 'clyra_preflight';
const PUBLICATION = 'clyra_preflight';
const ORDERS: GuardedRelations = { tables: [{ schema: 'shop', name: 'orders' }], schemas: [] };

let server: ScratchPostgres;
let sql: SqlClient;

beforeAll(async () => {
  server = await startScratchPostgres();
  sql = openSqlClient({ connection: server.connection });
  await sql.query(`
    create schema shop;
    create table shop.orders (id int primary key, note text);
    create table shop.keyless (id int);
    create table shop.deferred (id int primary key deferrable);
    create table shop.indexed (id int not null unique);
    alter table shop.indexed replica identity using index indexed_id_key;
    create table shop.full_row (id int);
    alter table shop.full_row replica identity full;
    create table shop.nothing (id int primary key);
    alter table shop.nothing replica identity nothing;
    create table shop.parted (id int) partition by range (id);
    create table shop.parted_low partition of shop.parted for values from (0) to (10);
    create schema mart;
    create table mart.built (id int)`);
});

afterEach(async () => {
  await sql.query(`drop publication if exists ${PUBLICATION}`);
  await sql.query('select pg_drop_replication_slot(slot_name) from pg_replication_slots');
});

afterAll(async () => {
  await sql.close();
  await server.stop();
});

const request = (guarded: GuardedRelations = ORDERS) => ({
  connection: server.connection,
  slot: SLOT,
  publication: PUBLICATION,
  guarded,
});
const refusals = (facts: SourceFacts): readonly string[] =>
  facts.problems.filter(({ severity }) => severity === 'refuse').map(({ code }) => code);
const tables = (...names: readonly string[]): GuardedRelations => ({
  tables: names.map((name) => ({ schema: 'shop', name })),
  schemas: [],
});

describe('inspectSource', () => {
  it('describes the server and refuses what is missing, without making it', async () => {
    const facts = await inspectSource(request());
    expect(facts).toMatchObject({
      system: { timeline: 1 },
      server: { walLevel: 'logical', isStandby: false, roleHasReplication: true, walSenderTimeoutMs: 3_000 },
      publication: null,
      slot: null,
    });
    expect(facts.system.systemId).toMatch(/^\d{15,20}$/);
    expect(facts.server.versionMajor).toBeGreaterThanOrEqual(15);
    expect(refusals(facts)).toEqual(['CLY_SOURCE_PUBLICATION_MISSING', 'CLY_SOURCE_SLOT_MISSING']);
    expect(() => requireUsable(facts)).toThrow(
      expect.objectContaining({ code: 'CLY_SOURCE_PUBLICATION_MISSING', retry: 'never' }),
    );
    expect((await sql.query('select 1 from pg_publication')).rowCount).toBe(0);
  });

  it('finds every published table whose updates would fail, leaves included', async () => {
    await sql.query(`create publication ${PUBLICATION} for tables in schema shop, mart`);
    const facts = await inspectSource(request());
    expect(facts.publication?.relationsWithoutIdentity.map(({ schema, name }) => `${schema}.${name}`)).toEqual([
      'mart.built',
      'shop.deferred',
      'shop.keyless',
      'shop.nothing',
      'shop.parted_low',
    ]);
    for (const { schema, name } of facts.publication?.relationsWithoutIdentity ?? []) {
      await sql.query(`insert into ${schema}.${name} values (1)`);
      await expect(sql.query(`update ${schema}.${name} set id = 2`)).rejects.toMatchObject({
        context: { sqlState: '55000' },
      });
    }
    for (const name of ['orders', 'indexed', 'full_row']) {
      await sql.query(`insert into shop.${name} values (1)`);
      await sql.query(`update shop.${name} set id = 2`);
    }
  });

  it('names what no publication can show in guarded schemas and below guarded tables', async () => {
    await sql.query(`
      create schema dark;
      create unlogged table dark.scratch (id int);
      create materialized view dark.totals as select 1 as one;
      create table dark.lit (id int primary key);
      create table dark.parted (id int) partition by list (id);
      create unlogged table dark.parted_one partition of dark.parted for values in (1);
      create foreign data wrapper nothing;
      create server nowhere foreign data wrapper nothing;
      create foreign table dark.far (id int) server nowhere`);
    const namesFor = async (guarded: GuardedRelations): Promise<readonly string[]> =>
      (await inspectSource(request(guarded))).unrecorded.map(({ schema, name, kind }) => `${schema}.${name} ${kind}`);
    expect(await namesFor({ tables: [], schemas: ['dark'] })).toEqual([
      'dark.far foreign_table',
      'dark.parted unlogged',
      'dark.scratch unlogged',
      'dark.totals materialized_view',
    ]);
    expect(await namesFor({ tables: [{ schema: 'dark', name: 'parted' }], schemas: [] })).toEqual([
      'dark.parted unlogged',
    ]);
    expect(await namesFor(ORDERS)).toEqual([]);
    await sql.query('drop schema dark cascade; drop foreign data wrapper nothing cascade');
  });

  it('finds row filters, column lists and a table that a rebuild took away', async () => {
    await sql.query(`create publication ${PUBLICATION} for table shop.orders (id) where (id > 5)`);
    const filtered = await inspectSource(request());
    expect(filtered.publication?.relations).toEqual([
      {
        schema: 'shop',
        name: 'orders',
        rootSchema: 'shop',
        rootName: 'orders',
        hasRowFilter: true,
        hasColumnList: true,
      },
    ]);
    expect(refusals(filtered)).toContain('CLY_SOURCE_PUBLICATION_FILTERED');
    await sql.transaction(async (session) => {
      await session.query('create table shop.orders_new (id int primary key, note text)');
      await session.query('drop table shop.orders');
      await session.query('alter table shop.orders_new rename to orders');
    });
    expect(refusals(await inspectSource(request()))).toContain('CLY_SOURCE_RELATION_UNPUBLISHED');
  });
});

describe('prepareSource', () => {
  it('makes publication and slot once, and says where observation begins', async () => {
    const first = await prepareSource(request());
    expect(refusals(first.facts)).toEqual([]);
    expect(first.facts.slot).toMatchObject({ plugin: 'pgoutput', isActive: false, walStatus: 'reserved' });
    expect(first.consistentPointLsn).toBe(first.facts.slot?.confirmedFlushLsn);
    const second = await prepareSource(request());
    expect(second.consistentPointLsn).toBeNull();
    expect(second.facts.slot?.confirmedFlushLsn).toBe(first.consistentPointLsn);
    await dropSlot(request());
    expect((await inspectSource(request())).slot).toBeNull();
  });

  it('needs no more than a role with REPLICATION once the publication is there', async () => {
    await sql.query(`create publication ${PUBLICATION} for table shop.orders`);
    await sql.query('create role recorder login replication; create role plain login');
    const asRole = (user: string) => ({ ...request(), connection: { ...server.connection, user } });
    const { facts } = await prepareSource(asRole('recorder'));
    expect(facts).toMatchObject({ server: { role: 'recorder', roleHasReplication: true }, slot: { slot: SLOT } });
    await expect(inspectSource(asRole('plain'))).rejects.toMatchObject({
      code: 'CLY_SOURCE_PRIVILEGE',
      retry: 'never',
    });
  });

  it('covers a partitioned table under its own name, and refuses its partitions apart', async () => {
    await sql.query('alter table shop.parted_low replica identity full');
    const { facts } = await prepareSource(request(tables('parted')));
    expect(facts.publication).toMatchObject({
      relations: [{ name: 'parted', rootName: 'parted' }],
      members: [{ schema: 'shop', name: 'parted' }],
      partitioned: [{ schema: 'shop', name: 'parted' }],
    });
    await sql.query(`alter publication ${PUBLICATION} set (publish_via_partition_root = false)`);
    const apart = await inspectSource(request(tables('parted')));
    expect(refusals(apart)).toContain('CLY_SOURCE_PARTITIONS_APART');
    expect(apart.publicationState).not.toBe(facts.publicationState);
  });

  it('has another state after whatever altered what is guarded, and the same after anything else', async () => {
    const { facts } = await prepareSource(request());
    const stateAfter = async (statement: string): Promise<string> => {
      await sql.query(statement);
      return (await inspectSource(request())).publicationState;
    };
    const states = [facts.publicationState];
    expect(await stateAfter(`alter publication ${PUBLICATION} add table shop.full_row`)).toBe(states[0]);
    expect(await stateAfter(`alter publication ${PUBLICATION} drop table shop.full_row`)).toBe(states[0]);
    expect(await stateAfter('vacuum full pg_publication_rel')).toBe(states[0]);
    for (const statement of [
      `alter publication ${PUBLICATION} drop table shop.orders`,
      `alter publication ${PUBLICATION} add table shop.orders`,
      `alter publication ${PUBLICATION} set (publish = 'insert')`,
      `alter publication ${PUBLICATION} set (publish = 'insert, update, delete, truncate')`,
      `alter publication ${PUBLICATION} set table shop.orders where (id > 5)`,
      `alter publication ${PUBLICATION} set table shop.orders`,
      `alter publication ${PUBLICATION} add tables in schema shop`,
      `drop publication ${PUBLICATION}`,
    ]) {
      states.push(await stateAfter(statement));
    }
    expect(new Set(states).size).toBe(9);
  });

  it('never leaves a publication behind that would break a write', async () => {
    await expect(prepareSource(request(tables('orders', 'keyless')))).rejects.toMatchObject({
      code: 'CLY_SOURCE_REPLICA_IDENTITY_MISSING',
      context: { repairSql: 'ALTER TABLE "shop"."keyless" REPLICA IDENTITY FULL;' },
    });
    expect((await sql.query('select 1 from pg_publication')).rowCount).toBe(0);
    expect((await sql.query('select 1 from pg_replication_slots')).rowCount).toBe(0);
    await sql.query('update shop.keyless set id = 3');
  });

  it('does not make a publication for a slot that is older', async () => {
    await sql.query(`select pg_create_logical_replication_slot($1, 'pgoutput')`, [SLOT]);
    await expect(prepareSource(request())).rejects.toMatchObject({ code: 'CLY_SOURCE_SLOT_BEFORE_PUBLICATION' });
    expect((await sql.query('select 1 from pg_publication')).rowCount).toBe(0);
  });

  it('publishes a schema that dbt builds with insert and truncate alone, and its writes go on', async () => {
    const guarded = { tables: [], schemas: ['mart'] };
    const { facts } = await prepareSource({ ...request(guarded), operations: ['insert', 'truncate'] });
    expect(refusals(facts)).toEqual([]);
    expect(facts.publication?.operations).toEqual(['insert', 'truncate']);
    await sql.query(
      'create table mart.later (id int); insert into mart.later values (1); update mart.later set id = 2',
    );
  });

  it('refuses a server whose log is not logical', async () => {
    const physical = await startScratchPostgres({ wal_level: 'replica' });
    const facts = await inspectSource({ ...request({ tables: [], schemas: [] }), connection: physical.connection });
    expect(refusals(facts)[0]).toBe('CLY_SOURCE_WAL_LEVEL');
    await physical.stop();
  });
});
