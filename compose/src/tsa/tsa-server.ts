// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Clock } from '@clyra/core/ports/clock';
import { readTimeStampRequest } from '@clyra/core/timestamp/time-stamp-request';
import { refuseTimeStamp, signTimeStamp } from './sign-time-stamp.ts';
import { openTsaFiles, type TsaFiles } from './tsa-files.ts';

export type TsaOptions = {
  readonly folder: string;
  readonly clock: Clock;
  /** 0 takes a free one. */
  readonly port: number;
};

const DRAINED_BYTES_MAX = 262_144;
const REQUEST_BYTES_MAX = 4_096;
const SERIAL_BYTES = 16;
const QUERY = 'application/timestamp-query';
const REPLY = 'application/timestamp-reply';

/**
 * A time-stamping authority (RFC 3161 over HTTP) for tests and for trying things out on one machine. Its clock is the
 * machine's, so what it says is no outside word; production names a TSA of somebody else by its address.
 */
export class TsaServer {
  readonly files: TsaFiles;
  readonly #clock: Clock;
  readonly #server: Server;

  private constructor(files: TsaFiles, clock: Clock) {
    this.files = files;
    this.#clock = clock;
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start({ folder, clock, port }: TsaOptions): Promise<TsaServer> {
    const tsa = new TsaServer(await openTsaFiles(folder, clock.nowMs()), clock);
    await new Promise<void>((resolve, reject) => {
      tsa.#server.once('error', reject);
      tsa.#server.listen(port, '127.0.0.1', resolve);
    });
    return tsa;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // One token a connection: a client that has one kept open finds it closed when it asks again after seconds.
    response.shouldKeepAlive = false;
    const body = await readBody(request);
    if (request.method !== 'POST' || request.headers['content-type'] !== QUERY || body === undefined) {
      response.writeHead(body === undefined ? 413 : 400).end();
      return;
    }
    response.writeHead(200, { 'content-type': REPLY }).end(this.#stamp(body));
  }

  #stamp(query: Uint8Array): Uint8Array {
    try {
      const asked = readTimeStampRequest(query);
      const facts = { serial: randomBytes(SERIAL_BYTES), timeMs: this.#clock.nowMs() };
      return signTimeStamp(asked, facts, this.files.signer);
    } catch (error) {
      if (error instanceof ClyraError) return refuseTimeStamp(error.message);
      throw error;
    }
  }
}

/**
 * Undefined where it is too long. A little more than that is still read: a client that is cut off while it writes sees
 * an error of its connection instead of the answer.
 */
async function readBody(request: IncomingMessage): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= REQUEST_BYTES_MAX) chunks.push(chunk);
    else if (size > DRAINED_BYTES_MAX) return undefined;
  }
  return size > REQUEST_BYTES_MAX ? undefined : Buffer.concat(chunks);
}
