// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import { ClyraError } from '@clyra/core/kernel/error';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { checkContinuity, requireContinuity, type SourceCheckpoint } from './slot-continuity.ts';
import { openSqlClient, type SqlClient } from './sql-client.ts';
import { recordStream, until } from './test-support/recording-stream.ts';
import { type ScratchPostgres, startScratchPostgres } from './test-support/scratch-postgres.ts';

const SLOT = 'clyra_faults';
const PUBLICATION = 'clyra_faults';

let server: ScratchPostgres;
let sql: SqlClient;

beforeAll(async () => {
  server = await startScratchPostgres();
  sql = openSqlClient({ connection: server.connection });
  await sql.query(`create table line (id int primary key); create publication ${PUBLICATION} for table line`);
});

afterAll(async () => {
  await sql.close();
  await server.stop();
});

beforeEach(createSlot);
afterEach(dropSlot);

const source = () => ({ connection: server.connection, slot: SLOT, publication: PUBLICATION });

async function createSlot(): Promise<void> {
  await sql.query(`select pg_create_logical_replication_slot($1, 'pgoutput')`, [SLOT]);
}

async function dropSlot(): Promise<void> {
  await until('the slot to be free', async () => {
    const slots = await sql.query<{ active: boolean }>('select active from pg_replication_slots where slot_name = $1', [
      SLOT,
    ]);
    return slots.rows.every((slot) => !slot.active);
  });
  await sql.query('select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = $1', [SLOT]);
}

async function insertOneByOne(count: number, firstId: number): Promise<void> {
  await sql.query(
    `do $$ begin for i in ${firstId}..${firstId + count - 1} loop insert into line values (i); commit; end loop; end $$`,
  );
}

