// SPDX-License-Identifier: Apache-2.0
import { markdownTable } from './markdown-table.ts';
import { WRITTEN_BY } from './written-by.ts';

/** schemas/topics.json, as far as the page tells it. */
export type TopicCatalogue = {
  readonly profiles: Readonly<
    Record<string, { readonly replication_factor: number; readonly min_insync_replicas: number }>
  >;
  readonly topics: readonly {
    readonly name: string;
    readonly per_tenant?: boolean;
    readonly text: string;
    readonly partitions: number;
    readonly cleanup_policy: string;
    readonly retention_ms: number;
    readonly timestamps: string;
    readonly message_bytes_max: number;
    readonly subjects: readonly string[];
    readonly writers: readonly string[];
    readonly readers: readonly string[];
  }[];
};

export function topicsPage({ profiles, topics }: TopicCatalogue): string {
  const settings = topics.map((topic) => [
    topicName(topic),
    String(topic.partitions),
    topic.cleanup_policy === 'compact' ? 'compacted' : retention(topic.retention_ms),
    topic.timestamps,
    String(topic.message_bytes_max),
  ]);
  const uses = topics.map(({ text, subjects, writers, readers, ...topic }) => [
    topicName(topic),
    text,
    subjects.map((subject) => `\`${subject}\``).join(', '),
    writers.join(', '),
    readers.length === 0 ? 'people' : readers.join(', '),
  ]);
  const copies = Object.entries(profiles).map(([name, profile]) => [
    name,
    String(profile.replication_factor),
    String(profile.min_insync_replicas),
  ]);
  return [
    `# Topics\n\n${WRITTEN_BY}\n\nThe catalogue is \`schemas/topics.json\`; \`clyra topics apply\` makes the topics so. `,
    'The envelopes are in `schemas/avro/`, the bodies inside them in `schemas/json/`. Nobody writes a topic but its writers:\n',
    'that is for ACLs to hold.\n\n## Uses\n\n',
    markdownTable(['topic', 'carries', 'envelope', 'written by', 'read by'], uses),
    '\n## Settings\n\nSizes in bytes. The number of partitions is the local one; a tenant stays in its partition.\n\n',
    markdownTable(['topic', 'partitions', 'kept', 'time-stamps', 'message at most'], settings),
    '\n## Copies\n\n',
    markdownTable(['profile', 'replication factor', 'in-sync replicas at least'], copies),
  ].join('');
}

function topicName({ name, per_tenant: perTenant }: { readonly name: string; readonly per_tenant?: boolean }): string {
  return perTenant === true ? `\`clyra.${name}.<tenant>\`` : `\`clyra.${name}\``;
}

const DAY_MS = 86_400_000;

function retention(ms: number): string {
  return ms < 0 ? 'for ever' : ms === DAY_MS ? '1 day' : `${ms / DAY_MS} days`;
}
