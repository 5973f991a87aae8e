// SPDX-License-Identifier: Apache-2.0
import type { KafkaAdmin } from '@clyra/adapter-kafka/kafka-admin';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Dependency } from './dependencies.ts';

/** What of KafkaAdmin is needed; a fake takes its place in tests. */
export type TopicSource = Pick<KafkaAdmin, 'describeTopics'>;

/** Kafka answers and these topics are there: a service that read a missing topic would wait for ever, or make it. */
export function brokerDependency(source: TopicSource, topics: readonly string[]): Dependency {
  return { name: 'kafka', check: (deadlineMs) => checkTopics(source, topics, deadlineMs) };
}

async function checkTopics(source: TopicSource, wanted: readonly string[], deadlineMs: number): Promise<void> {
  const found = new Set((await source.describeTopics(wanted, deadlineMs)).map(({ name }) => name));
  const missing = wanted.filter((name) => !found.has(name));
  if (missing.length === 0) return;
  throw new ClyraError(
    'CLY_TOPIC_MISSING',
    `the cluster has no topic ${missing.join(', ')}: run \`clyra topics apply\`, or correct CLYRA_TOPIC_PREFIX`,
    { retry: 'backoff', context: { missingCount: missing.length } },
  );
}
