// SPDX-License-Identifier: Apache-2.0
import type { ExtraListener, StackPorts } from '../stack-config.ts';

export type BrokerSettings = {
  readonly ports: Pick<StackPorts, 'kafka' | 'kafkaController'>;
  readonly dataDir: string;
  readonly extraListeners: readonly ExtraListener[];
};

const HOST = '127.0.0.1';
/** The catalogue's limit for the product's topics (schemas/topics.json), here for all others too. */
const MESSAGE_BYTES_MAX = 1024 * 1024;

/** server.properties of the single KRaft broker, as key and value. */
export function brokerProperties(settings: BrokerSettings): Readonly<Record<string, string>> {
  return {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@${HOST}:${settings.ports.kafkaController}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'BROKER',
    ...listenerProperties(settings),
    'log.dirs': settings.dataDir,
    'auto.create.topics.enable': 'false',
    ...SINGLE_BROKER,
    ...QUICK_FAILOVER,
    'message.max.bytes': String(MESSAGE_BYTES_MAX),
    'replica.fetch.max.bytes': String(MESSAGE_BYTES_MAX),
    'unclean.leader.election.enable': 'false',
    ...FEW_THREADS,
    // Small segments only cost files here; big ones are preallocated and zeroed on some file systems.
    'log.segment.bytes': String(128 * 1024 * 1024),
    'log.index.size.max.bytes': String(1024 * 1024),
    // The default holds 128 MB of the heap from the start; this is enough for 300,000 keys in one pass of the cleaner.
    'log.cleaner.dedupe.buffer.size': String(8 * 1024 * 1024),
  };
}

function listenerProperties({ ports, extraListeners }: BrokerSettings): Record<string, string> {
  const extra = extraListeners.map(({ name, port }) => `${name}://${HOST}:${port}`);
  const extraAdvertised = extraListeners.map(({ name, advertisedPort }) => `${name}://${HOST}:${advertisedPort}`);
  const names = ['BROKER', 'CONTROLLER', ...extraListeners.map(({ name }) => name)];
  return {
    listeners: [`BROKER://${HOST}:${ports.kafka}`, `CONTROLLER://${HOST}:${ports.kafkaController}`, ...extra].join(','),
    'advertised.listeners': [`BROKER://${HOST}:${ports.kafka}`, ...extraAdvertised].join(','),
    'listener.security.protocol.map': names.map((name) => `${name}:PLAINTEXT`).join(','),
  };
}

/** One broker holds every replica; bundles made on it say so. */
const SINGLE_BROKER = {
  'default.replication.factor': '1',
  'min.insync.replicas': '1',
  'offsets.topic.replication.factor': '1',
  'offsets.topic.num.partitions': '4',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'transaction.state.log.num.partitions': '4',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
} as const;

/** The defaults (3 and 8) are for servers; on two cores each thread more is only another one to wake. */
const FEW_THREADS = { 'num.network.threads': '1', 'num.io.threads': '2' } as const;

/** The broker's defaults wait 3 to 9 seconds for members and registrations that on one machine never come late. */
const QUICK_FAILOVER = {
  'group.initial.rebalance.delay.ms': '0',
  'group.min.session.timeout.ms': '500',
  'broker.session.timeout.ms': '3000',
  'broker.heartbeat.interval.ms': '500',
} as const;

/** The text of a Java properties file. Backslashes are its escape sign. */
export function propertiesText(properties: Readonly<Record<string, string>>): string {
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${value.replaceAll('\\', '\\\\')}\n`)
    .join('');
}

/**
 * Everything goes to a rolling file of bounded size; warnings, and the one line that says "started", also to the
 * process's output, which is new at each start and so tells this start's line from an earlier one.
 */
export function loggingProperties(logFile: string): Readonly<Record<string, string>> {
  const pattern = '%d{yyyy-MM-dd HH:mm:ss.SSS} %p %m (%c)%n';
  return {
    status: 'error',
    'appender.file.type': 'RollingFile',
    'appender.file.name': 'file',
    'appender.file.fileName': logFile,
    'appender.file.filePattern': `${logFile}.%i`,
    'appender.file.layout.type': 'PatternLayout',
    'appender.file.layout.pattern': pattern,
    'appender.file.policies.type': 'Policies',
    'appender.file.policies.size.type': 'SizeBasedTriggeringPolicy',
    'appender.file.policies.size.size': '10MB',
    'appender.file.strategy.type': 'DefaultRolloverStrategy',
    'appender.file.strategy.max': '3',
    'appender.out.type': 'Console',
    'appender.out.name': 'out',
    'appender.out.layout.type': 'PatternLayout',
    'appender.out.layout.pattern': pattern,
    'rootLogger.level': 'info',
    'rootLogger.appenderRef.file.ref': 'file',
    'rootLogger.appenderRef.out.ref': 'out',
    'rootLogger.appenderRef.out.level': 'error',
    'logger.started.name': 'kafka.server.KafkaRaftServer',
    'logger.started.level': 'info',
    'logger.started.appenderRef.out.ref': 'out',
    'logger.config.name': 'org.apache.kafka.common.config.AbstractConfig',
    'logger.config.level': 'warn',
  };
}
