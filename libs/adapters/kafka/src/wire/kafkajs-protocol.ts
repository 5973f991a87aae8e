// SPDX-License-Identifier: Apache-2.0
import { createRequire } from 'node:module';
import { assert } from '@clyra/core/kernel/assert';
import type { Broker } from 'kafkajs';
import type { EncodedRequest } from './request-room.ts';

/** What a connection of kafkajs 2.2.4 sends and how it reads the answer. */
export type ProtocolRequest<Answer> = {
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly apiName: string;
    encode(): Promise<EncodedRequest>;
  };
  readonly response: {
    decode(payload: Buffer): Promise<Answer>;
    parse(answer: Answer): Promise<Answer>;
  };
};

type Pool = { send<Answer>(request: ProtocolRequest<Answer>): Promise<Answer> };
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

/** Sends over the broker's connections: their authentication, request queue and time-outs stay kafkajs's. */
export function sendThrough<Answer>(broker: Broker, request: ProtocolRequest<Answer>): Promise<Answer> {
  const pool = (broker as unknown as { readonly connectionPool?: Pool }).connectionPool;
  assert(typeof pool?.send === 'function', 'kafkajs changed its broker: the adapter needs another way to send');
  return pool.send(request);
}

export function encoded(bytes: Buffer): Promise<EncodedRequest> {
  return Promise.resolve({ buf: bytes, buffer: bytes });
}
