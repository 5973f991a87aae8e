// SPDX-License-Identifier: Apache-2.0
import type { SecureContextOptions } from 'node:tls';
import type { SASLOptions } from 'kafkajs';

export type KafkaLogEntry = {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly context: Readonly<Record<string, unknown>>;
};

export type KafkaOptions = {
  /** Bootstrap addresses, `host:port`. Never empty. */
  readonly brokers: readonly string[];
  /** Shown in the broker's request log and quotas. */
  readonly clientId: string;
  readonly ssl?: boolean | (SecureContextOptions & { readonly servername?: string });
  readonly sasl?: SASLOptions;
  /** How long a TCP (and TLS) handshake, and the first request on it, may take. */
  readonly connectTimeoutMs?: number;
  /** How long one request may stay unanswered before its connection is given up. */
  readonly requestTimeoutMs?: number;
  /** How long a broker may hold a fetch open while it has nothing to hand over. */
  readonly fetchWaitMs?: number;
  readonly fetchBytesMax?: number;
  readonly partitionFetchBytesMax?: number;
  /** Pauses between attempts to reach the log again grow from the first to the second. */
  readonly reconnectMinMs?: number;
  readonly reconnectMaxMs?: number;
  /** Where the client's own messages go; nowhere by default. */
  readonly logTo?: (entry: KafkaLogEntry) => void;
};

export type KafkaSettings = Required<Omit<KafkaOptions, 'ssl' | 'sasl'>> & Pick<KafkaOptions, 'ssl' | 'sasl'>;

/**
 * The reconnect pause is short because a pause is all that stands between a broker that accepts connections
 * again and a reader that delivers again.
 */
export function kafkaSettings(options: KafkaOptions): KafkaSettings {
  return {
    connectTimeoutMs: 1_000,
    requestTimeoutMs: 3_000,
    fetchWaitMs: 100,
    fetchBytesMax: 10 * 1024 * 1024,
    partitionFetchBytesMax: 1024 * 1024,
    reconnectMinMs: 50,
    reconnectMaxMs: 500,
    logTo: () => {},
    ...options,
  };
}
