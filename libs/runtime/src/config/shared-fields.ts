// SPDX-License-Identifier: Apache-2.0
import { declareConfig } from './declaration.ts';

const ADDRESS = /^(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+):\d{1,5}$/;
const TOPIC_PREFIX = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,99}$/;

/**
 * Settings that mean the same in every service. A service takes what it needs:
 * `declareConfig({ kafkaBrokers: sharedFields.kafkaBrokers, … })`.
 */
export const sharedFields = declareConfig({
  kafkaBrokers: {
    env: 'CLYRA_KAFKA_BROKERS',
    type: 'list',
    default: ['127.0.0.1:9092'],
    text: 'Bootstrap addresses of the Kafka cluster, host:port, separated by commas.',
    check: (brokers) =>
      brokers.every((broker) => ADDRESS.test(broker)) ? undefined : 'holds an address that is not host:port.',
  },
  schemaRegistryUrl: {
    env: 'CLYRA_SCHEMA_REGISTRY_URL',
    type: 'text',
    default: 'http://127.0.0.1:8085',
    text: 'Address of a Confluent-compatible schema registry.',
    check: httpUrlProblem,
  },
  topicPrefix: {
    env: 'CLYRA_TOPIC_PREFIX',
    type: 'text',
    default: 'clyra',
    text: 'First part of every topic name; another prefix keeps another installation on the same cluster apart.',
    check: (prefix) => (TOPIC_PREFIX.test(prefix) ? undefined : 'has characters that a topic name cannot have.'),
  },
  blobDir: {
    env: 'CLYRA_BLOB_DIR',
    type: 'text',
    text: 'The blob store: a folder, or s3://<bucket>/<prefix> with options (libs/adapters/blob/README.md). Policies, snapshots, bundles and attestations; all services need the same one.',
  },
  keyFile: {
    env: 'CLYRA_KEY_FILE',
    type: 'text',
    text: 'The Ed25519 key that this service signs with: a PEM file (PKCS #8, mode 0600), aws-kms:<key>, or the address of a signer (libs/adapters/signing/README.md).',
  },
  trustRootFile: {
    env: 'CLYRA_TRUST_ROOT_FILE',
    type: 'text',
    text: 'The trust-root.json that says which key may sign for which role.',
  },
  httpHost: {
    env: 'CLYRA_HTTP_HOST',
    type: 'text',
    default: '127.0.0.1',
    text: 'Address that the HTTP server listens on. 0.0.0.0 opens it to the network.',
  },
  httpPort: {
    env: 'CLYRA_HTTP_PORT',
    type: 'integer',
    min: 0,
    max: 65_535,
    text: 'Port that the HTTP server listens on; 0 takes a free one.',
  },
  logFormat: {
    env: 'CLYRA_LOG_FORMAT',
    type: 'choice',
    choices: ['json', 'pretty'],
    default: 'json',
    text: 'json: one object a line. pretty: for a person at a terminal.',
  },
  separation: {
    env: 'CLYRA_SEPARATION',
    type: 'choice',
    choices: ['none', 'processes'],
    default: 'none',
    text: 'How the services are kept apart; printed in every bundle. none: one process or one account runs them all.',
  },
  dataDir: {
    env: 'CLYRA_DATA_DIR',
    type: 'text',
    text: 'Folder for what this service keeps on the machine between starts.',
  },
  startDeadlineMs: {
    env: 'CLYRA_START_DEADLINE_MS',
    type: 'integer',
    min: 1_000,
    max: 3_600_000,
    default: 120_000,
    text: 'How long a start waits for the broker, the registry and the database, in milliseconds.',
  },
  shutdownDeadlineMs: {
    env: 'CLYRA_SHUTDOWN_DEADLINE_MS',
    type: 'integer',
    min: 100,
    max: 600_000,
    default: 10_000,
    text: 'How long a stop may take before the process ends anyway, in milliseconds.',
  },
});

/** For `check` of a text that is an http or https address. */
export function httpUrlProblem(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url?.protocol === 'http:' || url?.protocol === 'https:' ? undefined : 'is not an http:// or https:// address.';
}
