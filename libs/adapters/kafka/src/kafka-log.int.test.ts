// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { testKafkaConfig } from '@clyra/testing/config';
import { recordLogContract } from '@clyra/testing/contract/record-log-contract';
import type { RecordLogHarness } from '@clyra/testing/contract/record-log-harness';
import { LossyProxy } from '@clyra/testing/lossy-proxy';
import { realClock } from '@clyra/testing/real-clock';
import { SeededRandom } from '@clyra/testing/seeded-random';
import { KafkaAdmin } from './kafka-admin.ts';
import { KafkaLog } from './kafka-log.ts';

const CLIENT_ID = 'clyra-contract';
const REQUEST_TIMEOUT_MS = 800;

recordLogContract({ name: 'Kafka, behind a lossy network', create: kafkaHarness });

async function kafkaHarness(): Promise<RecordLogHarness> {
  const { bootstrap, lossy } = testKafkaConfig();
  const admin = new KafkaAdmin({ brokers: [bootstrap], clientId: CLIENT_ID });
  await admin.ping(5_000);
  const proxy = await LossyProxy.start({
    listenPort: lossy.advertisedPort,
    target: { host: '127.0.0.1', port: lossy.port },
    random: new SeededRandom(1),
  });
  const log = new KafkaLog({
    brokers: [`127.0.0.1:${proxy.port}`],
    clientId: CLIENT_ID,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
  });
  const topics: string[] = [];
  return {
    log,
    clock: realClock,
    slackMs: 250,
    lostWithinMs: 4_000,
    createTopic: async (partitionCount) => {
      const name = `contract.${randomUUID()}`;
      const configs = { 'message.timestamp.type': 'LogAppendTime' };
      await admin.ensureTopics([{ name, partitionCount, replicationFactor: 1, configs }], 10_000);
      topics.push(name);
      return name;
    },
    setFaults: (faults) => proxy.setFaults(faults),
    freeze: () => proxy.freeze(),
    thaw: () => proxy.thaw(),
    disconnectReaders: () => proxy.cutAll(),
    drive: (body) => body,
    close: async () => {
      await log.close();
      await proxy.close();
      await admin.deleteTopics(topics, 10_000);
    },
  };
}
