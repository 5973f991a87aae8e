// SPDX-License-Identifier: Apache-2.0
import { schemaDrift } from '@clyra/core/diff/schema-drift';
import { readSnapshotPolicy } from '@clyra/core/snapshot/read-snapshot';
import type { SnapshotPolicy } from '@clyra/core/snapshot/snapshot';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openSqlClient, type SqlClient } from './sql-client.ts';
import { takeSnapshot } from './take-snapshot.ts';
import { type ScratchPostgres, startScratchPostgres } from './test-support/scratch-postgres.ts';

const KEY = Buffer.alloc(32, 7);
const TABLE_COUNT = 100;

let server: ScratchPostgres;
let sql: SqlClient;

beforeAll(async () => {
  server = await startScratchPostgres();
  sql = openSqlClient({ connection: server.connection });
  await sql.query(`create role app; create schema mart;
    create table public.contacts (id int primary key, note text default 'none' collate "C", total numeric(12, 2),
      twice numeric generated always as (total * 2) stored, place int generated always as identity,
      constraint positive check (total >= 0));
    create index contacts_note on public.contacts (note);
    grant select, update (note) on public.contacts to app; grant select on public.contacts to public;
    create table mart.events (id int, region text, primary key (id, region)) partition by list (region);
    create table mart.events_eu partition of mart.events for values in ('eu');
    create view mart.totals as select sum(total) from public.contacts;
    insert into public.contacts (id, total) select g, g from generate_series(1, 500) g; analyze public.contacts`);
});

afterAll(async () => {
  await sql.close();
  await server.stop();
});

const take = (policy: Partial<SnapshotPolicy> = {}, key: Uint8Array = KEY) =>
  takeSnapshot(sql, {
    tenant: 'acme',
    sourceId: 'crm',
    dsn: 'postgres://127.0.0.1:5432/crm',
    key,
    policy: readSnapshotPolicy(policy as never),
  });

