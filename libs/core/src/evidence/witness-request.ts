// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestBytes } from '../canonical/digest.ts';
import { shapeError } from '../change/shape.ts';

/** The body of C2SP tlog-witness `add-checkpoint`. */
export type WitnessRequest = {
  readonly oldSize: number;
  readonly proof: readonly Digest[];
  /** The signed note. */
  readonly checkpoint: Uint8Array;
};

const PROOF_MAX = 63;
const OLD = /^old (0|[1-9][0-9]{0,15})$/;
const HASH = /^[A-Za-z0-9+/]{43}=$/;

export function encodeWitnessRequest({ oldSize, proof, checkpoint }: WitnessRequest): Uint8Array {
  const hashes = proof.map((digest) => `${Buffer.from(digestBytes(digest)).toString('base64')}\n`);
  return Buffer.concat([Buffer.from(`old ${oldSize}\n${hashes.join('')}\n`, 'utf8'), checkpoint]);
}

/** Throws CLY_RECORD_SHAPE. */
export function parseWitnessRequest(body: Uint8Array): WitnessRequest {
  const bytes = Buffer.from(body);
  const end = bytes.indexOf('\n\n');
  if (end < 0) throw shapeError('the request has no empty line before its checkpoint');
  const [first = '', ...hashes] = bytes.subarray(0, end).toString('latin1').split('\n');
  const oldSize = OLD.exec(first)?.[1];
  if (oldSize === undefined || !Number.isSafeInteger(Number(oldSize))) throw shapeError('the request has no old size');
  if (hashes.length > PROOF_MAX || !hashes.every((hash) => HASH.test(hash))) {
    throw shapeError(`the request has more than ${PROOF_MAX} proof lines, or one that is no hash`);
  }
  const proof = hashes.map((hash) => Buffer.from(hash, 'base64').toString('hex'));
  return { oldSize: Number(oldSize), proof, checkpoint: bytes.subarray(end + 2) };
}
