// SPDX-License-Identifier: Apache-2.0
import { type IncomingMessage, request as plainRequest, type RequestOptions } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { isJsonObject, type JsonObject } from '@clyra/core/canonical/json-value';
import { parseJson } from '@clyra/core/canonical/parse-json';
import type { Signer } from '@clyra/core/ports/signer';
import { keyIdOf } from '@clyra/core/signing/ed25519';
import { remoteSigner } from './remote-signer.ts';
import { signerRefused, signerUnavailable } from './signer-error.ts';

export type HttpSignerOptions = {
  /** Prefix of the protocol's paths, without a slash at its end; http only for a signer on this machine. */
  readonly url: string;
  readonly deadlineMs: number;
  readonly bearerToken?: string;
  /** PEM: of the authorities that may vouch for the signer, and of this client for mTLS. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
};

const ANSWER_BYTES_MAX = 8_192;
const ANSWER_LIMITS = { bytesMax: ANSWER_BYTES_MAX, depthMax: 4, valuesMax: 64 };
/** The same request may succeed later. */
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504]);

/**
 * Signs by the protocol of README.md: `GET <url>/v0/key`, then `POST <url>/v0/sign` for each signature. Rejects with
 * CLY_SIGNER_UNAVAILABLE where asking again may help, else with CLY_SIGNER_REFUSED.
 */
export async function httpSigner(options: HttpSignerOptions): Promise<Signer> {
  const where = originOf(options.url);
  const key = await ask(options, { method: 'GET', path: '/v0/key' });
  const publicKey = bytesOf(key, 'public_key', 32);
  if (key['alg'] !== 'ed25519' || publicKey === undefined || key['key_id'] !== keyIdOf(publicKey)) {
    throw signerRefused(where, 'its /v0/key names no Ed25519 key');
  }
  return remoteSigner({
    where,
    publicKey,
    sign: async (bytes) => {
      const answer = await ask(options, { method: 'POST', path: '/v0/sign', body: bytes });
      const signature = bytesOf(answer, 'sig', 64);
      if (signature === undefined) throw signerRefused(where, 'its /v0/sign gave no signature');
      return signature;
    },
  });
}

type Question = { readonly method: 'GET' | 'POST'; readonly path: string; readonly body?: Uint8Array };

async function ask(options: HttpSignerOptions, question: Question): Promise<JsonObject> {
  const where = originOf(options.url);
  const { status, body } = await exchange(options, question);
  if (status !== 200) {
    const why = `${question.path} answered ${status}`;
    if (PASSING.has(status)) throw signerUnavailable(where, why);
    throw signerRefused(where, `${why}: see its log, its address and this client's credentials`);
  }
  try {
    const answer = parseJson(body, ANSWER_LIMITS);
    if (isJsonObject(answer) && answer['format'] === 'clyra/signer/v0') return answer;
  } catch (cause) {
    throw signerRefused(where, `${question.path} gave no JSON`, cause);
  }
  throw signerRefused(where, `${question.path} gave no answer of clyra/signer/v0`);
}

function exchange(options: HttpSignerOptions, question: Question): Promise<{ status: number; body: Uint8Array }> {
  const { url, deadlineMs, bearerToken, tls } = options;
  const where = originOf(url);
  const target = new URL(`${url}${question.path}`);
  const settings: RequestOptions & HttpSignerOptions['tls'] = {
    method: question.method,
    // One deadline for everything: a peer that sends a byte now and then must not hold a signature up for ever.
    signal: AbortSignal.timeout(deadlineMs),
    headers: {
      accept: 'application/json',
      ...(bearerToken === undefined ? {} : { authorization: `Bearer ${bearerToken}` }),
      ...(question.body === undefined ? {} : { 'content-type': 'application/octet-stream' }),
    },
    ...tls,
  };
  return new Promise((resolve, reject) => {
    const failed = (cause: Error): void => {
      const why =
        cause.name === 'AbortError' ? `no answer within ${deadlineMs} ms` : `cannot be asked (${cause.message})`;
      reject(signerUnavailable(where, why, cause));
    };
    const answered = (response: IncomingMessage): void => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        chunks.push(chunk);
        if (size > ANSWER_BYTES_MAX) {
          reject(signerRefused(where, `an answer has more than ${ANSWER_BYTES_MAX} bytes`));
          response.destroy();
        }
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }));
      response.on('error', failed);
    };
    const request = (target.protocol === 'https:' ? tlsRequest : plainRequest)(target, settings, answered);
    request.on('error', failed);
    request.end(question.body);
  });
}

/** Of an address only what may stand in a log: neither user nor query. */
function originOf(url: string): string {
  return URL.canParse(url) ? `${new URL(url).origin}${new URL(url).pathname}` : 'with an address that is none';
}

function bytesOf(answer: JsonObject, name: string, size: number): Uint8Array | undefined {
  const value = answer[name];
  const bytes = typeof value === 'string' ? Buffer.from(value, 'base64') : undefined;
  return bytes?.length === size ? bytes : undefined;
}
