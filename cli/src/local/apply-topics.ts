// SPDX-License-Identifier: Apache-2.0
import { KafkaAdmin, type TopicOutcome } from '@clyra/adapter-kafka/kafka-admin';
import type { KafkaOptions } from '@clyra/adapter-kafka/kafka-options';
import { registerShippedSchemas } from '@clyra/runtime/register-shipped-schemas';
import { ensureTopics, type TopicProfile, tenantTopicSpecs } from '@clyra/runtime/topics';

export type ApplyTopicsOptions = {
  readonly brokers: readonly string[];
  readonly access?: Pick<KafkaOptions, 'ssl' | 'sasl'>;
  readonly registryUrl: string;
  readonly prefix: string;
  readonly profile: TopicProfile;
  readonly partitionCount?: number;
  readonly deadlineMs?: number;
};

const DEADLINE_MS = 30_000;

/** Topics and schema subjects as this version ships them. Rejects as KafkaAdmin and the registry client do. */
export async function applyTopics(options: ApplyTopicsOptions): Promise<readonly TopicOutcome[]> {
  const { brokers, access = {}, registryUrl, prefix, profile, partitionCount, deadlineMs = DEADLINE_MS } = options;
  const admin = new KafkaAdmin({ brokers, clientId: 'clyra-cli', ...access });
  const [outcomes] = await Promise.all([
    ensureTopics(admin, { prefix, profile, deadlineMs, ...(partitionCount === undefined ? {} : { partitionCount }) }),
    registerShippedSchemas({ url: registryUrl, deadlineMs }),
  ]);
  return outcomes;
}

export type TenantTopicsOptions = Pick<
  ApplyTopicsOptions,
  'brokers' | 'access' | 'prefix' | 'profile' | 'deadlineMs'
> & {
  readonly tenants: readonly string[];
};

/** The topics that tenants have of their own. Rejects as KafkaAdmin does. */
export function applyTenantTopics(options: TenantTopicsOptions): Promise<readonly TopicOutcome[]> {
  const { brokers, access = {}, prefix, profile, tenants, deadlineMs = DEADLINE_MS } = options;
  const specs = tenants.flatMap((tenant) => tenantTopicSpecs(tenant, { prefix, profile }));
  return new KafkaAdmin({ brokers, clientId: 'clyra-cli', ...access }).ensureTopics(specs, deadlineMs);
}
