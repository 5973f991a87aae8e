// SPDX-License-Identifier: Apache-2.0
import { createHash, type Hash } from 'node:crypto';
import { type Digest, digestOf } from '../canonical/digest.ts';
import { stateLines } from '../enforcement/state-table.ts';

const BUCKET_COUNT = 256;

/**
 * The state digest of a state artifact (docs/spec/records.md §2), from its lines alone: a bundle must not carry a
 * state that its cut did not commit to. Throws JsonError or CLY_RECORD_SHAPE for anything that is not an artifact.
 */
export function stateDigestOf(artifact: Uint8Array): Digest {
  const buckets: Hash[] = Array.from({ length: BUCKET_COUNT }, () => createHash('sha256'));
  for (const { key, bytes } of stateLines(artifact)) {
    buckets[Number.parseInt(digestOf(key).slice(0, 2), 16)]?.update(bytes);
  }
  return digestOf(Buffer.concat(buckets.map((bucket) => bucket.digest())));
}
