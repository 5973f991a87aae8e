// SPDX-License-Identifier: Apache-2.0
import { type IncomingMessage, request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';

/** PEM: the authorities that may vouch for the server, and this client's own certificate and key (mTLS). */
export type Tls = { readonly ca?: string; readonly cert?: string; readonly key?: string };

export type Question = {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly tls: Tls;
  /** For everything, connecting and reading included. */
  readonly deadlineMs: number;
  readonly answerBytesMax: number;
};

export type Answer = {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly body: Uint8Array;
};

/** Statuses after which the same request may succeed later. */
export const PASSING_STATUS: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

export class AnswerTooLarge extends Error {}

/**
 * One question over HTTP or TLS. The deadline holds for all of it: a peer that sends a byte now and then must not hold
 * anything up for ever. Rejects with a plain Error in words, or with AnswerTooLarge.
 */
export function exchange(question: Question): Promise<Answer> {
  const { method, url, headers, body, tls, deadlineMs, answerBytesMax } = question;
  const signal = AbortSignal.timeout(deadlineMs);
  return new Promise((resolve, reject) => {
    const failed = (cause: Error): void => {
      const why = signal.aborted ? `no answer within ${deadlineMs} ms` : `cannot be asked (${cause.message})`;
      reject(new Error(why, { cause }));
    };
    const answered = (response: IncomingMessage): void => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        chunks.push(chunk);
        if (size <= answerBytesMax) return;
        reject(new AnswerTooLarge(`an answer has more than ${answerBytesMax} bytes`));
        response.destroy();
      });
      response.on('end', () => {
        const contentType = response.headers['content-type'];
        resolve({ status: response.statusCode ?? 0, contentType, body: Buffer.concat(chunks) });
      });
      response.on('error', failed);
    };
    const send = new URL(url).protocol === 'https:' ? tlsRequest : plainRequest;
    const request = send(url, { method, headers, signal, ...tls }, answered);
    request.on('error', failed);
    request.end(body);
  });
}
