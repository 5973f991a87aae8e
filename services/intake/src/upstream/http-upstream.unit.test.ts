// SPDX-License-Identifier: Apache-2.0
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { UpstreamRequest, UpstreamResult } from '../gateway/upstream.ts';
import { HttpUpstream, type UpstreamLimits } from './http-upstream.ts';
import { parseUpstream, refuseLinkLocal, type UpstreamAddress, upstreamListProblem } from './upstream-list.ts';

const REQUEST: UpstreamRequest = {
  method: 'POST',
  target: '/v1/x?y=1',
  headers: ['x-own', 'a', 'x-own', 'b'],
  body: Buffer.from('body'),
};

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

describe('HttpUpstream', () => {
  const closing: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });

  async function serverThat(answer: Answer): Promise<Server> {
    const server = createServer(answer);
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    closing.push(() => new Promise((resolve) => server.close(resolve).closeAllConnections()));
    return server;
  }

  async function forward(server: Server, limits: Partial<UpstreamLimits> = {}): Promise<UpstreamResult> {
    const { port } = server.address() as AddressInfo;
    const upstream = await HttpUpstream.open([{ name: 'crm', url: new URL(`http://localhost:${port}`) }], limits);
    closing.unshift(() => upstream.close());
    return upstream.forward('crm', REQUEST);
  }

  it('passes target, headers and body on, and the answer back', async () => {
    const seen: unknown[] = [];
    const server = await serverThat((request, response) => {
      request.on('data', (chunk: Buffer) => seen.push(chunk.toString()));
      request.on('end', () => {
        seen.push(request.method, request.url, request.headers['x-own'], request.headers['content-length']);
        response.writeHead(201, { 'x-back': ['1', '2'] }).end('made');
      });
    });
    const result = await forward(server);
    expect(seen).toEqual(['body', 'POST', '/v1/x?y=1', 'a, b', '4']);
    expect(result).toMatchObject({ kind: 'answered', status: 201, headers: { 'x-back': ['1', '2'] } });
  });

  it('does not follow a redirect', async () => {
    let hits = 0;
    const server = await serverThat((_, response) => {
      hits += 1;
      response.writeHead(307, { location: '/elsewhere' }).end();
    });
    expect(await forward(server)).toMatchObject({ kind: 'answered', status: 307 });
    expect(hits).toBe(1);
  });

  it('hands a long answer over as it comes', async () => {
    const server = await serverThat((_, response) => {
      response.write('first ');
      response.end('second');
    });
    const result = await forward(server);
    if (result.kind !== 'answered' || result.body instanceof Uint8Array) throw new Error('a stream was expected');
    let text = '';
    for await (const chunk of result.body) text += Buffer.from(chunk).toString();
    expect(text).toBe('first second');
  });

  it('reads a long answer no faster than its reader, and leaves nothing out', async () => {
    const long = Buffer.alloc(3_000_000, 'long answer ');
    const server = await serverThat((_, response) =>
      response.writeHead(200, { 'content-length': long.length }).end(long),
    );
    const result = await forward(server);
    if (result.kind !== 'answered' || result.body instanceof Uint8Array) throw new Error('a stream was expected');
    const pieces: Uint8Array[] = [];
    for await (const piece of result.body) pieces.push(piece);
    expect(Buffer.concat(pieces).equals(long)).toBe(true);
  });

  it('gathers a short answer that comes in pieces', async () => {
    const server = await serverThat((_, response) => {
      response.writeHead(200, { 'content-length': 11 });
      response.write('first ', () => response.end('later'));
    });
    const result = await forward(server);
    expect(result.kind === 'answered' && Buffer.from(result.body as Uint8Array).toString()).toBe('first later');
  });

  it('fails where an answer breaks off, a short one as a whole and a long one for its reader', async () => {
    const short = await serverThat((_, response) => {
      response.writeHead(200, { 'content-length': 10 });
      response.write('half', () => response.destroy());
    });
    expect(await forward(short)).toMatchObject({ kind: 'failed', timedOut: false });
    const long = await serverThat((_, response) => response.write('half', () => response.destroy()));
    const result = await forward(long);
    if (result.kind !== 'answered' || result.body instanceof Uint8Array) throw new Error('a stream was expected');
    await expect(readToEnd(result.body)).rejects.toThrow();
  });

  it('gives a long answer up after its time', async () => {
    const result = await forward(await serverThat((_, response) => void response.write('half')), { totalMs: 300 });
    // On a slow machine the time may be over before the answer begins.
    const end = result.kind === 'answered' ? readToEnd(result.body as AsyncIterable<Uint8Array>) : result;
    const how = await Promise.resolve(end).catch((error: unknown) => (error as Error).name);
    expect(['TimeoutError', { kind: 'failed', detail: 'upstream_timeout', timedOut: true }]).toContainEqual(how);
  });

  it('cuts the connection of a long answer whose reader leaves', async () => {
    const { promise: cut, resolve } = Promise.withResolvers<void>();
    const server = await serverThat((_, response) => {
      response.on('close', () => resolve());
      response.write('half');
    });
    const result = await forward(server);
    if (result.kind !== 'answered' || result.body instanceof Uint8Array) throw new Error('a stream was expected');
    for await (const piece of result.body) if (piece.length > 0) break;
    await cut;
  });

  it('says when nothing was sent', async () => {
    const server = await serverThat(() => {});
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const upstream = await HttpUpstream.open([{ name: 'crm', url: new URL(`http://127.0.0.1:${port}`) }]);
    closing.unshift(() => upstream.close());
    expect(await upstream.forward('crm', REQUEST)).toEqual({ kind: 'not_sent', detail: 'upstream_unreachable' });
    expect(await upstream.forward('other', REQUEST)).toEqual({ kind: 'not_sent', detail: 'upstream_not_listed' });
    expect([upstream.has('crm'), upstream.has('other')]).toEqual([true, false]);
  });

  it('calls silence and a cut connection failures of unknown effect', async () => {
    const silent = await serverThat(() => {});
    expect(await forward(silent, { totalMs: 200 })).toEqual({
      kind: 'failed',
      detail: 'upstream_timeout',
      timedOut: true,
    });
    const cutting = await serverThat((request) => request.socket.destroy());
    expect(await forward(cutting)).toMatchObject({ kind: 'failed', timedOut: false });
  });
});

async function readToEnd(body: AsyncIterable<Uint8Array>): Promise<number> {
  let size = 0;
  for await (const piece of body) size += piece.length;
  return size;
}

describe('the list of upstreams', () => {
  it('takes names with addresses', () => {
    expect(parseUpstream('crm=http://127.0.0.1:9000') as UpstreamAddress).toMatchObject({ name: 'crm' });
    expect(upstreamListProblem(['crm=http://a', 'erp=https://b:1'])).toBeUndefined();
  });

  it.each(['crm', 'crm=ftp://a', 'crm=http://u:p@a', 'crm=http://a/path', 'CRM=http://a', 'crm=http://a?x=1'])(
    'refuses %s',
    (entry) => {
      expect(upstreamListProblem([entry])).toEqual(expect.any(String));
    },
  );

  it('refuses a name twice and link-local addresses', () => {
    expect(upstreamListProblem(['crm=http://a', 'crm=http://b'])).toContain('twice');
    for (const address of ['169.254.169.254', '::ffff:169.254.1.1', 'fe80::1', 'FEBF::1']) {
      expect(() => refuseLinkLocal('crm', address)).toThrow('link-local');
    }
    expect(() => refuseLinkLocal('crm', '127.0.0.1')).not.toThrow();
  });
});
