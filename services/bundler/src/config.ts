// SPDX-License-Identifier: Apache-2.0
import process from 'node:process';
import { type ConfigOf, declareConfig } from '@clyra/runtime/config/declaration';
import { loadConfig } from '@clyra/runtime/config/load-config';
import { sharedFields } from '@clyra/runtime/config/shared-fields';

export const bundlerConfig = declareConfig({
  kafkaBrokers: sharedFields.kafkaBrokers,
  schemaRegistryUrl: sharedFields.schemaRegistryUrl,
  topicPrefix: sharedFields.topicPrefix,
  blobDir: sharedFields.blobDir,
  keyFile: sharedFields.keyFile,
  logKeyFile: {
    env: 'CLYRA_LOG_KEY_FILE',
    type: 'text',
    optional: true,
    text: 'PEM file with the key that signs checkpoints (role log). Without it the key of CLYRA_KEY_FILE signs both, and needs both roles.',
  },
  httpHost: sharedFields.httpHost,
  httpPort: sharedFields.httpPort,
  logFormat: sharedFields.logFormat,
  separation: sharedFields.separation,
  startDeadlineMs: sharedFields.startDeadlineMs,
  shutdownDeadlineMs: sharedFields.shutdownDeadlineMs,
  spoolBytesMax: {
    env: 'CLYRA_SPOOL_BYTES_MAX',
    type: 'integer',
    min: 65_536,
    max: 268_435_456,
    default: 1_048_576,
    text: 'Lines of an open range held in memory for each tenant, in bytes; what is more lies in the blob store until the range is sealed.',
  },
});

export type BundlerConfig = ConfigOf<typeof bundlerConfig>;

export function loadBundlerConfig(): BundlerConfig {
  return loadConfig(bundlerConfig, process.env);
}
