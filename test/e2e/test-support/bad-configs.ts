// SPDX-License-Identifier: Apache-2.0
import type { ServiceName } from '@clyra/cli/local/layout';

/** A service's environment that cannot work: it must not start, and must name every variable at once. */
export type BadConfig = {
  readonly name: string;
  readonly service: ServiceName;
  /** Put over a sound environment; null takes the variable away. */
  readonly env: Readonly<Record<string, string | null>>;
  readonly code: string;
  /** Words that the message must hold: for a setting, its variable. */
  readonly names: readonly string[];
};

const INVALID = 'CLY_CONFIG_INVALID';
/** Must never be repeated in a message. */
export const SHORT_SECRET = 'c2hvcnQtc2VjcmV0';

/** `file` writes a file of this content and returns its path. */
export function badConfigs(file: (name: string, content: string) => string): readonly BadConfig[] {
  const all = (service: ServiceName, env: BadConfig['env']): BadConfig => {
    return {
      name: `${service} with ${Object.keys(env).length} wrong settings`,
      service,
      env,
      code: INVALID,
      names: Object.keys(env),
    };
  };
  const shared = {
    CLYRA_KAFKA_BROKERS: 'nowhere',
    CLYRA_HTTP_PORT: '99999',
    CLYRA_LOG_FORMAT: 'xml',
    CLYRA_KEY_FILE: null,
  };
  return [
    all('intake', {
      ...shared,
      CLYRA_UPSTREAMS: 'crm=ftp://host',
      CLYRA_FINGERPRINT_SECRET: SHORT_SECRET,
      CLYRA_HOLD_MS: 'soon',
      CLYRA_BODY_BYTES_MAX: '9999999',
      CLYRA_TRUST_ROOT_DIGESTS: 'abc',
    }),
    all('enforcer', { ...shared, CLYRA_BLOB_DIR: null, CLYRA_PUBLISH_DELAY_MS: '-1', CLYRA_TOPIC_PREFIX: 'a b' }),
    all('recorder', { ...shared, CLYRA_PREPARE_SOURCES: 'perhaps', CLYRA_WATERMARK_INTERVAL_MS: '1' }),
    all('bundler', { ...shared, CLYRA_SEPARATION: 'houses', CLYRA_SPOOL_BYTES_MAX: '1', CLYRA_BLOB_DIR: '' }),
    all('attestor', { ...shared, CLYRA_SCHEMA_REGISTRY_URL: 'registry', CLYRA_TRUST_ROOT_FILE: null }),
    {
      name: 'a recorder whose sources are no list',
      service: 'recorder',
      env: { CLYRA_SOURCES_FILE: file('no-list.json', '{}') },
      code: 'CLY_RECORDER_SOURCES',
      names: ['no-list.json'],
    },
    {
      name: 'an intake whose credentials are no JSON',
      service: 'intake',
      env: { CLYRA_CREDENTIALS_FILE: file('no-credentials.json', 'secret!') },
      code: 'CLY_CREDENTIALS_INVALID',
      names: [],
    },
    {
      name: 'an enforcer whose key is none',
      service: 'enforcer',
      env: { CLYRA_KEY_FILE: file('no-key.pem', 'not a key') },
      code: 'CLY_KEY',
      names: ['no-key.pem'],
    },
  ];
}
