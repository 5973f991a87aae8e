// SPDX-License-Identifier: Apache-2.0
import process from 'node:process';
import { type ConfigOf, declareConfig } from '@clyra/runtime/config/declaration';
import { kafkaFields } from '@clyra/runtime/config/kafka-fields';
import { loadConfig } from '@clyra/runtime/config/load-config';
import { sharedFields } from '@clyra/runtime/config/shared-fields';

export const enforcerConfig = declareConfig({
  ...kafkaFields,
  schemaRegistryUrl: sharedFields.schemaRegistryUrl,
  topicPrefix: sharedFields.topicPrefix,
  blobDir: sharedFields.blobDir,
  keyFile: sharedFields.keyFile,
  httpHost: sharedFields.httpHost,
  httpPort: sharedFields.httpPort,
  logFormat: sharedFields.logFormat,
  startDeadlineMs: sharedFields.startDeadlineMs,
  shutdownDeadlineMs: sharedFields.shutdownDeadlineMs,
  publishDelayMs: {
    env: 'CLYRA_PUBLISH_DELAY_MS',
    type: 'integer',
    min: 0,
    max: 10_000,
    default: 0,
    text: 'How long a receipt of another replica is waited for before this one publishes it, in milliseconds: 0 for the first replica, 50 for the second.',
  },
  sendDeadlineMs: {
    env: 'CLYRA_SEND_DEADLINE_MS',
    type: 'integer',
    min: 100,
    max: 60_000,
    default: 4_000,
    text: 'How long one send to Kafka may take at most before it is made again, in milliseconds; the first attempts have less.',
  },
});

export type EnforcerConfig = ConfigOf<typeof enforcerConfig>;

export function loadEnforcerConfig(): EnforcerConfig {
  return loadConfig(enforcerConfig, process.env);
}
