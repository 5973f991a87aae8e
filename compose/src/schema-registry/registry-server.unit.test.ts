// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { MemoryRecordLog } from './memory-record-log.ts';
import { Registry } from './registry.ts';
import { RegistryLog } from './registry-log.ts';
import { registryServer } from './registry-server.ts';

type Method = 'GET' | 'PUT' | 'POST' | 'DELETE';

const field = (name: string, rest: object = {}) => ({ name, type: 'bytes', ...rest });
const record = (...fields: object[]) =>
  JSON.stringify({ type: 'record', name: 'Thing', namespace: 'dev.test', fields: [field('body'), ...fields] });

const V1 = record();
const V2 = record(field('added', { default: '' }));
const WITHOUT_DEFAULT = record(field('added'));

async function startRegistry(log = new MemoryRecordLog()) {
  const options = { log, startDeadlineMs: 1_000, writeDeadlineMs: 1_000 };
  const onFailure = (error: unknown): never => {
    throw error;
  };
  const server = registryServer(new Registry(await RegistryLog.open({ ...options, onFailure })));
  const ask = async (method: Method, url: string, body?: object) => {
    const response = await server.inject({
      method,
      url,
      ...(body === undefined
        ? {}
        : { payload: JSON.stringify(body), headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' } }),
    });
    return { status: response.statusCode, type: response.headers['content-type'], body: JSON.parse(response.body) };
  };
  return { log, server, ask };
}

describe('the schema registry', () => {
  it('gives a schema one id, under every subject and however it is written', async () => {
    const { ask } = await startRegistry();
    expect(await ask('POST', '/subjects/a/versions', { schema: V1 })).toEqual({
      status: 200,
      type: 'application/vnd.schemaregistry.v1+json',
      body: { id: 1 },
    });
    const spaced = JSON.stringify(JSON.parse(V1), null, 2);
    expect((await ask('POST', '/subjects/a/versions', { schema: spaced })).body).toEqual({ id: 1 });
    expect((await ask('POST', '/subjects/b/versions', { schema: V1 })).body).toEqual({ id: 1 });
    expect((await ask('POST', '/subjects/b/versions', { schema: V2 })).body).toEqual({ id: 2 });
    expect((await ask('GET', '/subjects')).body).toEqual(['a', 'b']);
    expect((await ask('GET', '/subjects/b/versions')).body).toEqual([1, 2]);
    expect((await ask('GET', '/subjects/b/versions/latest')).body).toEqual({
      subject: 'b',
      version: 2,
      id: 2,
      schema: V2,
    });
    expect((await ask('POST', '/subjects/b', { schema: V1 })).body).toMatchObject({ version: 1, id: 1 });
    expect((await ask('GET', '/schemas/ids/1')).body).toEqual({ schema: V1 });
    expect((await ask('GET', '/schemas/ids/1/versions')).body).toEqual([
      { subject: 'a', version: 1 },
      { subject: 'b', version: 1 },
    ]);
  });

  it('knows after a restart what the log says, and nothing else', async () => {
    const first = await startRegistry();
    await first.ask('POST', '/subjects/a/versions', { schema: V1 });
    await first.ask('PUT', '/config/a', { compatibility: 'full_transitive' });
    const second = await startRegistry(first.log);
    expect((await second.ask('GET', '/schemas/ids/1')).body).toEqual({ schema: V1 });
    expect((await second.ask('GET', '/config/a')).body).toEqual({ compatibilityLevel: 'FULL_TRANSITIVE' });
    expect((await second.ask('POST', '/subjects/b/versions', { schema: V2 })).body).toEqual({ id: 2 });
  });

  it('holds a transitive level against every version', async () => {
    const { ask } = await startRegistry();
    await ask('PUT', '/config', { compatibility: 'FULL_TRANSITIVE' });
    await ask('POST', '/subjects/a/versions', { schema: V1 });
    await ask('POST', '/subjects/a/versions', { schema: V2 });
    expect(await ask('POST', '/subjects/a/versions', { schema: WITHOUT_DEFAULT })).toMatchObject({
      status: 409,
      body: { error_code: 409 },
    });
    const checked = await ask('POST', '/compatibility/subjects/a/versions?verbose=true', { schema: WITHOUT_DEFAULT });
    expect(checked.body).toMatchObject({ is_compatible: false, messages: [expect.stringContaining('added')] });
    // The newest version alone would let it pass: it has the field.
    const newest = await ask('POST', '/compatibility/subjects/a/versions/latest', { schema: WITHOUT_DEFAULT });
    expect(newest.body).toEqual({ is_compatible: true });
    await ask('PUT', '/config/a', { compatibility: 'NONE' });
    expect((await ask('POST', '/subjects/a/versions', { schema: WITHOUT_DEFAULT })).status).toBe(200);
  });

  it('deletes in two steps and still knows the id, since records with it remain', async () => {
    const { ask } = await startRegistry();
    await ask('POST', '/subjects/a/versions', { schema: V1 });
    expect(await ask('DELETE', '/subjects/a?permanent=true')).toMatchObject({
      status: 404,
      body: { error_code: 40405 },
    });
    expect((await ask('DELETE', '/subjects/a')).body).toEqual([1]);
    expect(await ask('GET', '/subjects/a/versions')).toMatchObject({ status: 404, body: { error_code: 40401 } });
    expect((await ask('GET', '/subjects?deleted=true')).body).toEqual(['a']);
    expect((await ask('GET', '/schemas/ids/1')).body).toEqual({ schema: V1 });
    expect((await ask('DELETE', '/subjects/a?permanent=true')).body).toEqual([1]);
    expect((await ask('GET', '/subjects?deleted=true')).body).toEqual([]);
    expect((await ask('POST', '/subjects/a/versions', { schema: V1 })).body).toEqual({ id: 1 });
  });

  it.each<[Method, string, object | undefined, number, number]>([
    ['GET', '/subjects/none/versions', undefined, 404, 40401],
    ['GET', '/subjects/a/versions/9', undefined, 404, 40402],
    ['GET', '/schemas/ids/9', undefined, 404, 40403],
    ['POST', '/subjects/a', { schema: V2 }, 404, 40403],
    ['GET', '/config/a', undefined, 404, 40408],
    ['GET', '/mode/a', undefined, 404, 40409],
    ['POST', '/subjects/a/versions', { schema: '{"type":"nonsense"}' }, 422, 42201],
    ['POST', '/subjects/a/versions', { schema: 'not json' }, 422, 42201],
    ['POST', '/subjects/a/versions', { schema: V1, schemaType: 'PROTOBUF' }, 422, 42201],
    ['GET', '/subjects/a/versions/0', undefined, 422, 42202],
    ['PUT', '/config', { compatibility: 'SOME' }, 422, 42203],
    ['PUT', '/mode', { mode: 'IMPORT' }, 422, 42204],
    ['GET', '/nowhere', undefined, 404, 404],
  ])('%s %s %j answers %d with code %d', async (method, url, body, status, code) => {
    const { ask } = await startRegistry();
    await ask('POST', '/subjects/a/versions', { schema: V1 });
    expect(await ask(method, url, body)).toMatchObject({ status, body: { error_code: code } });
  });

  it('takes nothing in read-only mode', async () => {
    const { ask } = await startRegistry();
    await ask('PUT', '/mode', { mode: 'READONLY' });
    expect(await ask('POST', '/subjects/a/versions', { schema: V1 })).toMatchObject({
      status: 422,
      body: { error_code: 42205 },
    });
  });

  it('takes no plain text, which a page in a browser could send', async () => {
    const { server } = await startRegistry();
    const headers = { 'content-type': 'text/plain' };
    const answer = await server.inject({ method: 'PUT', url: '/config', headers, payload: '{"compatibility":"NONE"}' });
    expect(answer.statusCode).toBe(415);
  });

  it('does not give an id twice after an append whose answer was lost', async () => {
    const { ask, log } = await startRegistry();
    log.loseNextAnswer = true;
    expect(await ask('POST', '/subjects/a/versions', { schema: V1 })).toMatchObject({
      status: 500,
      body: { error_code: 50001 },
    });
    expect((await ask('POST', '/subjects/b/versions', { schema: V2 })).body).toEqual({ id: 2 });
    expect((await ask('POST', '/subjects/a/versions', { schema: V1 })).body).toEqual({ id: 1 });
  });
});
