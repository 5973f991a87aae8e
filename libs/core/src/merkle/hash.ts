// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestOf } from '../canonical/digest.ts';

/** Used again for each leaf that fits, as lines do: its first byte stays 00. */
const leafInput = new Uint8Array(65_536);

/** RFC 6962 §2.1: the prefixes keep a leaf from ever passing as a node (second preimage). */
export function leafHash(data: Uint8Array): Digest {
  const bytes =
    data.length < leafInput.length ? leafInput.subarray(0, data.length + 1) : new Uint8Array(data.length + 1);
  bytes.set(data, 1);
  return digestOf(bytes);
}

const digestLeaf = Buffer.alloc(33);

/** The leaf whose data is a digest: that of a body in the tree of its send. */
export function leafOfDigest(digest: Digest): Digest {
  digestLeaf.write(digest, 1, 'hex');
  return digestOf(digestLeaf);
}

const nodeBytes = Buffer.alloc(65);
nodeBytes[0] = 1;

export function nodeHash(left: Digest, right: Digest): Digest {
  nodeBytes.write(left, 1, 'hex');
  nodeBytes.write(right, 33, 'hex');
  return digestOf(nodeBytes);
}

export const EMPTY_ROOT: Digest = digestOf('');
