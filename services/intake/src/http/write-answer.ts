// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { GatewayAnswer } from '../gateway/gateway-request.ts';

/** What is left of a body that nobody wants: so much is read, for so long, before the connection is cut. */
const REST_BYTES_MAX = 1_048_576;
const REST_MS_MAX = 1_000;

/** What is joined to the head, at the price of a copy, so that both are one write. */
const ONE_PIECE_BYTES_MAX = 16_384;

/** Writes an answer and settles when it has left, or when the client has. */
export async function writeAnswer(
  message: IncomingMessage,
  response: ServerResponse,
  answer: GatewayAnswer,
): Promise<void> {
  if (response.destroyed) return;
  const head = headOf(answer.headers);
  if (!message.complete) {
    head.push('connection', 'close');
    endWithConnection(message, response);
  }
  const { body } = answer;
  if (typeof body === 'string' || body instanceof Uint8Array) {
    // RFC 9110 §8.6: these have no content, so its length is not ours to say.
    if (mayHaveContent(message, answer.status)) head.push('content-length', String(Buffer.byteLength(body)));
    response.writeHead(answer.status, head);
    endWith(response, body);
    return;
  }
  response.writeHead(answer.status, head);
  // An event stream may say nothing for a while: its reader must know that it has begun.
  response.flushHeaders();
  try {
    // A body that breaks off on the upstream's side must break off here too, not end as if it were whole.
    await pipeline(body instanceof Readable ? body : Readable.from(body), response);
  } catch {
    response.destroy();
  }
}

/** name, value, name, value, …: a list that Node writes as it stands, where it copies and sorts what is set one by one. */
function headOf(headers: GatewayAnswer['headers']): (string | string[])[] {
  const head: (string | string[])[] = [];
  for (const [name, value] of Object.entries(headers)) head.push(name, typeof value === 'string' ? value : [...value]);
  return head;
}

/** A text leaves in one piece with its head; every byte is one letter of Latin-1. */
function endWith(response: ServerResponse, body: Uint8Array | string): void {
  if (typeof body === 'string' || body.length > ONE_PIECE_BYTES_MAX) response.end(body);
  else response.end(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1'), 'latin1');
}

function mayHaveContent({ method }: IncomingMessage, status: number): boolean {
  return method !== 'HEAD' && status !== 204 && status !== 304;
}

/** The body was not read to its end. A clean close lets the client read the answer before the connection goes. */
function endWithConnection(message: IncomingMessage, response: ServerResponse): void {
  response.once('finish', () => {
    let restBytes = 0;
    const cut = setTimeout(() => message.socket.destroy(), REST_MS_MAX);
    message.socket.once('close', () => clearTimeout(cut));
    message.on('data', (chunk: Uint8Array) => {
      restBytes += chunk.length;
      if (restBytes > REST_BYTES_MAX) message.socket.destroy();
    });
    message.resume();
  });
}
