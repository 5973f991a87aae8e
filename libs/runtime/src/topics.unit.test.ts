// SPDX-License-Identifier: Apache-2.0
import { readdirSync } from 'node:fs';
import { topicNames } from '@clyra/core/change/topics';
import { describe, expect, it } from '@jest/globals';
import { ensureTopics, type TopicAdmin, topicCatalogue, topicSpecs } from './topics.ts';

const catalogue = topicCatalogue();

describe('schemas/topics.json', () => {
  it('describes exactly the topics that the code names', () => {
    expect(catalogue.topics.map(({ name }) => name).toSorted()).toEqual(Object.keys(topicNames()).toSorted());
  });

  it('has one subject for each envelope in schemas/avro', () => {
    const files = readdirSync(new URL('../../../schemas/avro/', import.meta.url));
    const subjects = catalogue.topics.flatMap((topic) => topic.subjects);
    const fileOf = (subject: string): string =>
      `${subject.replace(/(?<=[a-z])[A-Z]/g, (letter) => `-${letter}`).toLowerCase()}.avsc`;
    expect(subjects.map(fileOf).toSorted()).toEqual(files.toSorted());
  });

  it('keeps evidence for ever and lets the log stamp its time', () => {
    for (const name of ['changes', 'receipts', 'observations', 'journal']) {
      const topic = catalogue.topics.find((entry) => entry.name === name);
      expect(topic).toMatchObject({ cleanup_policy: 'delete', retention_ms: -1, timestamps: 'LogAppendTime' });
    }
    expect(catalogue.topics.find(({ name }) => name === 'changes')?.writers).toEqual(['intake']);
  });

  it('gives changes, receipts and journal the same partitions', () => {
    const counts = catalogue.topics.filter(({ name }) => ['changes', 'receipts', 'journal'].includes(name));
    expect(new Set(counts.map(({ partitions }) => partitions)).size).toBe(1);
  });
});

describe('topicSpecs', () => {
  it('names topics by prefix and takes replicas from the profile', () => {
    const specs = topicSpecs(catalogue, { prefix: 'run7', profile: 'production' });
    expect(specs.find(({ name }) => name === 'run7.changes')).toEqual({
      name: 'run7.changes',
      partitionCount: 4,
      replicationFactor: 3,
      configs: {
        'cleanup.policy': 'delete',
        'retention.ms': '-1',
        'retention.bytes': '-1',
        'message.timestamp.type': 'LogAppendTime',
        'max.message.bytes': '1048576',
        'min.insync.replicas': '2',
        'unclean.leader.election.enable': 'false',
        'compression.type': 'producer',
      },
    });
    expect(specs.find(({ name }) => name === 'run7.snapshots')?.configs['cleanup.policy']).toBe('compact');
  });

  it('can change the partition count of the partitioned topics only', async () => {
    const asked: string[] = [];
    const admin: TopicAdmin = {
      ensureTopics: async (specs) => {
        asked.push(...specs.map(({ name, partitionCount }) => `${name}=${partitionCount}`));
        return [];
      },
    };
    await ensureTopics(admin, { prefix: 't', profile: 'local', partitionCount: 2, deadlineMs: 1_000 });
    expect(asked).toContain('t.journal=2');
    expect(asked).toContain('t.quarantine=1');
  });
});
