// SPDX-License-Identifier: Apache-2.0
import process from 'node:process';
import { DIGEST } from '@clyra/core/canonical/digest';
import { ID } from '@clyra/core/change/shape';
import { type ConfigOf, declareConfig } from '@clyra/runtime/config/declaration';
import { kafkaFields } from '@clyra/runtime/config/kafka-fields';
import { loadConfig } from '@clyra/runtime/config/load-config';
import { sharedFields } from '@clyra/runtime/config/shared-fields';
import { upstreamListProblem } from './upstream/upstream-list.ts';

const SECRET_BYTES_MIN = 32;

/** undefined: all of them. */
export function intentPartitionsOf(value: string): readonly number[] | undefined | 'invalid' {
  if (value === 'all') return undefined;
  if (value === 'none') return [];
  return /^\d{1,5}(?:,\d{1,5})*$/.test(value) ? value.split(',').map(Number) : 'invalid';
}

export const intakeConfig = declareConfig({
  ...kafkaFields,
  schemaRegistryUrl: sharedFields.schemaRegistryUrl,
  topicPrefix: sharedFields.topicPrefix,
  blobDir: sharedFields.blobDir,
  dataDir: sharedFields.dataDir,
  keyFile: sharedFields.keyFile,
  httpHost: sharedFields.httpHost,
  httpPort: { ...sharedFields.httpPort, default: 8_081 },
  logFormat: sharedFields.logFormat,
  startDeadlineMs: sharedFields.startDeadlineMs,
  shutdownDeadlineMs: sharedFields.shutdownDeadlineMs,
  gatewayHost: {
    env: 'CLYRA_GATEWAY_HOST',
    type: 'text',
    default: '127.0.0.1',
    text: 'Address that the gateway listens on. 0.0.0.0 opens it to the network.',
  },
  gatewayPort: {
    env: 'CLYRA_GATEWAY_PORT',
    type: 'integer',
    min: 0,
    max: 65_535,
    default: 8_080,
    text: 'Port of the gateway: every request to it is a change. 0 takes a free one.',
  },
  gatewayTlsCertFile: {
    env: 'CLYRA_GATEWAY_TLS_CERT_FILE',
    type: 'text',
    optional: true,
    text: 'Certificate chain (PEM) of the gateway. With it, and its key, the gateway speaks TLS only.',
  },
  gatewayTlsKeyFile: {
    env: 'CLYRA_GATEWAY_TLS_KEY_FILE',
    type: 'text',
    optional: true,
    text: 'Private key (PEM) of the gateway’s certificate.',
  },
  gatewayClientCaFile: {
    env: 'CLYRA_GATEWAY_CLIENT_CA_FILE',
    type: 'text',
    optional: true,
    text: 'Certificates (PEM) of the authorities for client certificates. With it every client needs one, and its key can stand for a caller (certificate_keys in the credentials file).',
  },
  gatewayClientCrlFile: {
    env: 'CLYRA_GATEWAY_CLIENT_CRL_FILE',
    type: 'text',
    optional: true,
    text: 'Revocation list (PEM) of those authorities. Read at the start.',
  },
  upstreams: {
    env: 'CLYRA_UPSTREAMS',
    type: 'list',
    text: 'Where allowed changes go, as name=http://host:port, separated by commas. A policy can name no other place.',
    check: upstreamListProblem,
  },
  credentialsFile: {
    env: 'CLYRA_CREDENTIALS_FILE',
    type: 'text',
    text: 'JSON file with the HMAC keys of the callers: {"credentials": [{"key_id", "tenant", "actors", "secret"}]}.',
  },
  activationFile: {
    env: 'CLYRA_ACTIVATION_FILE',
    type: 'text',
    optional: true,
    text: 'JSON file with the vendors that deliver to /hooks/<name>/… and the keys held for upstreams, closed to others (docs/guides/activation.md). Without it there are no such addresses.',
  },
  fingerprintSecret: {
    env: 'CLYRA_FINGERPRINT_SECRET',
    type: 'text',
    secret: true,
    text: 'At least 32 bytes in base64, the same for all intakes and kept for ever: the key of request fingerprints.',
    check: (value) =>
      Buffer.from(value, 'base64').length >= SECRET_BYTES_MIN ? undefined : 'is not base64 of 32 bytes or more.',
  },
  grantPlacesFile: {
    env: 'CLYRA_GRANT_PLACES_FILE',
    type: 'text',
    optional: true,
    text: 'JSON file with the databases that redeem grants: {"places": [{"source_id", "tenant", "database", "key"}]}, each key that of its guard. Without it no grant is made.',
  },
  detectorPacks: {
    env: 'CLYRA_DETECTOR_PACKS',
    type: 'text',
    optional: true,
    text: 'Folder with the detector packs (JSON). Without it those that come with Clyra (packs/detectors).',
  },
  externalDetectors: {
    env: 'CLYRA_EXTERNAL_DETECTORS',
    type: 'list',
    optional: true,
    text: 'Detectors outside, as name=http://host:port, separated by commas; they are sent hashes only. A policy can name no other place.',
    check: upstreamListProblem,
  },
  instance: {
    env: 'CLYRA_INTAKE_INSTANCE',
    type: 'text',
    default: 'intake-1',
    text: 'Name of this intake, different for each that runs at the same time.',
    check: (value) => (ID.test(value) ? undefined : 'is not a name of letters, digits and ._:@/-.'),
  },
  identityFile: {
    env: 'CLYRA_IDENTITY_FILE',
    type: 'text',
    optional: true,
    text: 'JSON file with the identity providers of approvers and the public address of the human door. Without it the door stays shut.',
  },
  approverKeyFile: {
    env: 'CLYRA_APPROVER_KEY_FILE',
    type: 'text',
    optional: true,
    text: 'Key that signs approvals taken at the human door, of role approver: a PEM file or a KMS address, as for CLYRA_KEY_FILE.',
  },
  humanHost: {
    env: 'CLYRA_HUMAN_HOST',
    type: 'text',
    default: '127.0.0.1',
    text: 'Address that the human door listens on; outside of this machine it needs a proxy with TLS in front.',
  },
  humanPort: {
    env: 'CLYRA_HUMAN_PORT',
    type: 'integer',
    min: 0,
    max: 65_535,
    default: 8_086,
    text: 'Port of the human door, where people see and approve what is held. 0 takes a free one.',
  },
  heldDir: {
    env: 'CLYRA_HELD_DIR',
    type: 'text',
    optional: true,
    text: 'Folder for held requests, encrypted, until they are approved or their time is over. Without it `held` in the data folder; intakes that share one can each show what another held.',
  },
  trustRootDigests: {
    env: 'CLYRA_TRUST_ROOT_DIGESTS',
    type: 'list',
    optional: true,
    text: 'Digests of the trust roots that tenants may be opened under, separated by commas. Without it any root will do.',
    check: (digests) => (digests.every((digest) => DIGEST.test(digest)) ? undefined : 'holds what is no SHA-256.'),
  },
  holdMs: {
    env: 'CLYRA_HOLD_MS',
    type: 'integer',
    min: 10,
    max: 30_000,
    default: 800,
    text: 'How long a caller is held for the receipt, in milliseconds: the default leaves an answer 0.4 s of the 1.2 s in which a caller must have it. After that the answer is 503 and nothing is forwarded.',
  },
  bodyBytesMax: {
    env: 'CLYRA_BODY_BYTES_MAX',
    type: 'integer',
    min: 1_024,
    max: 1_048_576,
    default: 1_048_576,
    text: 'Largest request body, in bytes.',
  },
  spoolDir: {
    env: 'CLYRA_SPOOL_DIR',
    type: 'text',
    optional: true,
    text: 'Folder where bodies over 256 KiB of streamed routes wait, encrypted, until they are decided. Without it the data directory.',
  },
  spoolBytesMax: {
    env: 'CLYRA_SPOOL_BYTES_MAX',
    type: 'integer',
    min: 1_048_576,
    max: 1_099_511_627_776,
    default: 4_294_967_296,
    text: 'What all waiting bodies may take together, in bytes; beyond, further ones are answered 503.',
  },
  spoolCountMax: {
    env: 'CLYRA_SPOOL_COUNT_MAX',
    type: 'integer',
    min: 1,
    max: 10_000,
    default: 64,
    text: 'How many bodies of streamed routes may be on their way at the same time; further ones are answered 503.',
  },
  bodyKeyDir: {
    env: 'CLYRA_BODY_KEY_DIR',
    type: 'text',
    optional: true,
    text: 'Folder with the keys of stored bodies (body_storage.keep: allowed), shared by all intakes; a day’s key is destroyed when the day comes. Without it body-keys in the data directory.',
  },
  inFlightMax: {
    env: 'CLYRA_IN_FLIGHT_MAX',
    type: 'integer',
    min: 1,
    max: 100_000,
    default: 2_000,
    text: 'Requests that may be held or forwarded at the same time; further ones are answered 503.',
  },
  intentPartitions: {
    env: 'CLYRA_INTENT_PARTITIONS',
    type: 'text',
    default: 'all',
    text: 'Which partitions of clyra.intents this intake takes: all, none, or numbers separated by commas. Give each partition to one intake; one that two read is decided once all the same.',
    check: (value) =>
      intentPartitionsOf(value) === 'invalid' ? 'is not all, none, or numbers separated by commas.' : undefined,
  },
  intentInFlightMax: {
    env: 'CLYRA_INTENT_IN_FLIGHT_MAX',
    type: 'integer',
    min: 1,
    max: 10_000,
    default: 256,
    text: 'Intents from Kafka that may be under way at the same time; further ones wait in their topic.',
  },
  outcomeCountMax: {
    env: 'CLYRA_OUTCOME_COUNT_MAX',
    type: 'integer',
    min: 1,
    max: 1_000_000,
    default: 10_000,
    text: 'Outcomes that may wait for the log; beyond, no change is admitted.',
  },
  outcomeAgeMsMax: {
    env: 'CLYRA_OUTCOME_AGE_MS_MAX',
    type: 'integer',
    min: 100,
    max: 600_000,
    default: 5_000,
    text: 'How long the oldest outcome may wait for the log before no change is admitted, in milliseconds.',
  },
  windowMs: {
    env: 'CLYRA_WINDOW_MS',
    type: 'integer',
    min: 1_000,
    max: 86_400_000,
    default: 60_000,
    text: 'How long after its first record a window is closed, in milliseconds.',
  },
  windowCount: {
    env: 'CLYRA_WINDOW_COUNT',
    type: 'integer',
    min: 1,
    max: 1_000_000,
    default: 10_000,
    text: 'Records after which a window is closed.',
  },
  upstreamMs: {
    env: 'CLYRA_UPSTREAM_MS',
    type: 'integer',
    min: 100,
    max: 55_000,
    default: 45_000,
    text: 'How long an upstream may take for its whole answer, in milliseconds; below the minute after which an outcome is unknown.',
  },
});

export type IntakeConfig = ConfigOf<typeof intakeConfig>;

export function loadIntakeConfig(): IntakeConfig {
  return loadConfig(intakeConfig, process.env);
}
