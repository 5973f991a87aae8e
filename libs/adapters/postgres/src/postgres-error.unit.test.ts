// SPDX-License-Identifier: Apache-2.0

import { ClyraError } from '@clyra/core/kernel/error';
import { describe, expect, it } from '@jest/globals';
import { classifyPostgresError, skippedPublication } from './postgres-error.ts';

const server = (fields: { code: string; file?: string; routine?: string; message?: string }): Error =>
  Object.assign(new Error(fields.message ?? 'Meldung in einer anderen Sprache'), { severity: 'FEHLER', ...fields });
const system = (code: string, message = ''): Error => Object.assign(new Error(message), { code });

describe('a notice in the stream', () => {
  it('tells of a publication that was skipped, whatever the language, and of nothing else', () => {
    const notice = server({ code: '55000', routine: 'LoadPublications' });
    expect(skippedPublication(notice)).toMatchObject({ code: 'CLY_SOURCE_PUBLICATION_MISSING', retry: 'never' });
    expect(skippedPublication(server({ code: '55000', routine: 'other' }))).toBeUndefined();
    expect(skippedPublication({ routine: 'LoadPublications' })).toBeUndefined();
  });
});

describe('classifyPostgresError', () => {
  it.each([
    ['3D000', 'connect', {}, 'CLY_SOURCE_DATABASE_MISSING', 'never'],
    ['28P01', 'connect', {}, 'CLY_SOURCE_AUTH', 'never'],
    ['28000', 'connect', {}, 'CLY_SOURCE_AUTH', 'never'],
    ['42501', 'connect', {}, 'CLY_SOURCE_PRIVILEGE', 'never'],
    ['53300', 'connect', {}, 'CLY_SOURCE_BUSY', 'backoff'],
    ['57P03', 'connect', {}, 'CLY_SOURCE_UNREACHABLE', 'backoff'],
    ['57P01', 'stream', {}, 'CLY_SOURCE_UNREACHABLE', 'backoff'],
    ['42704', 'start_replication', { file: 'slot.c' }, 'CLY_SOURCE_SLOT_MISSING', 'never'],
    ['42704', 'stream', { file: 'lsyscache.c' }, 'CLY_SOURCE_PUBLICATION_MISSING', 'never'],
    ['42704', 'sql', { file: 'slot.c' }, 'CLY_SOURCE_SLOT_MISSING', 'never'],
    ['42704', 'sql', {}, 'CLY_SOURCE_SQL_FAILED', 'never'],
    ['55006', 'start_replication', { file: 'slot.c' }, 'CLY_SOURCE_SLOT_IN_USE', 'backoff'],
    ['55006', 'sql', { file: 'dbcommands.c' }, 'CLY_SOURCE_BUSY', 'backoff'],
    ['55000', 'start_replication', { file: 'logical.c' }, 'CLY_SOURCE_SLOT_LOST', 'never'],
    ['55000', 'sql', { routine: 'CheckLogicalDecodingRequirements' }, 'CLY_SOURCE_WAL_LEVEL', 'never'],
    ['55000', 'sql', { file: 'execReplication.c' }, 'CLY_SOURCE_SQL_FAILED', 'never'],
    ['58P01', 'stream', {}, 'CLY_SOURCE_SLOT_LOST', 'never'],
    ['40001', 'sql', {}, 'CLY_SOURCE_BUSY', 'backoff'],
    ['XX001', 'stream', {}, 'CLY_SOURCE_CORRUPT', 'never'],
    ['23505', 'sql', {}, 'CLY_SOURCE_SQL_FAILED', 'never'],
  ] as const)('names SQLSTATE %s during %s whatever the language', (code, activity, fields, expected, retry) => {
    expect(classifyPostgresError(server({ code, ...fields }), activity)).toMatchObject({
      code: expected,
      retry,
      context: { activity, sqlState: code },
    });
  });

  it.each([
    ['a refused connection', system('ECONNREFUSED'), 'CLY_SOURCE_UNREACHABLE'],
    ['a name server that is away', system('EAI_AGAIN'), 'CLY_SOURCE_UNREACHABLE'],
    ['every address refused', new AggregateError([system('ECONNREFUSED')]), 'CLY_SOURCE_UNREACHABLE'],
    ['a cut connection', new Error('Connection terminated unexpectedly'), 'CLY_SOURCE_UNREACHABLE'],
    [
      'a query after the cut',
      new Error('Client has encountered a connection error and is not queryable'),
      'CLY_SOURCE_UNREACHABLE',
    ],
    ['a pool that waited', new Error('timeout exceeded when trying to connect'), 'CLY_SOURCE_UNREACHABLE'],
    ['an answer that did not come', new Error('Query read timeout'), 'CLY_SOURCE_BUSY'],
    ['an unknown authority', system('SELF_SIGNED_CERT_IN_CHAIN'), 'CLY_SOURCE_TLS'],
    ['another host in the certificate', system('ERR_TLS_CERT_ALTNAME_INVALID'), 'CLY_SOURCE_TLS'],
    ['a server without TLS', new Error('The server does not support SSL connections'), 'CLY_SOURCE_TLS'],
    ['anything else', new Error('something else'), 'CLY_SOURCE_SQL_FAILED'],
    ['what is no error at all', 'text', 'CLY_SOURCE_SQL_FAILED'],
  ])('names what the client met: %s', (_what, error, code) => {
    expect(classifyPostgresError(error, 'connect').code).toBe(code);
  });

  it('leaves values of rows in the cause alone', () => {
    const cause = server({ code: '23505', message: 'Key (email)=(jane@example.com) already exists' });
    const error = classifyPostgresError(cause);
    expect(`${error.message} ${JSON.stringify(error.context)}`).not.toContain('jane');
    expect(error.cause).toBe(cause);
  });

  it('returns a named error unchanged', () => {
    const named = new ClyraError('CLY_SOURCE_GAP', 'Record the gap.', { retry: 'never' });
    expect(classifyPostgresError(named)).toBe(named);
  });
});
