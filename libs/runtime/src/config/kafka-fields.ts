// SPDX-License-Identifier: Apache-2.0
import { type ConfigOf, declareConfig } from './declaration.ts';
import { sharedFields } from './shared-fields.ts';

/** How a service reaches its Kafka cluster, the same in all of them. */
export const kafkaFields = declareConfig({
  kafkaBrokers: sharedFields.kafkaBrokers,
  kafkaTls: {
    env: 'CLYRA_KAFKA_TLS',
    type: 'choice',
    choices: ['off', 'on'],
    default: 'off',
    text: 'on: only over TLS, and only to brokers whose certificate holds for the name that was dialled.',
  },
  kafkaCaFile: {
    env: 'CLYRA_KAFKA_CA_FILE',
    type: 'text',
    optional: true,
    text: 'PEM file with the authorities that sign the brokers’ certificates. Without it those that Node.js knows.',
  },
  kafkaCertificateFile: {
    env: 'CLYRA_KAFKA_CERTIFICATE_FILE',
    type: 'text',
    optional: true,
    text: 'PEM file with this client’s certificate, for brokers that ask for one (mutual TLS).',
  },
  kafkaCertificateKeyFile: {
    env: 'CLYRA_KAFKA_CERTIFICATE_KEY_FILE',
    type: 'text',
    optional: true,
    text: 'PEM file with the key of CLYRA_KAFKA_CERTIFICATE_FILE.',
  },
  kafkaSasl: {
    env: 'CLYRA_KAFKA_SASL',
    type: 'choice',
    choices: ['none', 'plain', 'scram-sha-256', 'scram-sha-512'],
    default: 'none',
    text: 'How this client signs in. plain sends the password itself, and is refused without TLS.',
  },
  kafkaUser: {
    env: 'CLYRA_KAFKA_USER',
    type: 'text',
    optional: true,
    text: 'Who signs in. One user for each service lets the ACLs of schemas/topics.json hold.',
  },
  kafkaPasswordFile: {
    env: 'CLYRA_KAFKA_PASSWORD_FILE',
    type: 'text',
    optional: true,
    text: 'File with the password of CLYRA_KAFKA_USER; a line feed at its end is none of it.',
  },
});

export type KafkaConfig = ConfigOf<typeof kafkaFields>;
