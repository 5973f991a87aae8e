// SPDX-License-Identifier: Apache-2.0
import { sha256 } from './sha256.ts';

const LEAF_PREFIX = Buffer.of(0);
const nodeInput = Buffer.alloc(65, 1);

/** RFC 6962 §2.1 leaf hash. */
export function hashLeaf(data: Uint8Array): Buffer {
  return sha256(Buffer.concat([LEAF_PREFIX, data]));
}

/** RFC 6962 §2.1 node hash of two 32-byte hashes. */
export function hashNode(left: Uint8Array, right: Uint8Array): Buffer {
  nodeInput.set(left, 1);
  nodeInput.set(right, 33);
  return sha256(nodeInput);
}

/**
 * The root that an audit path leads to (lowest sibling first), or null when the path does not fit index and size.
 * RFC 9162 §2.1.3.2; `size` up to 2^31.
 */
export function rootOfPath(leaf: Buffer, path: readonly Buffer[], at: { index: number; size: number }): Buffer | null {
  let node = at.index;
  let last = at.size - 1;
  let root = leaf;
  for (const sibling of path) {
    if (last === 0) {
      return null;
    }
    if (node % 2 === 1 || node === last) {
      root = hashNode(sibling, root);
      while (node % 2 === 0 && node !== 0) {
        node >>= 1;
        last >>= 1;
      }
    } else {
      root = hashNode(root, sibling);
    }
    node >>= 1;
    last >>= 1;
  }
  return last === 0 ? root : null;
}