describe('a snapshot of PostgreSQL', () => {
  it('is the metadata of every relation, in order, and no value of a row', async () => {
    const snapshot = await take();
    expect(snapshot.relations.map(({ schema, name, kind }) => `${kind} ${schema}.${name}`)).toEqual([
      'partitioned mart.events',
      'table mart.events_eu',
      'view mart.totals',
      'table public.contacts',
    ]);
    expect(snapshot.relations[3]).toMatchObject({
      owner: 'postgres',
      columns: [
        { name: 'id', type: 'integer', nullable: false, default: null, generated: null },
        { name: 'note', type: 'text', nullable: true, default: `'none'::text`, collation: 'C' },
        { name: 'total', type: 'numeric(12,2)' },
        { name: 'twice', generated: `stored: (total * (2)::numeric)`, default: null },
        { name: 'place', generated: 'always' },
      ],
      constraints: [{ name: 'contacts_pkey' }, { name: 'positive', definition: 'CHECK ((total >= (0)::numeric))' }],
      indexes: [{ name: 'contacts_note', valid: true }, { name: 'contacts_pkey' }],
      estimate: { rows: 500 },
    });
    expect(snapshot.relations[3]?.grants).toContainEqual({ grantee: 'PUBLIC', privilege: 'SELECT', grantable: false });
    expect(snapshot.relations[3]).not.toHaveProperty('sample');
  });

  it('knows its database by a keyed digest only, and stands at a place of its log', async () => {
    const [one, other] = [await take(), await take({}, Buffer.alloc(32, 8))];
    expect(one.dsn_digest).toMatch(/^[0-9a-f]{64}$/);
    expect(other.dsn_digest).not.toBe(one.dsn_digest);
    expect(other.schema_digest).toBe(one.schema_digest);
    expect(JSON.stringify(one)).not.toContain('127.0.0.1');
    const { rows } = await sql.query<{ id: string; near: boolean }>(
      `select system_identifier::text as id, pg_current_wal_insert_lsn() - $1::pg_lsn < 1000000 as near
       from pg_control_system()`,
      [one.anchor.lsn],
    );
    expect(rows[0]).toEqual({ id: one.anchor.system_id, near: true });
    expect(one.anchor).toMatchObject({ timeline: 1, snapshot: expect.stringMatching(/^\d+:\d+:/) });
  });

  it('looks at what the policy lists, and samples without showing a row', async () => {
    const policy = {
      parts: ['columns', 'checksums'],
      relations: ['mart.*', 'public.contacts'],
      sample_rows: 10,
    } as const;
    const before = await take(policy);
    expect(before.relations).toHaveLength(4);
    expect((await take({ relations: ['public.contacts'] })).relations).toHaveLength(1);
    expect(before.relations.map(({ sample }) => sample?.rows ?? null)).toEqual([0, 0, null, 10]);
    await sql.query(`update contacts set note = 'secret' where id = 10`);
    const changed = await take(policy);
    expect(schemaDrift(before, changed)).toMatchObject({
      changes: [],
      volumes: [{ relation: 'public.contacts', sample_equal: false }],
    });
    await sql.query(
      `update contacts set note = 'none' where id = 10; update contacts set note = 'unseen' where id = 11`,
    );
    expect((await take(policy)).relations[3]?.sample).toEqual(before.relations[3]?.sample);
    await sql.query(`update contacts set note = 'none' where id = 11`);
  });

  it('is one moment: what commits while it is taken is in none of it', async () => {
    const before = await take({ parts: ['columns'] });
    const other = openSqlClient({ connection: server.connection });
    const rows = await sql.transaction(async (session) => {
      await session.query('set transaction isolation level repeatable read');
      await session.query('select 1');
      await other.query('alter table mart.events add column late int');
      const found = await session.query<{ seen: boolean }>(
        `select exists (select from pg_catalog.pg_attribute where attname = 'late') as seen`,
      );
      return found.rows;
    });
    expect(rows).toEqual([{ seen: false }]);
    const drift = schemaDrift(before, await take({ parts: ['columns'] }));
    expect(drift.changes.map(({ relation, name, change }) => `${change} ${relation} ${name}`)).toEqual([
      'added mart.events late',
      'added mart.events_eu late',
    ]);
    await other.query('alter table mart.events drop column late');
    await other.close();
  });

  it(`takes ${TABLE_COUNT} tables at once`, async () => {
    const columns = Array.from({ length: 10 }, (_, index) => `c${index} text`).join(', ');
    for (let index = 0; index < TABLE_COUNT; index += 1) {
      await sql.query(`create table mart.t${index} (${columns}, id int primary key, unique (c0), check (id > 0));
        create index on mart.t${index} (c1)`);
    }
    const cold = openSqlClient({ connection: server.connection, connectionsMax: 2 });
    await cold.query('select 1');
    const startedMs = performance.now();
    const request = {
      tenant: 'acme',
      sourceId: null,
      dsn: 'x',
      key: KEY,
      policy: readSnapshotPolicy({ relations: ['mart.*'] }),
    };
    const snapshot = await takeSnapshot(cold, request);
    const coldMs = performance.now() - startedMs;
    expect(snapshot.relations).toHaveLength(TABLE_COUNT + 3);
    // The bench measures; here only a plan that went wrong (one query a table) is caught.
    expect(coldMs).toBeLessThan(2_000);
    if (process.env['CLYRA_SHOW_TIMES'] === '1') {
      const warmMs: number[] = [];
      for (let round = 0; round < 10; round += 1) {
        const roundMs = performance.now();
        await takeSnapshot(cold, request);
        warmMs.push(performance.now() - roundMs);
      }
      process.stdout.write(
        `snapshot: cold ${coldMs.toFixed(1)} ms, warm ${warmMs.map((ms) => ms.toFixed(1)).join(' ')}\n`,
      );
    }
    await cold.close();
  });
});
