// SPDX-License-Identifier: Apache-2.0
import { digestBytes, digestOf } from '@clyra/core/canonical/digest';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Random } from '@clyra/core/ports/random';
import type { TimeAuthority } from '@clyra/core/signing/trust-root';
import { authorityOf } from '@clyra/core/timestamp/judge-time-stamp';
import { readTimeStamp } from '@clyra/core/timestamp/read-token';
import { encodeTimeStampRequest } from '@clyra/core/timestamp/time-stamp-request';
import { exchange, PASSING_STATUS } from './http-exchange.ts';

export type TsaClientOptions = {
  readonly url: string;
  readonly deadlineMs: number;
  readonly random: Random;
};

export type Stamped = {
  /** TimeStampResp in DER: the content of a file in `times/`. */
  readonly token: Uint8Array;
  readonly upperBoundMs: number;
  /** Of the trust root that was passed. */
  readonly authority: TimeAuthority;
};

const TOKEN_BYTES_MAX = 16_384;
const NONCE_BYTES = 16;

/**
 * Asks one TSA for a time-stamp over these bytes and keeps only what a reader of the trust root would accept
 * (docs/spec/trust.md §6). Rejects with CLY_TSA_UNAVAILABLE (backoff), or with CLY_TIME_STAMP or CLY_TSA_REFUSED (never).
 */
export async function requestTimeStamp(
  content: Uint8Array,
  { url, deadlineMs, random }: TsaClientOptions,
  authorities: readonly TimeAuthority[],
): Promise<Stamped> {
  const imprint = digestBytes(digestOf(content));
  const nonce = positiveNonce(random);
  const answer = await exchange({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/timestamp-query', accept: 'application/timestamp-reply' },
    body: encodeTimeStampRequest({ imprint, nonce }),
    tls: {},
    deadlineMs,
    answerBytesMax: TOKEN_BYTES_MAX,
  }).catch((cause: Error) => {
    throw unavailable(url, cause.message);
  });
  if (answer.status !== 200) {
    const failure = PASSING_STATUS.has(answer.status) ? unavailable : refused;
    throw failure(url, `answered ${answer.status}`);
  }
  const stamp = readTimeStamp(answer.body);
  if (Buffer.compare(stamp.imprint, imprint) !== 0) throw refused(url, 'stamped something else');
  if (stamp.nonce === undefined || Buffer.compare(stamp.nonce, nonce) !== 0) {
    throw refused(url, 'answered another question (its nonce is another)');
  }
  const authority = authorityOf(stamp, authorities);
  if (authority === undefined) {
    throw refused(url, 'is no time authority of the trust root: add its root certificate there');
  }
  return { token: answer.body, upperBoundMs: stamp.upperBoundMs, authority };
}

/** Without leading zero or sign bit, so that its DER is these very bytes. */
function positiveNonce(random: Random): Uint8Array {
  const nonce = random.bytes(NONCE_BYTES);
  return Uint8Array.from(nonce, (byte, index) => (index === 0 ? (byte & 0x7f) | 0x40 : byte));
}

function unavailable(url: string, why: string): ClyraError {
  return new ClyraError('CLY_TSA_UNAVAILABLE', `TSA ${url} ${why}; it is asked again`, {
    retry: 'backoff',
    context: { url },
  });
}

function refused(url: string, why: string): ClyraError {
  return new ClyraError('CLY_TSA_REFUSED', `TSA ${url} ${why}`, { retry: 'never', context: { url } });
}
