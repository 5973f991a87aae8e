// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { AvroRecordSchema } from './avro-schema.ts';
import { lookUpSchemas } from './look-up-schemas.ts';
import { registerSchemas } from './register-schemas.ts';

const EDGE: AvroRecordSchema = {
  type: 'record',
  name: 'EdgeEnvelope',
  namespace: 'dev.clyra',
  fields: [{ name: 'body', type: 'bytes' }],
};
const SUBJECT = '/subjects/dev.clyra.EdgeEnvelope';
const DEADLINE_MS = 500;

type Answer = { readonly status: number; readonly type?: string; readonly body: string };
const json = (status: number, body: object): Answer => ({ status, body: JSON.stringify(body) });

describe('a schema registry', () => {
  let server: Server;
  let answer: Answer | 'silence';
  let asked: string[];

  beforeEach(async () => {
    asked = [];
    server = createServer(({ url = '', method = '' }, response) => {
      asked.push(`${method} ${url}`);
      if (answer === 'silence') return;
      const type = answer.type ?? 'application/vnd.schemaregistry.v1+json';
      response.writeHead(answer.status, { 'content-type': type }).end(answer.body);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  const options = () => ({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    schemas: [EDGE],
    deadlineMs: DEADLINE_MS,
  });

  it('is only asked by a service, never changed: one look-up a schema', async () => {
    answer = json(200, { subject: 'dev.clyra.EdgeEnvelope', version: 1, id: 7, schema: JSON.stringify(EDGE) });
    expect([...(await lookUpSchemas(options()))]).toEqual([['EdgeEnvelope', 7]]);
    expect(asked).toEqual([`POST ${SUBJECT}`]);
  });

  it.each<[string, Answer]>([
    ['subject', json(404, { error_code: 40401, message: 'Subject not found' })],
    ['schema', json(404, { error_code: 40403, message: 'Schema not found' })],
  ])('says what to do where it has no such %s, and is asked again', async (_what, reply) => {
    answer = reply;
    await expect(lookUpSchemas(options())).rejects.toMatchObject({
      code: 'CLY_SCHEMA_UNREGISTERED',
      retry: 'backoff',
      message: expect.stringContaining('clyra topics apply'),
    });
  });

  it.each<[string, Answer | 'silence']>([
    ['a login page', { status: 200, type: 'text/html', body: '<form>' }],
    ['an answer without an id', json(200, {})],
    ['a refusal to talk', json(401, { error_code: 401, message: 'Unauthorized' })],
    ['a failure', json(500, { error_code: 50001, message: 'Error in the backend' })],
    ['nothing', 'silence'],
  ])('has not answered when its answer is %s', async (_what, reply) => {
    answer = reply;
    const message = expect.stringMatching(/: start it, or correct its address$/);
    const unreachable = { code: 'CLY_SCHEMA_REGISTRY_UNREACHABLE', retry: 'backoff', message };
    await expect(lookUpSchemas(options())).rejects.toMatchObject(unreachable);
  });

  it('may refuse a schema for good when it is registered', async () => {
    answer = json(409, { error_code: 409, message: 'Schema being registered is incompatible' });
    await expect(registerSchemas(options())).rejects.toMatchObject({ code: 'CLY_SCHEMA_INCOMPATIBLE', retry: 'never' });
  });
});
