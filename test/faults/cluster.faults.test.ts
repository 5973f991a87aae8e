// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { KafkaAdmin } from '@clyra/adapter-kafka/kafka-admin';
import { KafkaLog } from '@clyra/adapter-kafka/kafka-log';
import type { KafkaOptions } from '@clyra/adapter-kafka/kafka-options';
import type { LogAppender, LogRecord } from '@clyra/core/ports/record-log';
import { kafkaFields } from '@clyra/runtime/config/kafka-fields';
import { loadConfig } from '@clyra/runtime/config/load-config';
import { kafkaAccess } from '@clyra/runtime/kafka-access';
import { ensureTopics } from '@clyra/runtime/topics';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ThreeBrokers } from './cluster/three-brokers.ts';

const folder = mkdtempSync(join(tmpdir(), 'clyra-cluster-'));
const TOPIC = 'clyra.changes';
const DEADLINE_MS = 60_000;
/** Three brokers on two cores need their time to find each other. */
const FORM_MS = 180_000;
let cluster: ThreeBrokers;
let access: KafkaOptions;
let log: KafkaLog;

/** What a service with these settings hands to its client. */
function accessWith(env: Record<string, string> = {}): KafkaOptions {
  const settings = {
    CLYRA_KAFKA_BROKERS: cluster.bootstrap.join(','),
    CLYRA_KAFKA_TLS: 'on',
    CLYRA_KAFKA_CA_FILE: cluster.caFile,
    CLYRA_KAFKA_SASL: 'scram-sha-512',
    CLYRA_KAFKA_USER: cluster.user.name,
    CLYRA_KAFKA_PASSWORD_FILE: fileOf('password', cluster.user.password),
  };
  const config = loadConfig(kafkaFields, { ...settings, ...env });
  return { ...kafkaAccess(config, 'cluster-test'), requestTimeoutMs: 10_000 };
}

function fileOf(name: string, content: string): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

beforeAll(async () => {
  cluster = await ThreeBrokers.prepare(folder);
  for (const id of [1, 2, 3] as const) cluster.start(id);
  access = accessWith();
  log = new KafkaLog(access);
  const admin = new KafkaAdmin(access);
  const endMs = performance.now() + FORM_MS;
  while ((await admin.describeCluster(FORM_MS)).brokers.length < 3) {
    if (performance.now() > endMs || cluster.fallen.length > 0)
      throw new Error(`the brokers did not find each other (fallen: ${cluster.fallen.join()}): see ${folder}`);
    await pause(200);
  }
}, FORM_MS + DEADLINE_MS);

afterAll(async () => {
  await log?.close();
  await cluster?.close();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

/** Appends one record and says whether it is acknowledged. */
async function append(appender: LogAppender, text: string, deadlineMs: number): Promise<boolean> {
  const records = [{ key: null, value: Buffer.from(text) }];
  try {
    await appender.append([{ topic: TOPIC, partition: 0, records }], deadlineMs);
    return true;
  } catch {
    return false;
  }
}

describe('a cluster of three brokers behind TLS and SCRAM', () => {
  it(
    'has the topics of production: three replicas, two of them in sync',
    async () => {
      const admin = new KafkaAdmin(access);
      await ensureTopics(admin, { prefix: 'clyra', profile: 'production', deadlineMs: DEADLINE_MS });
      const [changes] = await admin.describeTopics([TOPIC], DEADLINE_MS);
      expect(changes).toMatchObject({ replicationFactor: 3, configs: { 'min.insync.replicas': '2' } });
    },
    2 * DEADLINE_MS,
  );

  it(
    'keeps every acknowledged record while one broker is killed, takes none with two gone, and goes on by itself',
    async () => {
      const read: string[] = [];
      const onBatch = ({ records }: { readonly records: readonly LogRecord[] }): void => {
        for (const { value } of records) read.push(Buffer.from(value ?? []).toString());
      };
      const assignments = [{ topic: TOPIC, partition: 0, fromOffset: 0 }];
      const reader = await log.read({ name: 'cluster-test', assignments, onBatch }, DEADLINE_MS);
      let appender = log.appender('cluster-test');
      const acknowledged: string[] = [];
      const offer = async (text: string, deadlineMs: number): Promise<boolean> => {
        const stored = await append(appender, text, deadlineMs);
        if (stored) acknowledged.push(text);
        else {
          await appender.close();
          appender = log.appender('cluster-test');
        }
        return stored;
      };
      const offerUntilStored = async (text: string): Promise<void> => {
        const endMs = performance.now() + FORM_MS;
        for (let attempt = 0; !(await offer(`${text} #${attempt}`, 10_000)); attempt += 1) {
          if (performance.now() > endMs || cluster.fallen.length > 0) throw new Error(`not stored: ${text}`);
        }
      };
      for (let count = 0; count < 20; count += 1) await offerUntilStored(`all ${count}`);
      await cluster.kill(1);
      for (let count = 0; count < 20; count += 1) await offerUntilStored(`two ${count}`);
      await cluster.kill(2);
      await pause(4_000);
      for (let count = 0; count < 3; count += 1) expect(await offer(`one ${count}`, 3_000)).toBe(false);
      cluster.start(2);
      for (let count = 0; count < 20; count += 1) await offerUntilStored(`again ${count}`);
      const endMs = performance.now() + DEADLINE_MS;
      while (!acknowledged.every((text) => read.includes(text)) && performance.now() < endMs) await pause(100);
      expect(acknowledged.filter((text) => !read.includes(text))).toEqual([]);
      expect(acknowledged.filter((text) => read.indexOf(text) !== read.lastIndexOf(text))).toEqual([]);
      await Promise.all([reader.close(), appender.close()]);
    },
    2 * FORM_MS,
  );

  it.each([
    ['a wrong password', async () => ({ CLYRA_KAFKA_PASSWORD_FILE: fileOf('wrong', 'guessed') })],
    ['a user that does not exist', async () => ({ CLYRA_KAFKA_USER: 'nobody' })],
    ['brokers that the client does not trust', async () => ({ CLYRA_KAFKA_CA_FILE: await cluster.strangerFile() })],
  ])('refuses %s at once, with a code', async (_, env) => {
    const admin = new KafkaAdmin(accessWith(await env()));
    await expect(admin.ping(20_000)).rejects.toMatchObject({ code: 'CLY_LOG_ACCESS_REFUSED', retry: 'never' });
  });

  it('says nothing to a client in the clear', async () => {
    const admin = new KafkaAdmin({ brokers: cluster.bootstrap, clientId: 'cluster-test', requestTimeoutMs: 500 });
    await expect(admin.ping(2_000)).rejects.toMatchObject({ code: 'CLY_LOG_UNREACHABLE' });
  });
});
