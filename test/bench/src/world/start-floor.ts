// SPDX-License-Identifier: Apache-2.0
import { KafkaAdmin } from '@clyra/adapter-kafka/kafka-admin';
import { KafkaLog } from '@clyra/adapter-kafka/kafka-log';
import { topicNames } from '@clyra/core/change/topics';
import type { FloorPlan } from '../peers/floor-plan.ts';
import { floorKeys } from '../peers/floor-signatures.ts';
import { PARTITION_COUNT } from './open-tenants.ts';
import type { World } from './world.ts';

const DEADLINE_MS = 30_000;

/**
 * The floor: the bare proxy with two hops through the same log. The signed one also makes and checks the signature of each
 * send, and so tells how much of what the gateway adds no gateway with signed decisions can save. Resolves with its address.
 */
export async function startFloor(world: World, name: 'floor' | 'signed floor'): Promise<string> {
  const topic = name.replace(' ', '-');
  const topics = { requests: `bench.${topic}-requests`, answers: `bench.${topic}-answers` };
  const brokers = world.settings.kafka_brokers;
  const admin = new KafkaAdmin({ brokers, clientId: 'bench-floor' });
  const configs = { 'message.timestamp.type': 'LogAppendTime', 'compression.type': 'producer' };
  const specs = Object.values(topics).map((topicName) => ({
    name: topicName,
    partitionCount: PARTITION_COUNT,
    replicationFactor: 1,
    configs,
  }));
  await admin.ensureTopics(specs, DEADLINE_MS);
  const plan: FloorPlan = {
    ...topics,
    ...(await recordSizes(world)),
    upstreamUrl: world.upstreamUrl,
    brokers,
    partitionCount: PARTITION_COUNT,
    ...(name === 'floor' ? {} : { keys: floorKeys() }),
  };
  await world.startPeer(`${name} forwarder`, 'floor-forwarder-main.ts', JSON.stringify(plan)).ready();
  return world.startPeer(`${name} proxy`, 'floor-proxy-main.ts', JSON.stringify(plan)).ready();
}

/** The sizes of the largest of the newest records: those of requests, since outcomes are smaller. */
async function recordSizes(world: World): Promise<{ requestBytes: number; answerBytes: number }> {
  const topics = topicNames(world.settings.topic_prefix);
  const log = new KafkaLog({ brokers: world.settings.kafka_brokers, clientId: 'bench-sizes' });
  const largest = async (topic: string): Promise<number> => {
    const ends = await log.endOffsets(topic, DEADLINE_MS);
    let size = 0;
    const batches = Promise.withResolvers<void>();
    const assignments = ends.map((end, partition) => ({ topic, partition, fromOffset: Math.max(0, end - 10) }));
    const reader = await log.read(
      {
        name: 'bench-sizes',
        assignments,
        onBatch: ({ records }) => {
          for (const { value } of records) size = Math.max(size, value?.length ?? 0);
          batches.resolve();
        },
      },
      DEADLINE_MS,
    );
    await batches.promise;
    await reader.close();
    return size;
  };
  const sizes = { requestBytes: await largest(topics.changes), answerBytes: await largest(topics.receipts) };
  await log.close();
  return sizes;
}
