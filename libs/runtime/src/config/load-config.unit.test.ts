// SPDX-License-Identifier: Apache-2.0
import type { ClyraError } from '@clyra/core/kernel/error';
import { describe, expect, it } from '@jest/globals';
import { configReference } from './config-reference.ts';
import { declareConfig } from './declaration.ts';
import { loadConfig } from './load-config.ts';
import { sharedFields } from './shared-fields.ts';

const declaration = declareConfig({
  kafkaBrokers: sharedFields.kafkaBrokers,
  httpPort: sharedFields.httpPort,
  logFormat: sharedFields.logFormat,
  review: { env: 'CLYRA_REVIEW', type: 'boolean', default: false, text: 'Only looks on.' },
  token: { env: 'CLYRA_TOKEN', type: 'text', text: 'What it signs in with.', secret: true, check: longEnough },
  note: { env: 'CLYRA_NOTE', type: 'text', text: 'A | note.', optional: true },
});

function longEnough(value: string): string | undefined {
  return value.length >= 8 ? undefined : 'is shorter than 8 characters.';
}

const minimal = { CLYRA_HTTP_PORT: '8081', CLYRA_TOKEN: 'long enough' };

function problemsOf(env: Record<string, string>, content?: string): string {
  try {
    loadConfig(declaration, env, content === undefined ? undefined : { name: 'clyra.json', content });
  } catch (failure) {
    expect((failure as ClyraError).code).toBe('CLY_CONFIG_INVALID');
    return (failure as ClyraError).message;
  }
  throw new Error('the settings were accepted');
}

describe('loadConfig', () => {
  it('fills defaults, types every value and freezes the result', () => {
    const config = loadConfig(declaration, { ...minimal, CLYRA_REVIEW: 'true', CLYRA_LOG_FORMAT: 'pretty' });
    expect(config).toEqual({
      kafkaBrokers: ['127.0.0.1:9092'],
      httpPort: 8081,
      logFormat: 'pretty',
      review: true,
      token: 'long enough',
      note: undefined,
    });
    const format: 'json' | 'pretty' = config.logFormat;
    const note: string | undefined = config.note;
    expect([format, note]).toEqual(['pretty', undefined]);
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.kafkaBrokers)).toBe(true);
  });

  it('takes the environment before the file, and the file before the default', () => {
    const content = JSON.stringify({ kafkaBrokers: ['a:1', 'b:2'], httpPort: 1, token: 'from the file' });
    const config = loadConfig(declaration, { CLYRA_HTTP_PORT: '2' }, { name: 'clyra.json', content });
    expect(config).toMatchObject({ kafkaBrokers: ['a:1', 'b:2'], httpPort: 2, token: 'from the file' });
  });

  it('names every problem at once, with the variable to set', () => {
    const problems = problemsOf({
      CLYRA_KAFKA_BROKERS: 'a:1,,b:2',
      CLYRA_HTTP_PORT: '80.5',
      CLYRA_LOG_FORMAT: 'xml',
      CLYRA_REVIEW: 'yes',
      CLYRA_NOTE: '',
    });
    for (const variable of Object.values(declaration).map(({ env }) => env))
      expect(problems).toContain(`- ${variable}: `);
    expect(problems).toContain('6 settings are wrong');
    expect(problems).toContain('"80.5" is not an integer from 0 to 65535');
    expect(problems).toContain('"xml" is not one of json, pretty');
  });

  it('never prints a secret', () => {
    expect(problemsOf({ ...minimal, CLYRA_TOKEN: 'hunter2' })).not.toContain('hunter2');
    expect(problemsOf({ CLYRA_HTTP_PORT: '1' }, '{"token": 12345678}')).not.toContain('12345678');
  });

  it.each([
    ['{', 'is not JSON'],
    ['[]', 'is not a JSON object'],
    ['{"htpPort": 1}', '"htpPort" is not a setting'],
    ['{"kafkaBrokers": "a"}', 'not host:port'],
    ['{"httpPort": "x"}', 'is not an integer'],
  ])('refuses the file %s', (content, problem) => {
    expect(problemsOf({ CLYRA_TOKEN: 'long enough' }, content)).toContain(problem);
  });

  it.each(['http://registry:8085', 'https://registry.example/base'])('takes the address %s', (url) => {
    const shared = declareConfig({ url: sharedFields.schemaRegistryUrl });
    expect(loadConfig(shared, { CLYRA_SCHEMA_REGISTRY_URL: url }).url).toBe(url);
    expect(() => loadConfig(shared, { CLYRA_SCHEMA_REGISTRY_URL: url.slice(4) })).toThrow('not an http:// or https://');
  });
});

describe('configReference', () => {
  it('has one row for each setting, without secrets', () => {
    const secret = declareConfig({
      key: { env: 'CLYRA_K', type: 'text', secret: true, default: 'hush', text: 'A key.' },
    });
    const text = configReference([
      { service: 'intake', declaration },
      { service: 'keys', declaration: secret },
    ]);
    expect(text).toContain('## intake\n');
    expect(text).toContain('| `CLYRA_HTTP_PORT` | integer, ≥ 0, ≤ 65535 | — | Port that');
    expect(text).toContain('| `CLYRA_LOG_FORMAT` | `json` or `pretty` | `json` |');
    expect(text).toContain('| `CLYRA_NOTE` | text | none | A \\| note. |');
    expect(text).not.toContain('hush');
    const rows = text.split('\n').filter((line) => line.startsWith('| `CLYRA'));
    expect(rows).toHaveLength(Object.keys(declaration).length + 1);
  });
});
