// SPDX-License-Identifier: Apache-2.0

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { KafkaAdmin } from '@clyra/adapter-kafka/kafka-admin';
import { KafkaLog } from '@clyra/adapter-kafka/kafka-log';
import type { PostgresConnection } from '@clyra/adapter-postgres/connection-settings';
import { openSqlClient, type SqlClient } from '@clyra/adapter-postgres/sql-client';
import { createKeyFile } from '@clyra/adapter-signing/file-signer';
import { digestOf } from '@clyra/core/canonical/digest';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { parseRecord } from '@clyra/core/canonical/record';
import { type TopicNames, topicNames } from '@clyra/core/change/topics';
import { ClyraError } from '@clyra/core/kernel/error';
import type { EnvelopeCodec, Envelopes } from '@clyra/core/ports/envelope-codec';
import { registryCodec } from '@clyra/runtime/envelope-codec';
import { registerShippedSchemas } from '@clyra/runtime/register-shipped-schemas';
import { ensureTopics } from '@clyra/runtime/topics';
import { FoldScript, SCRIPT_KEYS, TENANT } from '@clyra/testing/fold-script';
import { startTestStack, type TestStack } from '@clyra/testing/harness';
import { readTopic } from '@clyra/testing/read-topic';
import { receiptEnvelope } from '@clyra/testing/receipt-envelope';

const DEADLINE_MS = 30_000;
export const TABLE = 'activations';

export type Observed = { readonly envelope: Envelopes['ObservationEnvelope']; readonly body: JsonObject };

export type Registered = { readonly sourceId: string; readonly systemId: string };

/** Kafka, registry and a database of its own for one test file, with a tenant whose source `crm` is registered. */
export class RecorderStack {
  readonly topics: TopicNames;
  readonly log: KafkaLog;
  readonly codec: EnvelopeCodec;
  readonly folder: string;
  /** The superuser's session in the database under test. */
  readonly admin: SqlClient;
  /** A plain role with REPLICATION, as a recorder should have. */
  readonly recorder: PostgresConnection;
  readonly recorderKeyId: string;
  readonly #stack: TestStack;

  constructor(parts: {
    stack: TestStack;
    codec: EnvelopeCodec;
    folder: string;
    admin: SqlClient;
    recorder: PostgresConnection;
    recorderKeyId: string;
  }) {
    this.#stack = parts.stack;
    this.codec = parts.codec;
    this.folder = parts.folder;
    this.admin = parts.admin;
    this.recorder = parts.recorder;
    this.recorderKeyId = parts.recorderKeyId;
    this.topics = topicNames(parts.stack.topicPrefix);
    this.log = new KafkaLog({ brokers: [parts.stack.kafka.bootstrap], clientId: 'recorder-test' });
  }

  /** `beside`: what else is registered for the tenant, read by whoever writes its entry. */
  static async start(beside: readonly Registered[] = []): Promise<RecorderStack> {
    const stack = await startTestStack({ parts: ['kafka', 'registry', 'postgres'] });
    const { postgres, topicPrefix } = stack;
    if (postgres === undefined) throw new Error('the test stack has PostgreSQL');
    const server = openSqlClient({ connection: postgres, connectionsMax: 1 });
    await server.query(`create role ${topicPrefix} login replication password 'recorder'`);
    await server.query(`create database ${topicPrefix} owner ${topicPrefix}`);
    await server.close();
    const admin = openSqlClient({ connection: { ...postgres, database: topicPrefix } });
    const recorder = { ...postgres, database: topicPrefix, user: topicPrefix, password: 'recorder' };
    await admin.query(`create table public.${TABLE} (id bigint primary key, xid bigint not null, content text);
      alter table public.${TABLE} owner to ${topicPrefix}`);
    const folder = await mkdtemp(join(tmpdir(), 'clyra-recorder-'));
    const { keyId } = await createKeyFile(join(folder, 'recorder.pem'));
    await registerShippedSchemas({ url: stack.registry.url, deadlineMs: DEADLINE_MS });
    const codec = await registryCodec({ url: stack.registry.url, deadlineMs: DEADLINE_MS });
    const made = new RecorderStack({ stack, codec, folder, admin, recorder, recorderKeyId: keyId });
    await made.#createTopics();
    await made.#register(beside);
    await made.#writeSources();
    return made;
  }

