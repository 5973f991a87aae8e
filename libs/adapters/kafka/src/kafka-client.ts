// SPDX-License-Identifier: Apache-2.0
import kafkajs, { type Kafka, type LogEntry } from 'kafkajs';
import type { KafkaLogEntry, KafkaSettings } from './kafka-options.ts';
import { repairRequestQueue } from './request-queue-repair.ts';
import { SocketLedger } from './socket-ledger.ts';

repairRequestQueue();

export type KafkaClient = { readonly kafka: Kafka; readonly sockets: SocketLedger };

const LEVELS: Readonly<Record<number, KafkaLogEntry['level']>> = {
  [kafkajs.logLevel.ERROR]: 'error',
  [kafkajs.logLevel.WARN]: 'warn',
  [kafkajs.logLevel.INFO]: 'info',
  [kafkajs.logLevel.DEBUG]: 'debug',
};

/**
 * A client for one use: whoever meets an error discards its sockets and makes another. `attempt` rotates the
 * bootstrap list, since kafkajs always starts at its head.
 */
export function kafkaClient(settings: KafkaSettings, attempt: number): KafkaClient {
  const sockets = new SocketLedger();
  const first = attempt % settings.brokers.length;
  const kafka = new kafkajs.Kafka({
    brokers: [...settings.brokers.slice(first), ...settings.brokers.slice(0, first)],
    clientId: settings.clientId,
    connectionTimeout: settings.connectTimeoutMs,
    authenticationTimeout: settings.connectTimeoutMs,
    requestTimeout: settings.requestTimeoutMs,
    enforceRequestTimeout: true,
    socketFactory: sockets.open,
    // The callers repeat, with their own deadlines; a hidden repetition inside the client could send twice.
    retry: { retries: 0, initialRetryTime: 1, maxRetryTime: 1 },
    logLevel: kafkajs.logLevel.INFO,
    logCreator: () => (entry) => settings.logTo(logEntry(entry)),
    ...(settings.ssl === undefined ? {} : { ssl: settings.ssl }),
    ...(settings.sasl === undefined ? {} : { sasl: settings.sasl }),
  });
  return { kafka, sockets };
}

function logEntry({ namespace, level, log }: LogEntry): KafkaLogEntry {
  const { message, timestamp: _timestamp, ...context } = log;
  return { level: LEVELS[level] ?? 'debug', message: `kafka: ${message}`, context: { namespace, ...context } };
}
