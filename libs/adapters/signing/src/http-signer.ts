// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonObject } from '@clyra/core/canonical/json-value';
import { parseJson } from '@clyra/core/canonical/parse-json';
import type { Signer } from '@clyra/core/ports/signer';
import { keyIdOf } from '@clyra/core/signing/ed25519';
import { AnswerTooLarge, exchange, PASSING_STATUS, type Tls } from './http-exchange.ts';
import { remoteSigner } from './remote-signer.ts';
import { signerRefused, signerUnavailable } from './signer-error.ts';

export type HttpSignerOptions = {
  /** Prefix of the protocol's paths, without a slash at its end; http only for a signer on this machine. */
  readonly url: string;
  readonly deadlineMs: number;
  readonly bearerToken?: string;
  /** PEM: of the authorities that may vouch for the signer, and of this client for mTLS. */
  readonly tls?: Tls;
};

const ANSWER_BYTES_MAX = 8_192;
const ANSWER_LIMITS = { bytesMax: ANSWER_BYTES_MAX, depthMax: 4, valuesMax: 64 };

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
  const { url, deadlineMs, bearerToken, tls = {} } = options;
  const where = originOf(url);
  const { status, body } = await exchange({
    method: question.method,
    url: `${url}${question.path}`,
    deadlineMs,
    answerBytesMax: ANSWER_BYTES_MAX,
    tls,
    headers: {
      accept: 'application/json',
      ...(bearerToken === undefined ? {} : { authorization: `Bearer ${bearerToken}` }),
      ...(question.body === undefined ? {} : { 'content-type': 'application/octet-stream' }),
    },
    ...(question.body === undefined ? {} : { body: question.body }),
  }).catch((cause: Error) => {
    if (cause instanceof AnswerTooLarge) throw signerRefused(where, cause.message);
    throw signerUnavailable(where, cause.message, cause);
  });
  if (status !== 200) {
    const why = `${question.path} answered ${status}`;
    if (PASSING_STATUS.has(status)) throw signerUnavailable(where, why);
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

/** Of an address only what may stand in a log: neither user nor query. */
function originOf(url: string): string {
  return URL.canParse(url) ? `${new URL(url).origin}${new URL(url).pathname}` : 'with an address that is none';
}

function bytesOf(answer: JsonObject, name: string, size: number): Uint8Array | undefined {
  const value = answer[name];
  const bytes = typeof value === 'string' ? Buffer.from(value, 'base64') : undefined;
  return bytes?.length === size ? bytes : undefined;
}
