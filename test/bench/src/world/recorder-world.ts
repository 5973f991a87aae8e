// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { KafkaAdmin } from '@clyra/adapter-kafka/kafka-admin';
import { openSqlClient } from '@clyra/adapter-postgres/sql-client';
import { recorderStreams } from '@clyra/cli/quickstart/await-evidence';
import { parseRecord } from '@clyra/core/canonical/record';
import { readObservation } from '@clyra/core/evidence/observation-body';
import { systemClock } from '@clyra/runtime/system-clock';
import { createCrmTables } from '@clyra/scenario-activation/crm-tables';
import { FaultWorld } from '../../../faults/world/fault-world.ts';
import { WORLD_PARTITION } from '../../../faults/world/world-policy.ts';
import { spareWorldPort } from '../../../faults/world/world-ports.ts';
import { ROWS_EACH } from '../load/pgbench.ts';
import { RecordTail, type RecordTailOptions } from '../measure/record-tail.ts';
import { DEBEZIUM_TOPICS, Debezium } from '../peers/debezium.ts';

const DEADLINE_MS = 60_000;
const LOG_TAIL_CHARS = 3_000;
const PUBLICATION = 'debezium';
const STRIP_SOURCES = fileURLToPath(new URL('../../../../libs/runtime/start/strip-sources.mjs', import.meta.url));

/** One of the two that read the database's log: it can be ended and started, and held still while the other is measured. */
export type LogReading = {
  readonly name: string;
  readonly pid: () => number;
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
  /** Its last words, where it failed. */
  readonly said: () => string;
  readonly tail: RecordTail;
};

export type RecorderWorld = {
  readonly world: FaultWorld;
  readonly clyra: LogReading;
  readonly debezium: LogReading;
};

/** One broker, one database, and both readers of its log running, each on its own slot and into its own topic. */
export async function startRecorderWorld(say: (line: string) => void): Promise<RecorderWorld> {
  // As where it is installed: a start that strips a source itself holds what the compiler took, a tenth of it all.
  execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', STRIP_SOURCES]);
  const world = await FaultWorld.start({ name: 'recorder-bench', seed: 1, kafkaCompilers: 'all' });
  try {
    const clyra = await startClyra(world);
    say('the recorder streams');
    const debezium = await startDebezium(world, say);
    say('Debezium streams');
    return { world, clyra, debezium };
  } catch (error) {
    await world.close();
    throw error;
  }
}

async function startClyra(world: FaultWorld): Promise<LogReading> {
  await world.makeDatabase();
  const sql = openSqlClient({ connection: world.database, connectionsMax: 1 });
  world.onClose(() => sql.close());
  await createCrmTables(sql);
  await sql.query(`create publication ${PUBLICATION} for table public.activations`);
  // Nothing is sent to it: the tenant's policy names it.
  const intake = world.service('intake', { env: { CLYRA_UPSTREAMS: 'crm=http://127.0.0.1:9' } });
  const others = [world.service('enforcer'), intake];
  await Promise.all(others.map((service) => service.start()));
  await world.openTenant(1_000);
  await world.addSource();
  const recorder = world.service('recorder');
  const start = async (): Promise<void> => {
    await recorder.start();
    await recorderStreams(recorder.url, { clock: systemClock, deadlineMs: DEADLINE_MS, sourceId: 'crm' });
  };
  await start();
  // What the log holds is enough for the recorder; the rest of the product would only take its share of the machine.
  await Promise.all(others.map((service) => service.end('SIGTERM')));
  const read: RecordTailOptions['read'] = async ({ value }) => {
    const envelope = await world.codec.decode('ObservationEnvelope', value ?? new Uint8Array());
    const body = readObservation(parseRecord(envelope.body));
    return body.kind === 'transaction' ? { xid: body.commit_end_lsn, committedAtMs: body.committed_at } : undefined;
  };
  const topic = world.topics.observations;
  const tail = new RecordTail({ log: world.log, topic, partition: WORLD_PARTITION, recordsEach: 1, read });
  const said = (): string => recorder.log.slice(-LOG_TAIL_CHARS);
  return { name: 'Clyra', pid: () => recorder.pid ?? 0, start, stop: () => recorder.end('SIGTERM'), said, tail };
}

type RowChange = { readonly source: { readonly txId: number; readonly ts_ms: number } };

async function startDebezium(world: FaultWorld, say: (line: string) => void): Promise<LogReading> {
  const admin = new KafkaAdmin({ brokers: world.parts.settings.kafka_brokers, clientId: 'clyra-bench' });
  const specs = Object.values(DEBEZIUM_TOPICS).map((name) => ({
    name,
    partitionCount: 1,
    replicationFactor: 1,
    configs: { 'message.timestamp.type': 'LogAppendTime' },
  }));
  await admin.ensureTopics(specs, DEADLINE_MS);
  const debezium = new Debezium({
    bootstrap: world.parts.settings.kafka_brokers[0] ?? '',
    database: world.database,
    publication: PUBLICATION,
    restPort: spareWorldPort(world.parts.portBase, 0),
    folder: join(world.parts.folder, 'debezium'),
    say,
  });
  world.onClose(() => debezium.stop());
  await debezium.start();
  const read: RecordTailOptions['read'] = async ({ value }) => {
    const { source } = JSON.parse(Buffer.from(value ?? []).toString('utf8')) as RowChange;
    return { xid: String(source.txId), committedAtMs: source.ts_ms };
  };
  const topic = DEBEZIUM_TOPICS.rows;
  const tail = new RecordTail({ log: world.log, topic, partition: 0, recordsEach: ROWS_EACH, read });
  const start = () => debezium.start();
  const stop = () => debezium.stop();
  return { name: 'Debezium', pid: () => debezium.pid, start, stop, said: () => debezium.said, tail };
}

export function freeze({ pid }: LogReading): void {
  process.kill(pid(), 'SIGSTOP');
}

export function thaw({ pid }: LogReading): void {
  process.kill(pid(), 'SIGCONT');
}
