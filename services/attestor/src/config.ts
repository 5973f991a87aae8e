// SPDX-License-Identifier: Apache-2.0
import process from 'node:process';
import { type ConfigOf, declareConfig } from '@clyra/runtime/config/declaration';
import { kafkaFields } from '@clyra/runtime/config/kafka-fields';
import { loadConfig } from '@clyra/runtime/config/load-config';
import { sharedFields } from '@clyra/runtime/config/shared-fields';

export const attestorConfig = declareConfig({
  ...kafkaFields,
  schemaRegistryUrl: sharedFields.schemaRegistryUrl,
  topicPrefix: sharedFields.topicPrefix,
  blobDir: sharedFields.blobDir,
  keyFile: sharedFields.keyFile,
  trustRootFile: sharedFields.trustRootFile,
  dataDir: sharedFields.dataDir,
  verificationPolicyFile: {
    env: 'CLYRA_VERIFICATION_POLICY_FILE',
    type: 'text',
    optional: true,
    text: 'The verification policy that a bundle must meet for PASSED. Without it: integrity, order, completeness, authorship and policy.',
  },
  httpHost: sharedFields.httpHost,
  httpPort: sharedFields.httpPort,
  logFormat: sharedFields.logFormat,
  startDeadlineMs: sharedFields.startDeadlineMs,
  shutdownDeadlineMs: sharedFields.shutdownDeadlineMs,
});

export type AttestorConfig = ConfigOf<typeof attestorConfig>;

export function loadAttestorConfig(): AttestorConfig {
  return loadConfig(attestorConfig, process.env);
}
