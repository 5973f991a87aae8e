// SPDX-License-Identifier: Apache-2.0
import { parseArgs } from 'node:util';
import { KafkaAdmin } from '@clyra/adapter-kafka/kafka-admin';
import { KafkaLog } from '@clyra/adapter-kafka/kafka-log';
import { ClyraError } from '@clyra/core/kernel/error';
import { Registry } from './registry.ts';
import { RegistryLog, SCHEMAS_TOPIC } from './registry-log.ts';
import { registryServer } from './registry-server.ts';

const HOST = '127.0.0.1';
const WRITE_DEADLINE_MS = 10_000;
/** Confluent's topic settings, save for the replicas of a single broker. */
const TOPIC = {
  name: SCHEMAS_TOPIC,
  partitionCount: 1,
  replicationFactor: 1,
  configs: { 'cleanup.policy': 'compact' },
} as const;

const { values } = parseArgs({
  options: {
    kafka: { type: 'string', default: '127.0.0.1:29092' },
    port: { type: 'string', default: '28081' },
    'start-deadline-ms': { type: 'string', default: '60000' },
  },
});

function fail(error: unknown): never {
  const said = error instanceof ClyraError ? `${error.code}: ${error.message}` : error;
  process.stderr.write(`${String(said)}\n`);
  process.exit(1);
}

try {
  const options = { brokers: values.kafka.split(','), clientId: 'clyra-schema-registry' };
  const startDeadlineMs = Number(values['start-deadline-ms']);
  await new KafkaAdmin(options).ensureTopics([TOPIC], startDeadlineMs);
  const log = await RegistryLog.open({
    log: new KafkaLog(options),
    startDeadlineMs,
    writeDeadlineMs: WRITE_DEADLINE_MS,
    onFailure: fail,
  });
  const server = registryServer(new Registry(log));
  await server.listen({ host: HOST, port: Number(values.port) });
  process.stdout.write(`schema registry listens on http://${HOST}:${values.port}\n`);
  const stop = (): void => void server.close().then(() => process.exit(0));
  process.once('SIGTERM', stop).once('SIGINT', stop);
} catch (error) {
  fail(error);
}
