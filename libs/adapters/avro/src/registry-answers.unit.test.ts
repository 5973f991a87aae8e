// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AvroCodec } from './avro-codec.ts';
import type { AvroRecordSchema } from './avro-schema.ts';
import { registrySchemaIds } from './registry-schema-ids.ts';

const EDGE: AvroRecordSchema = {
  type: 'record',
  name: 'EdgeEnvelope',
  namespace: 'dev.clyra',
  fields: [{ name: 'body', type: 'bytes' }],
};
const NEWER = { ...EDGE, fields: [...EDGE.fields, { name: 'more', type: 'int', default: 0 }] };
const REGISTERED_ID = 1;
const DEADLINE_MS = 500;

type Answer = { readonly status: number; readonly type?: string; readonly body: string };
const json = (status: number, body: object): Answer => ({ status, body: JSON.stringify(body) });

/** A record written with a schema id that this program has not met. */
const FOREIGN_RECORD = Buffer.concat([Buffer.from([0, 0, 0, 0, 9]), Buffer.from([2, 120, 14])]);

describe('a schema id that is not known yet', () => {
  let server: Server;
  let answer: Answer | 'silence';
  let askedCount: number;

  beforeEach(async () => {
    askedCount = 0;
    server = createServer(({ url = '', method }, response) => {
      const isLookup = url.startsWith('/schemas/ids/');
      if (isLookup) askedCount += 1;
      const reply = isLookup
        ? answer
        : method === 'GET'
          ? json(404, { error_code: 40408 })
          : json(200, { id: REGISTERED_ID });
      if (reply === 'silence') return;
      const type = reply.type ?? 'application/vnd.schemaregistry.v1+json';
      response.writeHead(reply.status, { 'content-type': type }).end(reply.body);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  async function newCodec(): Promise<AvroCodec> {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return new AvroCodec([EDGE], await registrySchemaIds({ url, schemas: [EDGE], deadlineMs: DEADLINE_MS }));
  }

  it('is asked for once, also for many records at a time, and then read at once', async () => {
    answer = json(200, { schema: JSON.stringify(NEWER) });
    const codec = await newCodec();
    const both = await Promise.all([1, 2].map(() => codec.decode('EdgeEnvelope', FOREIGN_RECORD)));
    expect(both).toEqual([{ body: Buffer.from('x') }, { body: Buffer.from('x') }]);
    expect(codec.decode('EdgeEnvelope', FOREIGN_RECORD)).toEqual({ body: Buffer.from('x') });
    expect(askedCount).toBe(1);
  });

  it.each<[string, Answer]>([
    ['does not exist', json(404, { error_code: 40403, message: 'Schema 9 not found' })],
    ['is of another kind', json(200, { schema: 'syntax = "proto3";', schemaType: 'PROTOBUF' })],
    ['is not Avro at all', json(200, { schema: '{"type":"nonsense"}' })],
  ])('makes the record poison when the registry says that it %s', async (_what, reply) => {
    answer = reply;
    const decoding = (await newCodec()).decode('EdgeEnvelope', FOREIGN_RECORD);
    await expect(decoding).rejects.toMatchObject({ code: 'CLY_SCHEMA_UNDECODABLE', retry: 'never' });
  });

  it.each<[string, Answer | 'silence']>([
    ['a 404 of somebody else', { status: 404, type: 'text/html', body: '<h1>Not Found</h1>' }],
    ['a 404 of somebody else in JSON', json(404, { error: 'no route' })],
    ['a login page', { status: 200, type: 'text/html', body: '<form>' }],
    ['an answer without a schema', json(200, {})],
    ['a refusal to talk', json(401, { error_code: 401, message: 'Unauthorized' })],
    ['a failure', json(500, { error_code: 50001, message: 'Error in the backend' })],
    ['nothing', 'silence'],
  ])('never makes it poison when the answer is %s', async (_what, reply) => {
    answer = reply;
    const decoding = (await newCodec()).decode('EdgeEnvelope', FOREIGN_RECORD);
    await expect(decoding).rejects.toMatchObject({ code: 'CLY_SCHEMA_REGISTRY_UNREACHABLE', retry: 'backoff' });
  });
});
