// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { kafkaFields } from './config/kafka-fields.ts';
import { loadConfig } from './config/load-config.ts';
import { kafkaAccess } from './kafka-access.ts';

const folder = mkdtempSync(join(tmpdir(), 'clyra-access-'));
const fileOf = (name: string, content: string): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const CA = fileOf('ca.pem', 'the authority');
const PASSWORD = fileOf('password', 'p@ss word\n');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const accessOf = (env: Record<string, string>): unknown => kafkaAccess(loadConfig(kafkaFields, env), 'clyra-test');

describe('how a service reaches Kafka', () => {
  it('is in the clear unless it is told otherwise', () => {
    expect(accessOf({})).toEqual({ brokers: ['127.0.0.1:9092'], clientId: 'clyra-test' });
  });

  it('is over TLS, signed in, with files read once', () => {
    const env = {
      CLYRA_KAFKA_BROKERS: 'a:1,b:2',
      CLYRA_KAFKA_TLS: 'on',
      CLYRA_KAFKA_CA_FILE: CA,
      CLYRA_KAFKA_SASL: 'scram-sha-512',
      CLYRA_KAFKA_USER: 'clyra-intake',
      CLYRA_KAFKA_PASSWORD_FILE: PASSWORD,
    };
    expect(accessOf(env)).toEqual({
      brokers: ['a:1', 'b:2'],
      clientId: 'clyra-test',
      ssl: { ca: 'the authority' },
      sasl: { mechanism: 'scram-sha-512', username: 'clyra-intake', password: 'p@ss word' },
    });
  });

  it.each([
    ['certificates without TLS', { CLYRA_KAFKA_CA_FILE: CA }],
    ['a certificate without its key', { CLYRA_KAFKA_TLS: 'on', CLYRA_KAFKA_CERTIFICATE_FILE: CA }],
    ['a user who does not sign in', { CLYRA_KAFKA_USER: 'clyra' }],
    ['a mechanism without a password', { CLYRA_KAFKA_SASL: 'scram-sha-256', CLYRA_KAFKA_USER: 'clyra' }],
    [
      'a password in the clear',
      { CLYRA_KAFKA_SASL: 'plain', CLYRA_KAFKA_USER: 'clyra', CLYRA_KAFKA_PASSWORD_FILE: PASSWORD },
    ],
    [
      'an empty password',
      {
        CLYRA_KAFKA_SASL: 'scram-sha-256',
        CLYRA_KAFKA_USER: 'clyra',
        CLYRA_KAFKA_PASSWORD_FILE: fileOf('empty', '\n'),
      },
    ],
    ['a file that is not there', { CLYRA_KAFKA_TLS: 'on', CLYRA_KAFKA_CA_FILE: join(folder, 'nowhere') }],
  ])('is refused for %s', (_, env) => {
    expect(() => accessOf(env)).toThrow(expect.objectContaining({ code: 'CLY_KAFKA_ACCESS', retry: 'never' }));
  });
});
