// SPDX-License-Identifier: Apache-2.0
import process from 'node:process';
import fastify from 'fastify';
import { Pool } from 'undici';

export type ProxyOptions = {
  readonly upstreamUrl: string;
  /** Runs for each request between its last byte and its way to the upstream. */
  readonly hold?: () => Promise<void>;
};

const CONNECTIONS_MAX = 256;
const BODY_BYTES_MAX = 4 * 1024 * 1024;

/** The proxy that anybody could have instead: Fastify in front, undici behind, the body passed on as it came. */
export async function startProxy({ upstreamUrl, hold }: ProxyOptions): Promise<string> {
  const pool = new Pool(upstreamUrl, { connections: CONNECTIONS_MAX, pipelining: 1 });
  const server = fastify({ logger: false, bodyLimit: BODY_BYTES_MAX });
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  server.post('/*', async (request, reply) => {
    if (hold !== undefined) await hold();
    const { host: _host, connection: _connection, 'content-length': _length, ...headers } = request.headers;
    const answer = await pool.request({ method: 'POST', path: request.url, headers, body: request.body as Buffer });
    reply.code(answer.statusCode).type(String(answer.headers['content-type']));
    return reply.send(Buffer.from(await answer.body.arrayBuffer()));
  });
  process.on('SIGTERM', () => process.exit(0));
  return server.listen({ host: '127.0.0.1', port: 0 });
}
