// SPDX-License-Identifier: Apache-2.0
import process from 'node:process';
import { type ConfigOf, declareConfig } from '@clyra/runtime/config/declaration';
import { kafkaFields } from '@clyra/runtime/config/kafka-fields';
import { loadConfig } from '@clyra/runtime/config/load-config';
import { sharedFields } from '@clyra/runtime/config/shared-fields';

export const recorderConfig = declareConfig({
  ...kafkaFields,
  schemaRegistryUrl: sharedFields.schemaRegistryUrl,
  topicPrefix: sharedFields.topicPrefix,
  keyFile: sharedFields.keyFile,
  dataDir: sharedFields.dataDir,
  httpHost: sharedFields.httpHost,
  httpPort: sharedFields.httpPort,
  logFormat: sharedFields.logFormat,
  startDeadlineMs: sharedFields.startDeadlineMs,
  shutdownDeadlineMs: sharedFields.shutdownDeadlineMs,
  sourcesFile: {
    env: 'CLYRA_SOURCES_FILE',
    type: 'text',
    optional: true,
    text: 'The sources.json with the databases to record, their slots, publications and guarded relations. Without it nothing is recorded.',
  },
  prepareSources: {
    env: 'CLYRA_PREPARE_SOURCES',
    type: 'boolean',
    default: true,
    text: 'Whether the recorder may make a missing publication (of the guarded relations only) and a missing slot. Where false, somebody else makes them.',
  },
  watermarkIntervalMs: {
    env: 'CLYRA_WATERMARK_INTERVAL_MS',
    type: 'integer',
    min: 100,
    max: 60_000,
    default: 1_000,
    text: 'How often each source is asked for its clock and position, and a watermark published once the stream has passed it, in milliseconds.',
  },
  logDeadlineMs: {
    env: 'CLYRA_LOG_DEADLINE_MS',
    type: 'integer',
    min: 1_000,
    max: 600_000,
    default: 15_000,
    text: 'How long one question to Kafka may take before it is asked again, in milliseconds.',
  },
});

export type RecorderConfig = ConfigOf<typeof recorderConfig>;

export function loadRecorderConfig(): RecorderConfig {
  return loadConfig(recorderConfig, process.env);
}