describe('a replication stream under faults', () => {
  it('stops reading when too much is unconfirmed, stays connected, and goes on without loss', async () => {
    const recording = await recordStream(source(), { tuning: { pendingHighCount: 100, pendingLowCount: 20 } });
    await insertOneByOne(20_000, 1);
    await until('the pause', () => recording.stream.backlog().isPaused);
    await delay(200);
    const deliveredCount = recording.transactions.length;
    // What one read of the socket held is still delivered.
    expect(deliveredCount).toBeLessThan(2_500);
    // Longer than wal_sender_timeout (3 s): only the status sent while paused keeps the connection.
    await delay(5_000);
    expect(recording.transactions).toHaveLength(deliveredCount);
    expect(recording.losses).toEqual([]);
    await until('all of it', () => {
      recording.stream.confirm(recording.transactions.at(-1)?.commitEndLsn ?? '0/0');
      return recording.transactions.length === 20_000;
    });
    expect(new Set(recording.transactions.map(({ xid }) => xid)).size).toBe(20_000);
    expect(recording.losses).toEqual([]);
    await recording.stream.close();
  });

  it('reports a connection that the server ended, once, and starts again where it was', async () => {
    const first = await recordStream(source());
    await insertOneByOne(2, 100_001);
    await until('two', () => first.transactions.length === 2);
    first.stream.confirm(first.transactions[0]?.commitEndLsn ?? '');
    await delay(300);
    await sql.query(`select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = $1`, [SLOT]);
    await until('the loss', () => first.losses.length > 0);
    await first.stream.close();
    expect(first.losses).toMatchObject([{ code: 'CLY_SOURCE_UNREACHABLE', retry: 'backoff' }]);
    const second = await recordStream(source());
    await until('one', () => second.transactions.length === 1);
    expect(second.transactions).toEqual(first.transactions.slice(1));
    await second.stream.close();
  });

  it('notices a server that is there and says nothing', async () => {
    const recording = await recordStream(source(), { tuning: { silenceMaxMs: 1_200 } });
    const active = await sql.query<{ pid: number }>(
      'select active_pid as pid from pg_replication_slots where slot_name = $1',
      [SLOT],
    );
    const walsenderPid = active.rows[0]?.pid ?? 0;
    await delay(2_000);
    expect(recording.losses).toEqual([]);
    process.kill(walsenderPid, 'SIGSTOP');
    try {
      await until('the loss', () => recording.losses.length > 0);
      expect(recording.losses).toMatchObject([{ code: 'CLY_SOURCE_UNREACHABLE', retry: 'backoff' }]);
      await recording.stream.close();
    } finally {
      process.kill(walsenderPid, 'SIGCONT');
    }
  });

  it('ends with the named error that a handler throws, and with nothing after it', async () => {
    const seen: string[] = [];
    const recording = await recordStream(source(), {
      onTransaction: ({ commitEndLsn }) => {
        seen.push(commitEndLsn);
        throw new ClyraError('CLY_TEST_QUEUE_FULL', 'Wait.', { retry: 'backoff' });
      },
    });
    await insertOneByOne(3, 110_001);
    await until('the loss', () => recording.losses.length > 0);
    expect(recording.losses.map(({ code }) => code)).toEqual(['CLY_TEST_QUEUE_FULL']);
    expect(seen).toHaveLength(1);
    await recording.stream.close();
  });

  it('calls nothing back after close and frees the slot', async () => {
    const recording = await recordStream(source());
    await recording.stream.close();
    await insertOneByOne(1, 120_001);
    const again = await recordStream(source());
    await until('one', () => again.transactions.length === 1);
    expect(recording.transactions).toEqual([]);
    expect(recording.losses).toEqual([]);
    await again.stream.close();
  });

  it('names a slot in use, a missing slot, a missing publication and a slot of another plugin', async () => {
    const recording = await recordStream(source());
    await expect(recordStream(source())).rejects.toMatchObject({ code: 'CLY_SOURCE_SLOT_IN_USE', retry: 'backoff' });
    await recording.stream.close();
    await expect(recordStream({ ...source(), slot: 'absent' })).rejects.toMatchObject({
      code: 'CLY_SOURCE_SLOT_MISSING',
      retry: 'never',
    });
    await expect(recordStream({ ...source(), publication: `ab'sent"` })).rejects.toMatchObject({
      code: 'CLY_SOURCE_PUBLICATION_MISSING',
      retry: 'never',
    });
    await expect(recordStream({ ...source(), slot: 'Bad-Name' })).rejects.toMatchObject({
      code: 'CLY_SOURCE_SLOT_NAME',
    });
    await sql.query(`select pg_create_logical_replication_slot('clyra_other', 'test_decoding')`);
    await expect(recordStream({ ...source(), slot: 'clyra_other' })).rejects.toMatchObject({
      code: 'CLY_SOURCE_SLOT_UNUSABLE',
    });
    await sql.query(`select pg_drop_replication_slot('clyra_other')`);
  });

  it('names a publication that went away under the stream', async () => {
    await sql.query('create publication clyra_fleeting for table line');
    const recording = await recordStream({ ...source(), publication: 'clyra_fleeting' });
    await sql.query('drop publication clyra_fleeting');
    await insertOneByOne(1, 130_001);
    await until('the loss', () => recording.losses.length > 0);
    expect(recording.losses).toMatchObject([{ code: 'CLY_SOURCE_PUBLICATION_MISSING', retry: 'never' }]);
    await recording.stream.close();
  });

  it('names a publication that was made again meanwhile: what was written without it cannot be read', async () => {
    await sql.query('create publication clyra_fleeting for table line');
    const before = await recordStream({ ...source(), publication: 'clyra_fleeting' });
    await before.stream.close();
    await sql.query('drop publication if exists clyra_fleeting');
    await insertOneByOne(1, 135_001);
    await sql.query('create publication clyra_fleeting for table line');
    const recording = await recordStream({ ...source(), publication: 'clyra_fleeting' });
    await until('the loss', () => recording.losses.length > 0);
    expect(recording.losses).toMatchObject([{ code: 'CLY_SOURCE_PUBLICATION_MISSING', retry: 'never' }]);
    // A server before 15 tells of transactions of which it publishes nothing, too.
    expect(recording.transactions.filter(({ relations }) => relations.length > 0)).toEqual([]);
    await recording.stream.close();
    await sql.query('drop publication clyra_fleeting');
  });

  it('names an absent server, an unknown role, a role without replication and an unknown database', async () => {
    const { connection } = server;
    await sql.query('create role plain login');
    const attempt = (changes: Partial<typeof connection>) =>
      recordStream({ ...source(), connection: { ...connection, ...changes } });
    await expect(attempt({ port: 1 })).rejects.toMatchObject({ code: 'CLY_SOURCE_UNREACHABLE', retry: 'backoff' });
    await expect(attempt({ user: 'nobody' })).rejects.toMatchObject({ code: 'CLY_SOURCE_AUTH', retry: 'never' });
    await expect(attempt({ user: 'plain' })).rejects.toMatchObject({ code: 'CLY_SOURCE_PRIVILEGE', retry: 'never' });
    await expect(attempt({ database: 'absent' })).rejects.toMatchObject({
      code: 'CLY_SOURCE_DATABASE_MISSING',
      retry: 'never',
    });
    await expect(attempt({ tls: {} })).rejects.toMatchObject({ code: 'CLY_SOURCE_TLS', retry: 'never' });
  });

  it('refuses to go on from a slot that was made again behind its back', async () => {
    const first = await recordStream(source());
    await insertOneByOne(1, 140_001);
    await until('one', () => first.transactions.length === 1);
    const confirmedLsn = first.transactions[0]?.commitEndLsn ?? '';
    first.stream.confirm(confirmedLsn);
    await first.stream.close();
    const { systemId, timeline } = first.stream.source.system;
    const checkpoint: SourceCheckpoint = { systemId, timeline, confirmedLsn };
    const guarded = {
      admit: ({ system, slot }: typeof first.stream.source) =>
        requireContinuity(checkContinuity(checkpoint, system, slot)),
    };
    await (await recordStream(source(), guarded)).stream.close();

    await dropSlot();
    await insertOneByOne(1, 140_002);
    await createSlot();
    await expect(recordStream(source(), guarded)).rejects.toMatchObject({
      code: 'CLY_SOURCE_GAP',
      retry: 'never',
      context: { reason: 'slot_recreated', from: confirmedLsn },
    });
  });

  it('lets the server stop while it is idle, and names the loss', async () => {
    const other = await startScratchPostgres();
    const admin = openSqlClient({ connection: other.connection });
    await admin.query(`create publication ${PUBLICATION}`);
    await admin.query(`select pg_create_logical_replication_slot($1, 'pgoutput')`, [SLOT]);
    await admin.close();
    const recording = await recordStream({ ...source(), connection: other.connection });
    await until('a keepalive', () => recording.keepalives.length > 0);
    const confirmer = setInterval(() => recording.stream.confirm(recording.keepalives.at(-1)?.lsn ?? '0/0'), 100);
    const startedMs = performance.now();
    await other.stop();
    clearInterval(confirmer);
    // It waits until exactly its last position is confirmed; one too many or too few would hold it for a minute.
    expect(performance.now() - startedMs).toBeLessThan(30_000);
    await until('the loss', () => recording.losses.length > 0);
    expect(recording.losses).toMatchObject([{ code: 'CLY_SOURCE_UNREACHABLE', retry: 'backoff' }]);
    await recording.stream.close();
  });
});

describe('a slot whose log was removed', () => {
  it('is named lost', async () => {
    const small = await startScratchPostgres({
      max_slot_wal_keep_size: '1MB',
      max_wal_size: '32MB',
      min_wal_size: '32MB',
    });
    const admin = openSqlClient({ connection: small.connection });
    await admin.query(`create table filler (content text); create publication ${PUBLICATION} for table filler`);
    await admin.query(`select pg_create_logical_replication_slot($1, 'pgoutput')`, [SLOT]);
    for (let round = 0; round < 3; round += 1) {
      await admin.query(`insert into filler select repeat('x', 1000) from generate_series(1, 20000)`);
      await admin.query('select pg_switch_wal()');
      await admin.query('checkpoint');
    }
    await expect(recordStream({ ...source(), connection: small.connection })).rejects.toMatchObject({
      code: 'CLY_SOURCE_SLOT_LOST',
      retry: 'never',
    });
    await admin.close();
    await small.stop();
  });
});