  get environment(): Readonly<Record<string, string>> {
    return {
      CLYRA_KAFKA_BROKERS: this.#stack.kafka.bootstrap,
      CLYRA_SCHEMA_REGISTRY_URL: this.#stack.registry.url,
      CLYRA_TOPIC_PREFIX: this.#stack.topicPrefix,
      CLYRA_KEY_FILE: join(this.folder, 'recorder.pem'),
      CLYRA_DATA_DIR: this.folder,
      CLYRA_SOURCES_FILE: join(this.folder, 'sources.json'),
      CLYRA_WATERMARK_INTERVAL_MS: '200',
    };
  }

  get slot(): string {
    return `${this.#stack.topicPrefix}_clyra`;
  }

  /** A change and its observation share the transaction's id; the token makes it an attributable one. */
  async commit(id: number): Promise<void> {
    await this.admin.transaction(async (session) => {
      await session.query("select pg_logical_emit_message(true, 'clyra', $1)", [`token-${id}`]);
      await session.query(
        `insert into public.${TABLE} select $1::bigint, pg_current_xact_id()::text::bigint, repeat('x', 100)`,
        [id],
      );
    });
  }

  /** The transactions that really committed, in the order of another slot of the same database. */
  async committedXids(oracleSlot: string): Promise<number[]> {
    const { rows } = await this.admin.query<{ xid: string }>(
      `select xid::text as xid from pg_logical_slot_get_binary_changes($1, null, null,
        'proto_version', '1', 'publication_names', $2, 'messages', 'true') where get_byte(data, 0) = ascii('C')`,
      [oracleSlot, this.slot],
    );
    return rows.map(({ xid }) => Number(xid));
  }

  async observed(): Promise<readonly Observed[]> {
    const partitions = await readTopic(this.log, this.topics.observations);
    const observed: Observed[] = [];
    for (const record of partitions.flat()) {
      const envelope = await this.codec.decode('ObservationEnvelope', record.value ?? new Uint8Array());
      observed.push({ envelope, body: parseRecord(envelope.body) });
    }
    return observed;
  }

  async stop(): Promise<void> {
    await this.admin.close();
    await this.log.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #createTopics(): Promise<void> {
    const admin = new KafkaAdmin({ brokers: [this.#stack.kafka.bootstrap], clientId: 'recorder-test' });
    const prefix = this.#stack.topicPrefix;
    await ensureTopics(admin, { prefix, profile: 'local', partitionCount: 2, deadlineMs: DEADLINE_MS });
  }

  async #register(beside: readonly Registered[]): Promise<void> {
    const system = 'select system_identifier::text as id from pg_control_system()';
    const systemId = (await this.admin.query<{ id: string }>(system)).rows[0]?.id ?? '';
    const script = await new FoldScript().opened();
    for (const { sourceId, systemId: id } of [{ sourceId: 'crm', systemId }, ...beside]) {
      const members = { source_id: sourceId, database: digestOf(sourceId), system_id: id };
      await script.command('source.registered', members, [SCRIPT_KEYS.operator]);
    }
    const changes = script.envelopes.map((envelope) => this.codec.encode('ChangeEnvelope', envelope));
    const receipts = script.steps.map(({ folded }) => this.codec.encode('ReceiptEnvelope', receiptEnvelope(folded)));
    const appender = this.log.appender('recorder-test');
    for (const [topic, values] of [
      [this.topics.changes, changes],
      [this.topics.receipts, receipts],
    ] as const) {
      const records = values.map((value) => ({ key: null, value }));
      await patiently(() => appender.append([{ topic, partition: 1, records }], DEADLINE_MS));
    }
    await appender.close();
  }

  async #writeSources(): Promise<void> {
    const { host, port, database, user, password } = this.recorder;
    const source = {
      source_id: 'crm',
      tenant: TENANT,
      connection: { host, port, database, user, password },
      slot: this.slot,
      publication: this.slot,
      guarded: [`public.${TABLE}`],
      // The long tests run this on 13 and 14 as well.
      allow_best_effort: true,
    };
    await writeFile(join(this.folder, 'sources.json'), JSON.stringify([source]), { mode: 0o600 });
  }
}

/** The leader of a partition that was just made may not know of it yet, and then has stored nothing. */
async function patiently(append: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await append();
      return;
    } catch (error) {
      if (!(error instanceof ClyraError) || !String(error.cause).includes('not the leader') || attempt === 20)
        throw error;
      await delay(250);
    }
  }
}
