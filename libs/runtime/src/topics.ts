// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import type { TopicOutcome, TopicSpec } from '@clyra/adapter-kafka/kafka-admin';
import { type TopicNames, topicNames } from '@clyra/core/change/topics';
import type { EnvelopeName } from '@clyra/core/ports/envelope-codec';

/** `local`: the single broker of the quickstart. `production`: three replicas, two of them in sync. */
export const TOPIC_PROFILES = ['local', 'production'] as const;
export type TopicProfile = (typeof TOPIC_PROFILES)[number];

/** One line of schemas/topics.json, which the local stack, the CLI and Terraform all read. */
export type CatalogueTopic = {
  readonly name: keyof TopicNames;
  readonly text: string;
  readonly partitions: number;
  readonly cleanup_policy: 'delete' | 'compact';
  /** −1 keeps for ever; deletion happens only below what is both sealed and snapshotted. */
  readonly retention_ms: number;
  readonly timestamps: 'LogAppendTime' | 'CreateTime';
  readonly message_bytes_max: number;
  readonly subjects: readonly EnvelopeName[];
  /** The services that the ACLs let write, and read. */
  readonly writers: readonly string[];
  readonly readers: readonly string[];
};

export type TopicCatalogue = {
  readonly format: 'clyra/topics/v0';
  readonly profiles: Readonly<
    Record<TopicProfile, { readonly replication_factor: number; readonly min_insync_replicas: number }>
  >;
  readonly topics: readonly CatalogueTopic[];
};

const CATALOGUE = new URL('../../../schemas/topics.json', import.meta.url);

export function topicCatalogue(): TopicCatalogue {
  return JSON.parse(readFileSync(CATALOGUE, 'utf8')) as TopicCatalogue;
}

/** The topics that a service reads or writes, in the catalogue's order: with the ACLs it can see no others. */
export function topicsOfService(service: string, prefix: string): readonly string[] {
  const names = topicNames(prefix);
  return topicCatalogue()
    .topics.filter(({ readers, writers }) => readers.includes(service) || writers.includes(service))
    .map(({ name }) => names[name]);
}

export type TopicsOptions = {
  readonly prefix: string;
  readonly profile: TopicProfile;
  /** Replaces the partition count of every partitioned topic; a running stream can never change it. */
  readonly partitionCount?: number;
};

/** The catalogue as Kafka's own settings. */
export function topicSpecs(catalogue: TopicCatalogue, options: TopicsOptions): readonly TopicSpec[] {
  const names = topicNames(options.prefix);
  const profile = catalogue.profiles[options.profile];
  return catalogue.topics.map((topic) => ({
    name: names[topic.name],
    partitionCount: topic.partitions === 1 ? 1 : (options.partitionCount ?? topic.partitions),
    replicationFactor: profile.replication_factor,
    configs: {
      'cleanup.policy': topic.cleanup_policy,
      'retention.ms': String(topic.retention_ms),
      'retention.bytes': '-1',
      'message.timestamp.type': topic.timestamps,
      'max.message.bytes': String(topic.message_bytes_max),
      'min.insync.replicas': String(profile.min_insync_replicas),
      'unclean.leader.election.enable': 'false',
      // The bytes that were hashed and signed lie in the log as they were sent.
      'compression.type': 'producer',
    },
  }));
}

/** What of KafkaAdmin is needed; a fake takes its place in tests. */
export type TopicAdmin = {
  ensureTopics(specs: readonly TopicSpec[], deadlineMs: number): Promise<readonly TopicOutcome[]>;
};

/** Creates what is missing and aligns settings; repeating it changes nothing. Rejects as KafkaAdmin.ensureTopics does. */
export function ensureTopics(
  admin: TopicAdmin,
  options: TopicsOptions & { readonly deadlineMs: number },
): Promise<readonly TopicOutcome[]> {
  return admin.ensureTopics(topicSpecs(topicCatalogue(), options), options.deadlineMs);
}
