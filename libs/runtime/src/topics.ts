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
  /** Absent: as the writer sent it. Readers of other people's records know no codec of theirs, so the broker unpacks. */
  readonly compression?: 'uncompressed';
  /** One topic for each tenant, made with it; its name ends in the tenant's. */
  readonly per_tenant?: boolean;
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

/** The topics that a service reads or writes, in the catalogue's order, those of single tenants apart: with the ACLs it can see no others. */
export function topicsOfService(service: string, prefix: string): readonly string[] {
  const names = topicNames(prefix);
  return topicCatalogue()
    .topics.filter(({ per_tenant: perTenant }) => perTenant !== true)
    .filter(({ readers, writers }) => readers.includes(service) || writers.includes(service))
    .map(({ name }) => names[name]);
}

export type TopicsOptions = {
  readonly prefix: string;
  readonly profile: TopicProfile;
  /** Replaces the partition count of every partitioned topic; a running stream can never change it. */
  readonly partitionCount?: number;
};

/** The catalogue as Kafka's own settings; topics of single tenants apart. */
export function topicSpecs(catalogue: TopicCatalogue, options: TopicsOptions): readonly TopicSpec[] {
  const names = topicNames(options.prefix);
  return catalogue.topics
    .filter(({ per_tenant: perTenant }) => perTenant !== true)
    .map((topic) => specOf(topic, { ...options, name: names[topic.name], ...catalogue.profiles[options.profile] }));
}

/** The topics that one tenant has of its own. */
export function tenantTopicSpecs(tenant: string, options: Omit<TopicsOptions, 'partitionCount'>): readonly TopicSpec[] {
  const catalogue = topicCatalogue();
  const names = topicNames(options.prefix);
  return catalogue.topics
    .filter(({ per_tenant: perTenant }) => perTenant === true)
    .map((topic) => specOf(topic, { name: `${names[topic.name]}.${tenant}`, ...catalogue.profiles[options.profile] }));
}

type SpecSettings = Pick<TopicsOptions, 'partitionCount'> &
  TopicCatalogue['profiles'][TopicProfile] & { readonly name: string };

function specOf(topic: CatalogueTopic, settings: SpecSettings): TopicSpec {
  return {
    name: settings.name,
    partitionCount: topic.partitions === 1 ? 1 : (settings.partitionCount ?? topic.partitions),
    replicationFactor: settings.replication_factor,
    configs: {
      'cleanup.policy': topic.cleanup_policy,
      'retention.ms': String(topic.retention_ms),
      'retention.bytes': '-1',
      'message.timestamp.type': topic.timestamps,
      'max.message.bytes': String(topic.message_bytes_max),
      'min.insync.replicas': String(settings.min_insync_replicas),
      'unclean.leader.election.enable': 'false',
      // By default the bytes that were hashed and signed lie in the log as they were sent.
      'compression.type': topic.compression ?? 'producer',
    },
  };
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
