// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '@clyra/core/canonical/digest';
import { cosignedAt, witnessOf } from '@clyra/core/evidence/cosignature';
import { parseNote, parseNoteLine } from '@clyra/core/evidence/note';
import { encodeWitnessRequest } from '@clyra/core/evidence/witness-request';
import { ClyraError } from '@clyra/core/kernel/error';
import type { TrustRoot } from '@clyra/core/signing/trust-root';
import { type Answer, exchange, PASSING_STATUS } from './http-exchange.ts';

export type WitnessClientOptions = {
  /** Submission prefix, without a slash at its end. */
  readonly url: string;
  readonly deadlineMs: number;
};

export type Cosigned = {
  /** With its LF: as it stands in a checkpoint. */
  readonly line: string;
  readonly keyId: string;
  readonly seconds: number;
};

const ANSWER_BYTES_MAX = 8_192;
const LINES_MAX = 16;
const SIZE = /^(0|[1-9][0-9]{0,15})\n$/;

/**
 * Submits a checkpoint to one witness (C2SP tlog-witness). `proofFrom` gives the consistency proof from the size that
 * the witness cosigned last. Rejects with CLY_WITNESS_UNAVAILABLE (backoff), CLY_WITNESS_REFUSED or
 * CLY_WITNESS_FORK (never): then the witness has seen another log than this one.
 */
export async function requestCosignature(
  checkpoint: Uint8Array,
  given: {
    readonly trustRoot: TrustRoot;
    readonly lastSize: number;
    proofFrom(size: number): Promise<readonly Digest[]>;
  },
  options: WitnessClientOptions,
): Promise<Cosigned> {
  const note = parseNote(checkpoint);
  let oldSize = given.lastSize;
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const proof = oldSize === 0 ? [] : await given.proofFrom(oldSize);
    const answer = await submit(encodeWitnessRequest({ oldSize, proof, checkpoint }), options);
    if (answer.status === 200) return findOwnLine(answer, note.text, { trustRoot: given.trustRoot, url: options.url });
    const known = sizeOf(answer);
    if (known === undefined) throw statusError(options.url, answer);
    if (known > note.head.size) {
      throw refused(options.url, `has cosigned a later size already (${known})`);
    }
    oldSize = known;
  }
  throw unavailable(options.url, 'changes its mind about the size it knows');
}

async function submit(body: Uint8Array, { url, deadlineMs }: WitnessClientOptions): Promise<Answer> {
  const headers = { 'content-type': 'text/plain; charset=utf-8' };
  const question = { method: 'POST', url: `${url}/add-checkpoint`, headers, body, tls: {}, deadlineMs } as const;
  return exchange({ ...question, answerBytesMax: ANSWER_BYTES_MAX }).catch((cause: Error) => {
    throw unavailable(url, cause.message);
  });
}

function sizeOf({ status, contentType, body }: Answer): number | undefined {
  if (status !== 409 || contentType !== 'text/x.tlog.size') return undefined;
  const size = SIZE.exec(Buffer.from(body).toString('latin1'))?.[1];
  return size === undefined || !Number.isSafeInteger(Number(size)) ? undefined : Number(size);
}

/** Of the lines in the answer the first that a witness of the trust root signed; unknown keys are ignored. */
function findOwnLine(answer: Answer, noteText: string, by: { trustRoot: TrustRoot; url: string }): Cosigned {
  const lines = Buffer.from(answer.body).toString('utf8').split('\n').slice(0, LINES_MAX);
  for (const text of lines) {
    if (text === '') continue;
    const line = parseNoteLine(text);
    const witness = witnessOf(line, by.trustRoot.keys.values());
    const seconds = witness === undefined ? undefined : cosignedAt(line, noteText, witness);
    if (witness !== undefined && seconds !== undefined) return { line: line.text, keyId: witness.keyId, seconds };
  }
  throw refused(by.url, 'is no witness of the trust root: name its key there');
}

function statusError(url: string, { status }: Answer): ClyraError {
  if (PASSING_STATUS.has(status)) return unavailable(url, `answered ${status}`);
  if (status !== 409 && status !== 422) return refused(url, `answered ${status}`);
  return new ClyraError(
    'CLY_WITNESS_FORK',
    `witness ${url} knows another history of this log (${status}): find out which is right before anything else`,
    { retry: 'never', context: { url, status } },
  );
}

function unavailable(url: string, why: string): ClyraError {
  return new ClyraError('CLY_WITNESS_UNAVAILABLE', `witness ${url} ${why}; it is asked again`, {
    retry: 'backoff',
    context: { url },
  });
}

function refused(url: string, why: string): ClyraError {
  return new ClyraError('CLY_WITNESS_REFUSED', `witness ${url} ${why}`, { retry: 'never', context: { url } });
}
