// SPDX-License-Identifier: Apache-2.0
// What happens to a source on real servers, and the signed gap that must stand in the log ten seconds later.
import { createSecretKey } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { openSqlClient, type SqlClient } from '@clyra/adapter-postgres/sql-client';
import { promoteInPlace } from '@clyra/adapter-postgres/test-support/promoted-standby';
import { type ScratchPostgres, startScratchPostgres } from '@clyra/adapter-postgres/test-support/scratch-postgres';
import { digestOf } from '@clyra/core/canonical/digest';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { parseRecord } from '@clyra/core/canonical/record';
import { topicNames } from '@clyra/core/change/topics';
import { silentLogger } from '@clyra/core/ports/logger';
import { systemClock } from '@clyra/runtime/system-clock';
import { FoldScript, SCRIPT_KEYS, TENANT } from '@clyra/testing/fold-script';
import { MemoryPositionStore } from '@clyra/testing/memory-position-store';
import { plainCodec } from '@clyra/testing/plain-codec';
import { receiptEnvelope } from '@clyra/testing/receipt-envelope';
import { SeededRandom } from '@clyra/testing/seeded-random';
import { SimLog } from '@clyra/testing/sim-log';
import { makeTestKey } from '@clyra/testing/test-keys';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RecorderProcessor } from './recorder.processor.ts';
import { PostgresSource } from './source/postgres-source.ts';

const PARTITION = 1;
const GAP_MS = 10_000;
const SLOT = 'clyra_breaks';
const topics = topicNames();
const positions = new MemoryPositionStore();

let server: ScratchPostgres;
let sql: SqlClient;
let log: SimLog;
let processor: RecorderProcessor;

async function until(what: string, isMet: () => boolean | Promise<boolean>, waitMs = 30_000): Promise<number> {
  const startedMs = performance.now();
  while (!(await isMet())) {
    if (performance.now() - startedMs > waitMs) throw new Error(`still waiting for ${what}`);
    await delay(50);
  }
  return performance.now() - startedMs;
}

async function register(): Promise<void> {
  const { rows } = await sql.query<{ id: string }>('select system_identifier::text as id from pg_control_system()');
  const script = await new FoldScript().opened();
  const members = { source_id: 'crm', database: digestOf('crm'), system_id: rows[0]?.id ?? '' };
  await script.command('source.registered', members, [SCRIPT_KEYS.operator]);
  for (const [index, envelope] of script.envelopes.entries()) {
    const folded = script.steps[index]?.folded;
    if (folded === undefined) throw new Error('a change has its receipt');
    log.put(topics.changes, PARTITION, [{ key: null, value: plainCodec.encode('ChangeEnvelope', envelope) }]);
    const receipt = plainCodec.encode('ReceiptEnvelope', receiptEnvelope(folded));
    log.put(topics.receipts, PARTITION, [{ key: null, value: receipt }]);
  }
}

function startRecorder(): RecorderProcessor {
  const guarded = { tables: [{ schema: 'public', name: 'activations' }], schemas: [] };
  // The long tests run this on 13 and 14 as well.
  const request = { connection: server.connection, slot: SLOT, publication: SLOT, guarded, allowBestEffort: true };
  const started = new RecorderProcessor({
    log: log.connect(),
    codec: plainCodec,
    signer: makeTestKey('recorder-1', ['recorder']),
    clock: systemClock,
    logger: silentLogger,
    topics,
    sources: [{ identity: { tenant: TENANT, sourceId: 'crm' }, source: new PostgresSource(request), guarded }],
    digestKeys: { keyOf: async () => createSecretKey(Buffer.alloc(32, 7)) },
    positions,
    mayPrepare: true,
    watermarkIntervalMs: 200,
    logDeadlineMs: 5_000,
  });
  started.start();
  return started;
}

beforeAll(async () => {
  server = await startScratchPostgres({ min_wal_size: '32MB', max_wal_size: '32MB' });
  sql = openSqlClient({ connection: server.connection });
  await sql.query('create table activations (id bigint primary key, content text)');
  log = new SimLog({ clock: systemClock, random: new SeededRandom(1), faults: {} } as never);
  for (const topic of [topics.changes, topics.receipts, topics.observations]) log.createTopic(topic, 2);
  await register();
  processor = startRecorder();
  await until('the stream', isStreaming);
}, 120_000);

afterAll(async () => {
  await processor.stop(2_000);
  await sql.close();
  await server.stop();
});

