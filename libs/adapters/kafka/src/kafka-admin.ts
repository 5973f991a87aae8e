// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import kafkajs, { type Admin } from 'kafkajs';
import { type Deadline, deadlineIn, pauseMs, remainingMs, within } from './deadline.ts';
import { kafkaClient } from './kafka-client.ts';
import { describeError, isAccessRefused, protocolErrorName } from './kafka-errors.ts';
import { type KafkaOptions, type KafkaSettings, kafkaSettings } from './kafka-options.ts';

export type TopicSpec = {
  readonly name: string;
  readonly partitionCount: number;
  readonly replicationFactor: number;
  /** Kafka's own setting names, for example `cleanup.policy`. Settings not named here are left as they are. */
  readonly configs: Readonly<Record<string, string>>;
};

export type TopicOutcome = { readonly name: string; readonly action: 'created' | 'altered' | 'unchanged' };

export type TopicDescription = Omit<TopicSpec, 'configs'> & {
  /** Only what is set for this topic; broker defaults are not repeated. */
  readonly configs: Readonly<Record<string, string>>;
};

export type ClusterDescription = {
  readonly clusterId: string;
  readonly brokers: readonly { readonly nodeId: number; readonly address: string }[];
};

/** Kafka's number for "set for this topic", as against a default (KIP-226). */
const TOPIC_CONFIG_SOURCE = 1;

/** The rare questions and orders to the cluster. Each call has its own connection and gives it back. */
export class KafkaAdmin {
  readonly #settings: KafkaSettings;
  #attemptCount = 0;

  constructor(options: KafkaOptions) {
    this.#settings = kafkaSettings(options);
  }

  /**
   * Creates what is missing and sets configs that differ; repeating it changes nothing. Resolves once the leaders of
   * what it created answer. Rejects with CLY_TOPIC_MISMATCH, before it changes anything, where an existing topic has
   * another partition count.
   */
  async ensureTopics(specs: readonly TopicSpec[], deadlineMs: number): Promise<readonly TopicOutcome[]> {
    const whole = deadlineIn(deadlineMs);
    const outcomes = await this.#alignTopics(specs, deadlineMs);
    const created = outcomes.filter(({ action }) => action === 'created');
    if (created.length === 0) return outcomes;
    // A leader that metadata names already may still refuse a first send; asking it for its offsets shows when it is ready.
    await this.#call('ensureTopics', remainingMs(whole), async (admin) => {
      for (const { name } of created) await admin.fetchTopicOffsets(name);
    });
    return outcomes;
  }

  #alignTopics(specs: readonly TopicSpec[], deadlineMs: number): Promise<readonly TopicOutcome[]> {
    return this.#call('ensureTopics', deadlineMs, async (admin, deadline) => {
      const existing = await describe(admin, await existingNames(admin, specs));
      for (const spec of specs) checkPartitionCount(spec, existing.get(spec.name));
      await createMissing(
        admin,
        specs.filter(({ name }) => !existing.has(name)),
        deadline,
      );
      const outcomes: TopicOutcome[] = [];
      for (const spec of specs) {
        const found = existing.get(spec.name);
        const action = found === undefined ? 'created' : await alignConfigs(admin, spec, found.configs);
        outcomes.push({ name: spec.name, action });
      }
      return outcomes;
    });
  }

  /** Those of the topics that exist. */
  describeTopics(names: readonly string[], deadlineMs: number): Promise<readonly TopicDescription[]> {
    return this.#call('describeTopics', deadlineMs, async (admin) => {
      const found = await describe(
        admin,
        await existingNames(
          admin,
          names.map((name) => ({ name })),
        ),
      );
      return [...found.values()];
    });
  }

  /** Sets these configs and keeps the topic's others. */
  alterConfigs(name: string, configs: Readonly<Record<string, string>>, deadlineMs: number): Promise<void> {
    return this.#call('alterConfigs', deadlineMs, async (admin) => {
      const current = (await describe(admin, [name])).get(name);
      await alignConfigs(admin, { name, configs }, current?.configs ?? {});
    });
  }

  deleteTopics(names: readonly string[], deadlineMs: number): Promise<void> {
    return this.#call('deleteTopics', deadlineMs, async (admin, deadline) => {
      const existing = await existingNames(
        admin,
        names.map((name) => ({ name })),
      );
      if (existing.length > 0) await admin.deleteTopics({ topics: existing, timeout: timeoutMs(deadline) });
    });
  }

  describeCluster(deadlineMs: number): Promise<ClusterDescription> {
    return this.#call('describeCluster', deadlineMs, async (admin) => {
      const { clusterId, brokers } = await admin.describeCluster();
      return { clusterId, brokers: brokers.map(({ nodeId, host, port }) => ({ nodeId, address: `${host}:${port}` })) };
    });
  }

  /** Resolves once the cluster answers; rejects with CLY_LOG_UNREACHABLE when it does not in time. */
  async ping(deadlineMs: number): Promise<void> {
    await this.describeCluster(deadlineMs);
  }

  async #call<T>(
    name: string,
    deadlineMs: number,
    order: (admin: Admin, deadline: Deadline) => Promise<T>,
  ): Promise<T> {
    const deadline = deadlineIn(deadlineMs);
    for (let waitMs = this.#settings.reconnectMinMs; ; waitMs = Math.min(waitMs * 2, this.#settings.reconnectMaxMs)) {
      this.#attemptCount += 1;
      const { kafka, sockets } = kafkaClient(this.#settings, this.#attemptCount);
      try {
        const admin = kafka.admin({ retry: { retries: 0 } });
        return await within(
          deadline,
          admin.connect().then(() => order(admin, deadline)),
        );
      } catch (cause) {
        if (cause instanceof ClyraError) throw cause;
        if (isAccessRefused(cause)) throw accessError(cause);
        if (isRefusal(cause)) throw adminError('CLY_LOG_ADMIN_REFUSED', name, cause);
        if (remainingMs(deadline) <= waitMs) throw adminError('CLY_LOG_UNREACHABLE', name, cause);
        await pauseMs(waitMs);
      } finally {
        sockets.discard();
      }
    }
  }
}

