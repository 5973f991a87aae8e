// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import { describe, expect, it } from '@jest/globals';
import { brokerDependency, type TopicSource } from './broker-dependency.ts';
import { endParts } from './log-service.ts';
import { topicsOfService } from './topics.ts';

const SERVICES = ['intake', 'enforcer', 'recorder', 'bundler', 'attestor'] as const;

/** A cluster with these topics only. */
function clusterOf(topics: readonly string[]): TopicSource {
  return {
    describeTopics: async (names) =>
      names
        .filter((name) => topics.includes(name))
        .map((name) => ({ name, partitionCount: 4, replicationFactor: 1, configs: {} })),
  };
}

describe('what a service asks the cluster for', () => {
  it.each(SERVICES)('%s waits for each topic that it reads or writes, and says which is missing', async (service) => {
    const own = topicsOfService(service, 'run7');
    await expect(brokerDependency(clusterOf(own), own).check(1)).resolves.toBeUndefined();
    for (const absent of own) {
      const cluster = clusterOf(own.filter((name) => name !== absent));
      await expect(brokerDependency(cluster, own).check(1)).rejects.toMatchObject({
        code: 'CLY_TOPIC_MISSING',
        retry: 'backoff',
        message: expect.stringContaining(absent),
      });
    }
  });

  it('asks for nothing that its ACLs hide from it', () => {
    expect(topicsOfService('enforcer', 'c')).toEqual(['c.changes', 'c.receipts', 'c.snapshots', 'c.quarantine']);
    expect(topicsOfService('attestor', 'c')).toEqual(['c.bundles', 'c.attestations']);
    expect(topicsOfService('recorder', 'c')).toEqual(['c.changes', 'c.receipts', 'c.observations']);
  });
});

describe('the parts of a service', () => {
  it('end the last first, also after one that fails; the first failure is told', async () => {
    const ended: string[] = [];
    const part = (name: string, failure?: Error) => async () => {
      ended.push(name);
      if (failure !== undefined) throw failure;
    };
    const late = new ClyraError('CLY_SERVICE_STOP_LATE', 'too late', { retry: 'never' });
    await expect(endParts([part('log'), part('processor', late), part('gateway')])).rejects.toBe(late);
    expect(ended).toEqual(['gateway', 'processor', 'log']);
  });
});
