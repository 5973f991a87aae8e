// SPDX-License-Identifier: Apache-2.0
import process from 'node:process';
import { type ConfigOf, declareConfig } from '@clyra/runtime/config/declaration';
import { kafkaFields } from '@clyra/runtime/config/kafka-fields';
import { loadConfig } from '@clyra/runtime/config/load-config';
import { httpUrlProblem, sharedFields } from '@clyra/runtime/config/shared-fields';

export const bundlerConfig = declareConfig({
  ...kafkaFields,
  schemaRegistryUrl: sharedFields.schemaRegistryUrl,
  topicPrefix: sharedFields.topicPrefix,
  blobDir: sharedFields.blobDir,
  dataDir: {
    ...sharedFields.dataDir,
    optional: true,
    text: 'Folder in which this bundler keeps how far it has come. Without it every start reads the journal from its beginning.',
  },
  keyFile: sharedFields.keyFile,
  logKeyFile: {
    env: 'CLYRA_LOG_KEY_FILE',
    type: 'text',
    optional: true,
    text: 'The key that signs checkpoints (role log), named as CLYRA_KEY_FILE is. Without it the key of CLYRA_KEY_FILE signs both, and needs both roles.',
  },
  tsaUrls: {
    env: 'CLYRA_TSA_URLS',
    type: 'list',
    default: [],
    text: 'RFC 3161 time-stamping services, separated by commas: each stamps every checkpoint after its bundle is sealed. The trust root names their certificates.',
    check: (urls) => urls.map(httpUrlProblem).find((problem) => problem !== undefined),
  },
  witnessUrls: {
    env: 'CLYRA_WITNESS_URLS',
    type: 'list',
    default: [],
    text: 'Submission prefixes of witnesses (C2SP tlog-witness), separated by commas: each cosigns every checkpoint. The trust root names their keys.',
    check: (urls) => urls.map(httpUrlProblem).find((problem) => problem !== undefined),
  },
  outsideDeadlineMs: {
    env: 'CLYRA_OUTSIDE_DEADLINE_MS',
    type: 'integer',
    min: 100,
    max: 600_000,
    default: 10_000,
    text: 'How long one question to a time-stamping service or a witness may take, in milliseconds.',
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
