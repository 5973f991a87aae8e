// SPDX-License-Identifier: Apache-2.0
import { assert } from '@clyra/core/kernel/assert';
import kafkajs, { type Broker, type Cluster } from 'kafkajs';
import { type Deadline, within } from './deadline.ts';
import { kafkaClient } from './kafka-client.ts';
import type { KafkaSettings } from './kafka-options.ts';
import type { SocketLedger } from './socket-ledger.ts';

export type TopicPartition = { readonly topic: string; readonly partition: number };

/** The offset before which nothing is left, and the one the next record will get. */
export type OffsetRange = TopicPartition & { readonly startOffset: number; readonly endOffset: number };

export type FetchPosition = TopicPartition & { readonly fromOffset: number };

export type FetchWait = {
  readonly waitMs: number;
  /** The broker answers when it has this much, or when the wait is over. */
  readonly bytesMin: number;
  readonly bytesMax: number;
  readonly partitionBytesMax: number;
};

/** As kafkajs decodes a fetch response; offsets and times are decimal strings. */
export type FetchedMessage = {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly isControlRecord: boolean;
  readonly batchContext?: { readonly firstOffset: string; readonly lastOffsetDelta: number };
};

export type FetchedPartition = TopicPartition & {
  readonly highWatermark: number;
  readonly messages: readonly FetchedMessage[];
};

type FetchResponse = {
  readonly responses: readonly {
    readonly topicName: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly highWatermark: string;
      readonly messages: readonly FetchedMessage[];
    }[];
  }[];
};

const FIRST_OFFSET_TIMESTAMP = -2;
const END_OFFSET_TIMESTAMP = -1;

/**
 * One connected client that reads by position, without a consumer group: no join, no session time-out, no
 * coordinator to wait for after a broker's restart, and an offset out of range is an error here, where a
 * consumer silently jumps to one end of the log. After any error the owner discards the session.
 */
export class KafkaSession {
  readonly #cluster: Cluster;
  readonly #sockets: SocketLedger;

  private constructor(cluster: Cluster, sockets: SocketLedger) {
    this.#cluster = cluster;
    this.#sockets = sockets;
  }

  /** Connects and learns the topics. Rejects with the client's error, or DeadlinePassed. */
  static async open(
    settings: KafkaSettings,
    topics: readonly string[],
    until: { readonly attempt: number; readonly deadline: Deadline },
  ): Promise<KafkaSession> {
    const { kafka, sockets } = kafkaClient(settings, until.attempt);
    const session = new KafkaSession(clusterOf(kafka, settings.clientId), sockets);
    try {
      await within(until.deadline, session.#connect(topics));
      return session;
    } catch (error) {
      session.discard();
      throw error;
    }
  }

  /** Forgets the connection at once; every pending call rejects. */
  discard(): void {
    this.#sockets.discard();
  }

  /** Asks for the partitions and leaders of topics the session does not know yet. */
  async learn(topics: readonly string[]): Promise<void> {
    if (topics.length > 0) await this.#cluster.addMultipleTargetTopics([...topics]);
  }

  async refresh(): Promise<void> {
    await this.#cluster.refreshMetadata();
  }

  partitionsOf(topic: string): readonly number[] {
    return this.#cluster
      .findTopicPartitionMetadata(topic)
      .map(({ partitionId }) => partitionId)
      .sort((a, b) => a - b);
  }

  /** The broker that leads a partition; -1 while none does. */
  leaderOf({ topic, partition }: TopicPartition): string {
    const found = this.#cluster.findTopicPartitionMetadata(topic).find(({ partitionId }) => partitionId === partition);
    if (found === undefined) throw new Error(`the log has no partition ${partition} of topic ${topic}`);
    return String(found.leader);
  }

  async ranges(topic: string, partitions: readonly number[]): Promise<readonly OffsetRange[]> {
    const [starts, ends] = await Promise.all([
      this.#offsetsAt(topic, partitions, FIRST_OFFSET_TIMESTAMP),
      this.#offsetsAt(topic, partitions, END_OFFSET_TIMESTAMP),
    ]);
    return partitions.map((partition) => ({
      topic,
      partition,
      startOffset: known(starts, partition),
      endOffset: known(ends, partition),
    }));
  }

  /** Asks one leader for what follows the positions; all of them must be led by it. */
  async fetch(leader: string, positions: readonly FetchPosition[], wait: FetchWait): Promise<FetchedPartition[]> {
    const broker: Broker = await this.#cluster.findBroker({ nodeId: leader });
    const response: FetchResponse = await broker.fetch({
      maxWaitTime: wait.waitMs,
      minBytes: wait.bytesMin,
      maxBytes: wait.bytesMax,
      topics: byTopic(positions, wait.partitionBytesMax),
    });
    return response.responses.flatMap(({ topicName, partitions }) =>
      partitions.map(({ partition, highWatermark, messages }) => ({
        topic: topicName,
        partition,
        highWatermark: safeOffset(highWatermark),
        messages,
      })),
    );
  }

  async #connect(topics: readonly string[]): Promise<void> {
    await this.#cluster.connect();
    await this.learn(topics);
  }

  async #offsetsAt(topic: string, partitions: readonly number[], timestamp: number): Promise<Map<number, number>> {
    const [found] = await this.#cluster.fetchTopicsOffset([
      { topic, fromTimestamp: timestamp, partitions: partitions.map((partition) => ({ partition })) },
    ]);
    return new Map(found?.partitions.map(({ partition, offset }) => [partition, safeOffset(offset)]));
  }
}

export function safeOffset(decimal: string): number {
  const offset = Number(decimal);
  assert(Number.isSafeInteger(offset), `offset ${decimal} is not a safe integer`);
  return offset;
}

/** kafkajs hands its cluster to assigner factories, which is its one public door to requests without a group. */
function clusterOf(kafka: ReturnType<typeof kafkaClient>['kafka'], name: string): Cluster {
  let cluster: Cluster | undefined;
  kafka.consumer({
    groupId: `${name}-never-joined`,
    allowAutoTopicCreation: false,
    partitionAssigners: [
      (config) => {
        cluster = config.cluster;
        return kafkajs.PartitionAssigners.roundRobin(config);
      },
    ],
  });
  assert(cluster !== undefined, 'kafkajs no longer hands its cluster to assigners: the reader needs another way');
  return cluster;
}

function byTopic(positions: readonly FetchPosition[], maxBytes: number) {
  return [...Map.groupBy(positions, ({ topic }) => topic)].map(([topic, group]) => ({
    topic,
    partitions: group.map(({ partition, fromOffset }) => ({ partition, fetchOffset: String(fromOffset), maxBytes })),
  }));
}

function known(offsets: ReadonlyMap<number, number>, partition: number): number {
  const offset = offsets.get(partition);
  if (offset === undefined) throw new Error(`the log did not say the offset of partition ${partition}`);
  return offset;
}
