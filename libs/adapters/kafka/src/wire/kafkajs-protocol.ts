// SPDX-License-Identifier: Apache-2.0
import { createRequire } from 'node:module';
import { assert } from '@clyra/core/kernel/assert';
import type { Broker } from 'kafkajs';
import { type FramedRequest, frameOf } from './request-frame.ts';

/** A request, and how its answer is read. */
export type ProtocolRequest<Answer> = FramedRequest & {
  readonly apiName: string;
  /** Throws kafkajs's error for an answer that says one. */
  decode(payload: Buffer): Answer | Promise<Answer>;
};

/** What a connection of kafkajs 2.2.4 takes. */
type ClientRequest<Answer> = {
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly apiName: string;
    encode(): Promise<{ readonly buf: Buffer; readonly buffer: Buffer }>;
  };
  readonly response: {
    decode(payload: Buffer): Promise<Answer>;
    parse(answer: Answer): Promise<Answer>;
  };
};

type Settled = { readonly payload: Buffer };
type Entry = {
  readonly apiKey: number;
  readonly apiName: string;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly resolve: (settled: Settled) => void;
  readonly reject: (error: Error) => void;
};
type Queued = {
  readonly entry: Entry;
  readonly expectResponse: true;
  /** null: that of the client's settings. */
  readonly requestTimeout: null;
  sendRequest(): void;
};

type Connection = {
  readonly clientId: string;
  readonly sasl?: object | null;
  readonly socket: { write(bytes: Buffer): unknown };
  readonly requestQueue: { push(queued: Queued): void };
  isConnected(): boolean;
  isAuthenticated(): boolean;
  nextCorrelationId(): number;
  send<Answer>(request: ClientRequest<Answer>): Promise<Answer>;
};

type Pool = { getConnectionByRequest(of: { readonly request: { readonly apiKey: number } }): Promise<Connection> };
type ErrorFactory = { createErrorFromCode(code: number): Error };
type AnswerModule = { decode(payload: Buffer): Promise<unknown> };

const load = createRequire(import.meta.url);
const errors = load('kafkajs/src/protocol/error.js') as ErrorFactory;
const fetchAnswer = load('kafkajs/src/protocol/requests/fetch/v11/response.js') as AnswerModule;

/** Throws what kafkajs throws for the code, so that errors have one form whoever reads the answer. */
export function throwUnlessOk(code: number): void {
  if (code !== 0) throw errors.createErrorFromCode(code);
}

/** kafkajs's own reading of a fetch answer (version 11): slow, and for compressed and old batches too. */
export function decodeFetchSlowly(payload: Buffer): Promise<unknown> {
  return fetchAnswer.decode(payload);
}

/**
 * Sends over the broker's connections: their authentication, request queue and time-outs stay kafkajs's. Once a
 * connection stands, a request goes straight into its queue: what kafkajs does before (encoders, log lines, a promise
 * for each step) takes longer than the broker does.
 */
export async function sendThrough<Answer>(broker: Broker, request: ProtocolRequest<Answer>): Promise<Answer> {
  const pool = (broker as unknown as { readonly connectionPool?: Pool }).connectionPool;
  assert(
    typeof pool?.getConnectionByRequest === 'function',
    'kafkajs changed its broker: the adapter needs another way to send',
  );
  const connection = await pool.getConnectionByRequest({ request });
  if (!isReady(connection)) return connection.send(forClient(request));
  const { payload } = await exchange(connection, request);
  return request.decode(payload);
}

function isReady(connection: Connection): boolean {
  return connection.isConnected() && (connection.sasl == null || connection.isAuthenticated());
}

function exchange(connection: Connection, request: FramedRequest & { readonly apiName: string }): Promise<Settled> {
  const { apiKey, apiName, apiVersion } = request;
  const correlationId = connection.nextCorrelationId();
  const bytes = frameOf(request, { correlationId, clientId: connection.clientId });
  return new Promise((resolve, reject) => {
    connection.requestQueue.push({
      entry: { apiKey, apiName, apiVersion, correlationId, resolve, reject },
      expectResponse: true,
      requestTimeout: null,
      sendRequest: () => connection.socket.write(bytes),
    });
  });
}

function forClient<Answer>(request: ProtocolRequest<Answer>): ClientRequest<Answer> {
  const { apiKey, apiVersion, apiName } = request;
  const encode = async () => {
    const buffer = request.encode(0);
    return { buf: buffer, buffer };
  };
  return {
    request: { apiKey, apiVersion, apiName, encode },
    response: { decode: async (payload) => request.decode(payload), parse: async (answer) => answer },
  };
}
