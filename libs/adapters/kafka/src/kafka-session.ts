// SPDX-License-Identifier: Apache-2.0
import { assert } from '@clyra/core/kernel/assert';
import type { PartitionAppend, PartitionBatch } from '@clyra/core/ports/record-log';
import kafkajs, { type Broker, type Cluster } from 'kafkajs';
import { type Deadline, within } from './deadline.ts';
import { kafkaClient } from './kafka-client.ts';
import type { KafkaSettings } from './kafka-options.ts';
import type { SocketLedger } from './socket-ledger.ts';
import { type FetchedPartition, type FetchPosition, type FetchWait, fetchRequest } from './wire/fetch.ts';
import { sendThrough } from './wire/kafkajs-protocol.ts';
import { produceRequest } from './wire/produce.ts';

export type TopicPartition = { readonly topic: string; readonly partition: number };

/** The offset before which nothing is left, and the one the next record will get. */
export type OffsetRange = TopicPartition & { readonly startOffset: number; readonly endOffset: number };

const FIRST_OFFSET_TIMESTAMP = -2;
const END_OFFSET_TIMESTAMP = -1;

/**
 * One connected client that writes, and that reads by position, without a consumer group: no join, no session time-out, no
 * coordinator to wait for after a broker's restart, and an offset out of range is an error here, where a
 * consumer silently jumps to one end of the log. After any error the owner discards the session.
 */
export class KafkaSession {
  readonly #cluster: Cluster;
  readonly #sockets: SocketLedger;
  readonly #known = new Set<string>();

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

  knows(topic: string): boolean {
    return this.#known.has(topic);
  }

  /** Asks for the partitions and leaders of topics the session does not know yet. */
  async learn(topics: readonly string[]): Promise<void> {
    if (topics.length === 0) return;
    await this.#cluster.addMultipleTargetTopics([...topics]);
    for (const topic of topics) this.#known.add(topic);
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
  async fetch(
    leader: string,
    positions: readonly FetchPosition[],
    wait: FetchWait,
  ): Promise<readonly FetchedPartition[]> {
    const broker: Broker = await this.#cluster.findBroker({ nodeId: leader });
    return sendThrough(broker, fetchRequest(positions, wait));
  }

  /** Sends records to the leaders of their partitions, and resolves when every replica has them (acks = all). */
  async produce(batches: readonly PartitionBatch[], timeoutMs: number): Promise<readonly PartitionAppend[]> {
    const byLeader = [...Map.groupBy(batches, (batch) => this.leaderOf(batch))];
    const timing = { timeoutMs, nowMs: Date.now() };
    const appends = await Promise.all(
      byLeader.map(async ([leader, part]) => {
        const broker: Broker = await this.#cluster.findBroker({ nodeId: leader });
        return sendThrough(broker, produceRequest(part, timing));
      }),
    );
    return appends.flat();
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

function safeOffset(decimal: string): number {
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

function known(offsets: ReadonlyMap<number, number>, partition: number): number {
  const offset = offsets.get(partition);
  if (offset === undefined) throw new Error(`the log did not say the offset of partition ${partition}`);
  return offset;
}
