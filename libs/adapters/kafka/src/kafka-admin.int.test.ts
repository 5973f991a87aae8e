// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { testKafkaConfig } from '@clyra/testing/config';
import { afterAll, describe, expect, it } from '@jest/globals';
import { KafkaAdmin, type TopicSpec } from './kafka-admin.ts';

const DEADLINE_MS = 10_000;
const NOBODY_LISTENS = '127.0.0.1:1';

describe('Kafka administration', () => {
  const admin = new KafkaAdmin({ brokers: [testKafkaConfig().bootstrap], clientId: 'clyra-admin-test' });
  const names: string[] = [];

  function spec(overrides: Partial<TopicSpec> = {}): TopicSpec {
    const name = `admin.${randomUUID()}`;
    names.push(name);
    return { name, partitionCount: 3, replicationFactor: 1, configs: { 'cleanup.policy': 'compact' }, ...overrides };
  }

  afterAll(() => admin.deleteTopics(names, DEADLINE_MS));

  it('creates what is missing, and repeating it changes nothing', async () => {
    const topic = spec();
    const { name } = topic;
    expect(await admin.ensureTopics([topic], DEADLINE_MS)).toEqual([{ name, action: 'created' }]);
    expect(await admin.ensureTopics([topic], DEADLINE_MS)).toEqual([{ name, action: 'unchanged' }]);
    expect(await admin.describeTopics([name, 'no.such.topic'], DEADLINE_MS)).toEqual([topic]);
  });

  it('sets configs that differ and keeps the others', async () => {
    const topic = spec();
    await admin.ensureTopics([topic], DEADLINE_MS);
    await admin.alterConfigs(topic.name, { 'min.cleanable.dirty.ratio': '0.2' }, DEADLINE_MS);
    const changed = { ...topic, configs: { 'cleanup.policy': 'compact', 'message.timestamp.type': 'LogAppendTime' } };
    expect(await admin.ensureTopics([changed], DEADLINE_MS)).toEqual([{ name: topic.name, action: 'altered' }]);
    const [found] = await admin.describeTopics([topic.name], DEADLINE_MS);
    expect(found?.configs).toEqual({ ...changed.configs, 'min.cleanable.dirty.ratio': '0.2' });
  });

  it('rejects another partition count before it changes anything', async () => {
    const topic = spec();
    const other = spec();
    await admin.ensureTopics([topic], DEADLINE_MS);
    const wanted = [other, { ...topic, partitionCount: 4 }];
    await expect(admin.ensureTopics(wanted, DEADLINE_MS)).rejects.toMatchObject({ code: 'CLY_TOPIC_MISMATCH' });
    expect(await admin.describeTopics([other.name], DEADLINE_MS)).toEqual([]);
  });

  it('hands a refusal on at once', async () => {
    const refused = admin.ensureTopics([spec({ configs: { 'no.such.config': '1' } })], DEADLINE_MS);
    await expect(refused).rejects.toMatchObject({ code: 'CLY_LOG_ADMIN_REFUSED', retry: 'never' });
  });

  it('answers a ping, and rejects one within its deadline where nobody listens', async () => {
    await admin.ping(DEADLINE_MS);
    const startMs = Date.now();
    const lost = new KafkaAdmin({ brokers: [NOBODY_LISTENS], clientId: 'clyra-admin-test' });
    await expect(lost.ping(400)).rejects.toMatchObject({ code: 'CLY_LOG_UNREACHABLE', retry: 'backoff' });
    expect(Date.now() - startMs).toBeLessThan(700);
  });
});
