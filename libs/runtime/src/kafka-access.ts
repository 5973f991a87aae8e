// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import type { KafkaOptions } from '@clyra/adapter-kafka/kafka-options';
import { ClyraError } from '@clyra/core/kernel/error';
import type { KafkaConfig } from './config/kafka-fields.ts';

/** The client's options. Throws CLY_KAFKA_ACCESS for settings that do not go together, or files that cannot be read. */
export function kafkaAccess(config: KafkaConfig, clientId: string): KafkaOptions {
  const ssl = tlsOf(config);
  const sasl = saslOf(config);
  return {
    brokers: config.kafkaBrokers,
    clientId,
    ...(ssl === undefined ? {} : { ssl }),
    ...(sasl === undefined ? {} : { sasl }),
  };
}

function tlsOf(config: KafkaConfig): KafkaOptions['ssl'] {
  const { kafkaTls, kafkaCaFile: ca, kafkaCertificateFile: cert, kafkaCertificateKeyFile: key } = config;
  if (kafkaTls === 'off') {
    if ([ca, cert, key].some((file) => file !== undefined)) {
      throw wrong('certificates are set and CLYRA_KAFKA_TLS is off: set it to on');
    }
    return undefined;
  }
  if ((cert === undefined) !== (key === undefined)) {
    throw wrong('CLYRA_KAFKA_CERTIFICATE_FILE and CLYRA_KAFKA_CERTIFICATE_KEY_FILE go together: set both');
  }
  return {
    ...(ca === undefined ? {} : { ca: read('CLYRA_KAFKA_CA_FILE', ca) }),
    ...(cert === undefined ? {} : { cert: read('CLYRA_KAFKA_CERTIFICATE_FILE', cert) }),
    ...(key === undefined ? {} : { key: read('CLYRA_KAFKA_CERTIFICATE_KEY_FILE', key) }),
  };
}

function saslOf({ kafkaSasl, kafkaTls, kafkaUser, kafkaPasswordFile }: KafkaConfig): KafkaOptions['sasl'] {
  if (kafkaSasl === 'none') {
    if (kafkaUser === undefined && kafkaPasswordFile === undefined) return undefined;
    throw wrong('a user is set and CLYRA_KAFKA_SASL is none: say how it signs in');
  }
  if (kafkaUser === undefined || kafkaPasswordFile === undefined) {
    throw wrong('CLYRA_KAFKA_SASL needs CLYRA_KAFKA_USER and CLYRA_KAFKA_PASSWORD_FILE');
  }
  if (kafkaSasl === 'plain' && kafkaTls === 'off') {
    throw wrong('CLYRA_KAFKA_SASL=plain would send the password for everybody to read: set CLYRA_KAFKA_TLS to on');
  }
  const password = read('CLYRA_KAFKA_PASSWORD_FILE', kafkaPasswordFile).replace(/\r?\n$/, '');
  if (password === '') throw wrong('the file of CLYRA_KAFKA_PASSWORD_FILE is empty');
  return { mechanism: kafkaSasl, username: kafkaUser, password } as NonNullable<KafkaOptions['sasl']>;
}

function read(setting: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw wrong(`the file of ${setting} cannot be read (${path})`, cause);
  }
}

function wrong(what: string, cause?: unknown): ClyraError {
  return new ClyraError('CLY_KAFKA_ACCESS', what, { retry: 'never', cause });
}
