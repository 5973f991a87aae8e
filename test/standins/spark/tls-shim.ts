// SPDX-License-Identifier: Apache-2.0
import { Agent, type IncomingMessage, request as requestHttp } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Certificate } from '../databricks/self-signed.ts';
import { toDriver, toSpark } from './as-databricks.ts';

export type ShimOptions = {
  readonly certificate: Certificate;
  /** The bearer token that is let in. */
  readonly token: string;
  /** Spark's own, plain HTTP on this machine. */
  readonly sparkPort: number;
  /** Sees each call as it came and Spark's reply to it. */
  readonly onExchange?: (call: Buffer, reply: Buffer) => void;
};

type Reply = { readonly status: number; readonly bytes: Buffer };

const CALL_BYTES_MAX = 1_048_576;
const REPLY_BYTES_MAX = 33_554_432;
const REPLY_DEADLINE_MS = 300_000;
/** Spark reads any name and does not look at the password. */
const SPARK_USER = `Basic ${Buffer.from('clyra:none').toString('base64')}`;

/** TLS and the few differences of protocol between the unpatched Databricks driver and Spark's Thrift server over HTTP. */
export class TlsShim {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #agent = new Agent({ keepAlive: true });
  readonly #options: ShimOptions;

  private constructor(options: ShimOptions) {
    this.#options = options;
    const { key, cert } = options.certificate;
    this.#server = createServer({ key, cert });
  }

  static async open(options: ShimOptions): Promise<TlsShim> {
    const shim = new TlsShim(options);
    shim.#server.on('connection', (socket: Socket) => {
      shim.#sockets.add(socket);
      socket.once('close', () => shim.#sockets.delete(socket));
    });
    shim.#server.on('request', (request, response) => {
      if (request.headers.authorization !== `Bearer ${options.token}`) {
        request.resume();
        response.writeHead(401).end();
        return;
      }
      shim.#passedOn(request).then(
        ({ status, bytes }) => response.writeHead(status, { 'content-type': 'application/x-thrift' }).end(bytes),
        (error: Error) => response.writeHead(502).end(error.message),
      );
    });
    await new Promise<void>((resolve) => shim.#server.listen(0, '127.0.0.1', resolve));
    return shim;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    this.#agent.destroy();
    await closed;
  }

  async #passedOn(request: IncomingMessage): Promise<Reply> {
    const call = await wholeOf(request, CALL_BYTES_MAX);
    const reply = await this.#ask(toSpark(call));
    if (reply.status !== 200) return reply;
    this.#options.onExchange?.(call, reply.bytes);
    return { status: reply.status, bytes: toDriver(reply.bytes) };
  }

  #ask(call: Buffer): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const asked = requestHttp({
        ...{ host: '127.0.0.1', port: this.#options.sparkPort, path: '/cliservice', method: 'POST' },
        ...{ agent: this.#agent, timeout: REPLY_DEADLINE_MS },
        headers: {
          authorization: SPARK_USER,
          'content-type': 'application/x-thrift',
          'content-length': call.length,
        },
      });
      asked.once('timeout', () => asked.destroy(new Error('Spark does not answer')));
      asked.once('error', reject);
      asked.once('response', (response) => {
        const status = response.statusCode ?? 502;
        wholeOf(response, REPLY_BYTES_MAX).then((bytes) => resolve({ status, bytes }), reject);
      });
      asked.end(call);
    });
  }
}

async function wholeOf(message: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of message as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > bytesMax) throw new Error(`a message of more than ${bytesMax} bytes is not passed on`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}
