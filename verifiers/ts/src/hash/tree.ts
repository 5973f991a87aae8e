// SPDX-License-Identifier: Apache-2.0
import { sha256, sha256Latin1 } from './sha256.ts';

const LEAF_BYTES_MAX = 65_535;
/** Used again for each leaf: its first byte stays 00. */
const leafInput = Buffer.alloc(LEAF_BYTES_MAX + 1);
const HASH_BYTES = 32;
const nodeInput = Buffer.alloc(1 + 2 * HASH_BYTES, 1);

/** RFC 6962 §2.1 leaf hash of at most 65,535 bytes. */
export function hashLeaf(data: Uint8Array): Buffer {
  leafInput.set(data, 1);
  return sha256(leafInput.subarray(0, data.length + 1));
}

/** The same as characters, one a byte. */
export function hashLeafLatin1(data: Uint8Array): string {
  leafInput.set(data, 1);
  return sha256Latin1(leafInput.subarray(0, data.length + 1));
}

/** A node of two hashes that are characters, one a byte. */
export function hashNodeLatin1(left: string, right: string): string {
  // So few characters are written faster one by one than by a call out of JavaScript.
  for (let index = 0; index < HASH_BYTES; index += 1) {
    nodeInput[1 + index] = left.charCodeAt(index);
    nodeInput[1 + HASH_BYTES + index] = right.charCodeAt(index);
  }
  return sha256Latin1(nodeInput);
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
