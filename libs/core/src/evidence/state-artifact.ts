// SPDX-License-Identifier: Apache-2.0
import { createHash, type Hash } from 'node:crypto';
import { type Digest, digestOf } from '../canonical/digest.ts';
import { parseRecord } from '../canonical/record.ts';
import { shapeError } from '../change/shape.ts';

const BUCKET_COUNT = 256;
const LF = 0x0a;

/**
 * The state digest of a state artifact (docs/spec/records.md §2), from its lines alone: a bundle must not carry a
 * state that its cut did not commit to. Throws JsonError or CLY_RECORD_SHAPE for anything that is not an artifact.
 */
export function stateDigestOf(artifact: Uint8Array): Digest {
  const buckets: Hash[] = Array.from({ length: BUCKET_COUNT }, () => createHash('sha256'));
  let previous = '';
  let start = 0;
  while (start < artifact.length) {
    const end = artifact.indexOf(LF, start);
    if (end < 0) throw shapeError('a state artifact ends with a line feed');
    const { key } = parseRecord(artifact.subarray(start, end));
    if (typeof key !== 'string' || key <= previous) throw shapeError('the keys of a state artifact rise');
    const bucket = Number.parseInt(digestOf(key).slice(0, 2), 16);
    buckets[bucket]?.update(artifact.subarray(start, end + 1));
    previous = key;
    start = end + 1;
  }
  return digestOf(Buffer.concat(buckets.map((bucket) => bucket.digest())));
}