function isRefusal(cause: unknown): boolean {
  const name = protocolErrorName(cause) ?? '';
  return /^(INVALID_|POLICY_VIOLATION|UNSUPPORTED_)|_AUTHORIZATION_FAILED$/.test(name);
}

function accessError(cause: unknown): ClyraError {
  const lastError = describeError(cause);
  return new ClyraError(
    'CLY_LOG_ACCESS_REFUSED',
    `the brokers do not let this client in, or it does not trust them (${lastError}): correct CLYRA_KAFKA_TLS, the certificates, the user or its password`,
    { retry: 'never', context: { lastError }, cause },
  );
}

function adminError(code: 'CLY_LOG_ADMIN_REFUSED' | 'CLY_LOG_UNREACHABLE', order: string, cause: unknown): ClyraError {
  const refused = code === 'CLY_LOG_ADMIN_REFUSED';
  const message = refused
    ? `the cluster refused ${order}: ${describeError(cause)}; correct the order or the rights of this client`
    : `the cluster did not carry out ${order} in time: check the broker addresses and that the brokers run`;
  return new ClyraError(code, message, {
    retry: refused ? 'never' : 'backoff',
    context: { order, lastError: describeError(cause) },
    cause,
  });
}

function timeoutMs(deadline: Deadline): number {
  return Math.max(1, Math.floor(remainingMs(deadline)));
}

async function existingNames(admin: Admin, wanted: readonly { readonly name: string }[]): Promise<string[]> {
  const all = new Set(await admin.listTopics());
  return wanted.map(({ name }) => name).filter((name) => all.has(name));
}

async function describe(admin: Admin, names: readonly string[]): Promise<Map<string, TopicDescription>> {
  if (names.length === 0) return new Map();
  const { topics } = await admin.fetchTopicMetadata({ topics: [...names] });
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: names.map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name })),
  });
  const configs = new Map(
    resources.map(({ resourceName, configEntries }) => [
      resourceName,
      Object.fromEntries(
        configEntries
          .filter(({ configSource }) => configSource === TOPIC_CONFIG_SOURCE)
          .map(({ configName, configValue }) => [configName, configValue]),
      ),
    ]),
  );
  return new Map(
    topics.map(({ name, partitions }) => [
      name,
      {
        name,
        partitionCount: partitions.length,
        replicationFactor: partitions[0]?.replicas.length ?? 0,
        configs: configs.get(name) ?? {},
      },
    ]),
  );
}

function checkPartitionCount(spec: TopicSpec, found: TopicDescription | undefined): void {
  if (found === undefined || found.partitionCount === spec.partitionCount) return;
  throw new ClyraError(
    'CLY_TOPIC_MISMATCH',
    `topic ${spec.name} has ${found.partitionCount} partitions and should have ${spec.partitionCount}: ` +
      'a tenant stays in its partition, so the count is never changed in place; open a new stream instead',
    {
      retry: 'never',
      context: { topic: spec.name, wantedCount: spec.partitionCount, foundCount: found.partitionCount },
    },
  );
}

async function createMissing(admin: Admin, specs: readonly TopicSpec[], deadline: Deadline): Promise<void> {
  if (specs.length === 0) return;
  await admin.createTopics({
    waitForLeaders: true,
    timeout: timeoutMs(deadline),
    topics: specs.map(({ name, partitionCount, replicationFactor, configs }) => ({
      topic: name,
      numPartitions: partitionCount,
      replicationFactor,
      configEntries: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
    })),
  });
}

/** AlterConfigs replaces the whole set, so what the topic has already is sent again with it. */
async function alignConfigs(
  admin: Admin,
  spec: Pick<TopicSpec, 'name' | 'configs'>,
  current: Readonly<Record<string, string>>,
): Promise<'altered' | 'unchanged'> {
  if (Object.entries(spec.configs).every(([key, value]) => current[key] === value)) return 'unchanged';
  const configEntries = Object.entries({ ...current, ...spec.configs }).map(([name, value]) => ({ name, value }));
  await admin.alterConfigs({
    validateOnly: false,
    resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: spec.name, configEntries }],
  });
  return 'altered';
}