const isStreaming = (): boolean => processor.status()[0]?.state === 'streaming';
const observations = (kind: string): readonly JsonObject[] =>
  log
    .recordsOf(topics.observations, PARTITION)
    .map(({ value }) => plainCodec.decode('ObservationEnvelope', value ?? new Uint8Array()) as { body: Uint8Array })
    .map(({ body }) => parseRecord(body))
    .filter((body) => body['kind'] === kind);
const gaps = (): readonly JsonObject[] => observations('gap');
const lastReason = (): unknown => gaps().at(-1)?.['reason'];
const insert = (id: number): Promise<unknown> => sql.query('insert into activations values ($1)', [id]);

/** Ends the recorder's stream, and keeps it out until `work` is done. */
async function behindItsBack(work: () => Promise<unknown>): Promise<void> {
  for (;;) {
    await sql.query(
      `select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = $1 and active`,
      [SLOT],
    );
    try {
      await work();
      return;
    } catch (error) {
      // The recorder came back first.
      if (
        (error as { code?: string }).code !== 'CLY_SOURCE_SLOT_IN_USE' &&
        (error as { code?: string }).code !== 'CLY_SOURCE_BUSY'
      )
        throw error;
    }
  }
}

async function keepAtMost(size: string): Promise<void> {
  await sql.query(`alter system set max_slot_wal_keep_size = '${size}'`);
  await sql.query('select pg_reload_conf()');
}

const drop = (): Promise<unknown> => sql.query('select pg_drop_replication_slot($1)', [SLOT]);

describe('a break of a real source is a signed gap within ten seconds', () => {
  it('when its slot was dropped', async () => {
    await insert(1);
    await behindItsBack(drop);
    await insert(2);
    expect(await until('the gap', () => gaps().length === 1, GAP_MS)).toBeLessThan(GAP_MS);
    expect(lastReason()).toBe('slot_missing');
    await until('the stream', isStreaming);
  }, 60_000);

  it('when its slot was made again', async () => {
    await behindItsBack(async () => {
      await sql.transaction(async (session) => {
        await session.query('select pg_drop_replication_slot($1)', [SLOT]);
      });
      await insert(3);
      await sql.query(`select pg_create_logical_replication_slot($1, 'pgoutput')`, [SLOT]);
    });
    expect(await until('the gap', () => gaps().length === 2, GAP_MS)).toBeLessThan(GAP_MS);
    expect(['slot_recreated', 'slot_missing']).toContain(lastReason());
    await until('the stream', isStreaming);
  }, 60_000);

  it('when the server removed the log that its slot needs', async () => {
    await processor.stop(2_000);
    await keepAtMost('1MB');
    await until('the slot to be lost', async () => {
      await sql.query(`insert into activations select g, repeat('x', 2000) from generate_series(1000, 9000) g;
        delete from activations where id >= 1000; select pg_switch_wal(); checkpoint`);
      const { rows } = await sql.query<{ status: string }>(
        'select wal_status::text as status from pg_replication_slots where slot_name = $1',
        [SLOT],
      );
      return rows[0]?.status === 'lost';
    });
    await keepAtMost('-1');
    processor = startRecorder();
    expect(await until('the gap', () => gaps().length === 3, GAP_MS)).toBeLessThan(GAP_MS);
    expect(lastReason()).toBe('slot_lost');
    await until('the stream', isStreaming);
  }, 60_000);

  it('when a standby took its place, and what is written there is observed on its timeline', async () => {
    server = await promoteInPlace(server);
    expect(await until('the gap', () => gaps().length === 4, GAP_MS)).toBeLessThan(GAP_MS);
    expect(lastReason()).toBe('timeline_changed');
    await until('the stream', isStreaming);
    await insert(5);
    await until('the transaction', () => {
      const [newest] = observations('transaction').slice(-1);
      return newest?.['timeline'] === 2;
    });
  }, 90_000);

  it('when its publication left a guarded table out for a moment', async () => {
    // A server before 15 tells of transactions of which it publishes nothing, too.
    const withRows = (): number =>
      observations('transaction').filter(({ relations }) => (relations as readonly unknown[]).length > 0).length;
    const before = withRows();
    await sql.query(`alter publication ${SLOT} drop table activations`);
    await insert(6);
    await sql.query(`alter publication ${SLOT} add table activations`);
    expect(await until('the gap', () => gaps().length > 4, GAP_MS)).toBeLessThan(GAP_MS);
    expect(lastReason()).toBe('publication_changed');
    await until('the stream', isStreaming);
    await insert(7);
    await until('the transaction', () => withRows() > before);
    // The server never sends the one that was written meanwhile.
    expect(withRows()).toBe(before + 1);
  }, 60_000);
});
