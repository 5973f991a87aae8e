// SPDX-License-Identifier: Apache-2.0
import { KafkaAdmin } from '@clyra/adapter-kafka/kafka-admin';
import type { KafkaOptions } from '@clyra/adapter-kafka/kafka-options';
import { type TopicNames, topicNames } from '@clyra/core/change/topics';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Dependency } from './dependencies.ts';

/** Kafka answers and the topics are there: a service that read a missing topic would wait for ever, or make it. */
export function brokerDependency(options: KafkaOptions, topicPrefix: string): Dependency {
  const admin = new KafkaAdmin(options);
  return { name: 'kafka', check: (deadlineMs) => checkTopics(admin, topicNames(topicPrefix), deadlineMs) };
}

async function checkTopics(admin: KafkaAdmin, names: TopicNames, deadlineMs: number): Promise<void> {
  const wanted = Object.values(names);
  const found = new Set((await admin.describeTopics(wanted, deadlineMs)).map(({ name }) => name));
  const missing = wanted.filter((name) => !found.has(name));
  if (missing.length === 0) return;
  throw new ClyraError(
    'CLY_TOPIC_MISSING',
    `the cluster has no topic ${missing.join(', ')}: run \`clyra topics apply\`, or correct CLYRA_TOPIC_PREFIX`,
    { retry: 'backoff', context: { missingCount: missing.length } },
  );
}
