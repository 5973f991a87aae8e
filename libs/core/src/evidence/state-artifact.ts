// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { type Digest, digestOf } from '../canonical/digest.ts';
import { stateLines } from '../enforcement/state-table.ts';

const GROUP_COUNT = 256;

/**
 * The state digest of a state artifact (docs/spec/records.md §2), from its lines alone: a bundle must not carry a
 * state that its cut did not commit to. Throws JsonError or CLY_RECORD_SHAPE for anything that is not an artifact.
 */
export function stateDigestOf(artifact: Uint8Array): Digest {
  const groups = Array.from({ length: GROUP_COUNT }, () => createHash('sha256'));
  let open = { bucket: -1, hash: createHash('sha256') };
  const close = (): void => {
    if (open.bucket < 0) return;
    groups[open.bucket >> 8]?.update(Uint8Array.of(open.bucket & 0xff)).update(open.hash.digest());
  };
  for (const { bucket, bytes } of stateLines(artifact)) {
    if (bucket !== open.bucket) {
      close();
      open = { bucket, hash: createHash('sha256') };
    }
    open.hash.update(bytes);
  }
  close();
  return digestOf(Buffer.concat(groups.map((group) => group.digest())));
}
