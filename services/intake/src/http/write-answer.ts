// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { GatewayAnswer } from '../gateway/gateway-request.ts';

/** What is left of a body that nobody wants: so much is read, for so long, before the connection is cut. */
const REST_BYTES_MAX = 1_048_576;
const REST_MS_MAX = 1_000;

/** Writes an answer and settles when it has left, or when the client has. */
export async function writeAnswer(
  message: IncomingMessage,
  response: ServerResponse,
  answer: GatewayAnswer,
): Promise<void> {
  if (response.destroyed) return;
  response.statusCode = answer.status;
  for (const [name, value] of Object.entries(answer.headers)) response.setHeader(name, value);
  if (!message.complete) endWithConnection(message, response);
  const { body } = answer;
  if (typeof body === 'string' || body instanceof Uint8Array) {
    // RFC 9110 §8.6: these have no content, so its length is not ours to say.
    if (mayHaveContent(message, answer.status)) response.setHeader('content-length', Buffer.byteLength(body));
    response.end(body);
    return;
  }
  // An event stream may say nothing for a while: its reader must know that it has begun.
  response.flushHeaders();
  try {
    // A body that breaks off on the upstream's side must break off here too, not end as if it were whole.
    await pipeline(body instanceof Readable ? body : Readable.from(body), response);
  } catch {
    response.destroy();
  }
}

function mayHaveContent({ method }: IncomingMessage, status: number): boolean {
  return method !== 'HEAD' && status !== 204 && status !== 304;
}

/** The body was not read to its end. A clean close lets the client read the answer before the connection goes. */
function endWithConnection(message: IncomingMessage, response: ServerResponse): void {
  response.setHeader('connection', 'close');
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
