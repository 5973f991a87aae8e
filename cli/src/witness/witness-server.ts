// SPDX-License-Identifier: Apache-2.0
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cosign } from '@clyra/core/evidence/cosignature';
import {
  judgeWitnessRequest,
  readWitnessRequest,
  type WitnessAnswer,
} from '@clyra/core/evidence/judge-witness-request';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Clock } from '@clyra/core/ports/clock';
import type { Signer } from '@clyra/core/ports/signer';
import type { TrustRoot } from '@clyra/core/signing/trust-root';
import type { WitnessState } from './witness-state.ts';

export type WitnessOptions = {
  /** In its note lines, and in trust roots that name it. */
  readonly name: string;
  readonly signer: Signer;
  readonly trustRoot: TrustRoot;
  readonly state: WitnessState;
  readonly clock: Clock;
  readonly host: string;
  readonly port: number;
  /** Each decision in one line, for the operator. */
  readonly say: (text: string) => void;
};

type Reply = { readonly status: number; readonly type?: string; readonly body: string };

const REQUEST_BYTES_MAX = 32_768;
const REQUEST_TIMEOUT_MS = 10_000;

/** A witness over HTTP (C2SP tlog-witness): cosigns what extends the checkpoint that it cosigned before. */
export class WitnessServer {
  readonly #options: WitnessOptions;
  readonly #server: Server;

  private constructor(options: WitnessOptions) {
    this.#options = options;
    this.#server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
      void this.#answer(request, response);
    });
  }

  static async start(options: WitnessOptions): Promise<WitnessServer> {
    const witness = new WitnessServer(options);
    await new Promise<void>((resolve, reject) => {
      witness.#server.once('error', (cause: NodeJS.ErrnoException) => {
        const message = `the witness cannot listen on ${options.host}:${options.port} (${cause.code}): choose another --port`;
        reject(new ClyraError('CLY_WITNESS_ADDRESS', message, { retry: 'never', cause }));
      });
      witness.#server.listen(options.port, options.host, resolve);
    });
    return witness;
  }

  get url(): string {
    const { address, port } = this.#server.address() as AddressInfo;
    return `http://${address}:${port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeIdleConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, type = 'text/plain; charset=utf-8', body } = await this.#reply(request);
    response.writeHead(status, { 'content-type': type, ...(status === 413 ? { connection: 'close' } : {}) }).end(body);
  }

  async #reply(request: IncomingMessage): Promise<Reply> {
    if (request.url !== '/add-checkpoint') return { status: 404, body: 'only /add-checkpoint is here\n' };
    if (request.method !== 'POST') return { status: 405, body: 'POST it\n' };
    try {
      const body = await readBody(request);
      if (body === undefined) return { status: 413, body: `at most ${REQUEST_BYTES_MAX} bytes\n` };
      const { origin, ...read } = readWitnessRequest(body);
      return await this.#options.state.inTurn(origin, () => this.#judge(origin, read));
    } catch (error) {
      if (error instanceof ClyraError && error.code === 'CLY_RECORD_SHAPE')
        return { status: 400, body: `${error.message}\n` };
      // Disk or key: nothing was cosigned that is not kept, and the log asks again.
      this.#options.say(`cannot cosign: ${(error as Error).message}`);
      return { status: 503, body: 'ask again later\n' };
    }
  }

  async #judge(origin: string, read: Omit<ReturnType<typeof readWitnessRequest>, 'origin'>): Promise<Reply> {
    const { trustRoot: root, state, clock } = this.#options;
    const answer = judgeWitnessRequest(read, { root, last: await state.last(origin), nowMs: clock.nowMs() });
    return this.#carryOut(origin, answer);
  }

  async #carryOut(origin: string, answer: WitnessAnswer): Promise<Reply> {
    const { state, say } = this.#options;
    if (answer.kind === 'refuse') {
      say(`refused ${origin}: ${answer.why}`);
      return { status: answer.status, body: `${answer.why}\n` };
    }
    if (answer.kind === 'other-size') return { status: 409, type: 'text/x.tlog.size', body: `${answer.size}\n` };
    if (answer.kind === 'fork') {
      const path = await state.keepFork(origin, answer.checkpoint);
      say(`FORK: ${origin} signed two different trees of one size; the second is kept in ${path}: tell its auditors`);
      return { status: 409, body: 'another root was cosigned for this size\n' };
    }
    const { name, signer, clock } = this.#options;
    const line = await cosign(answer.note.text, { name, signer, seconds: Math.floor(clock.nowMs() / 1_000) });
    await state.keep(origin, answer.checkpoint);
    say(`cosigned ${origin} at ${answer.note.head.size}`);
    return { status: 200, body: line };
  }
}

/** Undefined where it is too long. */
async function readBody(request: IncomingMessage): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > REQUEST_BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
