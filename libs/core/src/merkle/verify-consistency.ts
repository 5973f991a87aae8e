// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../canonical/digest.ts';
import { nodeHash } from './hash.ts';

export type Growth = {
  readonly oldSize: number;
  readonly oldRoot: Digest;
  readonly newSize: number;
  readonly newRoot: Digest;
  readonly proof: readonly Digest[];
};

/** Whether the larger tree begins with the smaller one (RFC 9162 §2.1.4.2); sizes below 2^53. */
export function isConsistent({ oldSize, oldRoot, newSize, newRoot, proof }: Growth): boolean {
  if (oldSize > newSize || oldSize < 0) return false;
  if (oldSize === 0) return proof.length === 0;
  if (oldSize === newSize) return proof.length === 0 && oldRoot === newRoot;
  let node = oldSize - 1;
  let last = newSize - 1;
  for (; node % 2 === 1; node = half(node)) last = half(last);
  // A tree that is a perfect subtree of the larger one is its own first node.
  const path = node === 0 ? [oldRoot, ...proof] : proof;
  const [first, ...rest] = path;
  if (first === undefined) return false;
  let [left, whole] = [first, first];
  for (const sibling of rest) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      left = nodeHash(sibling, left);
      whole = nodeHash(sibling, whole);
      for (; node % 2 === 0 && node !== 0; node = half(node)) last = half(last);
    } else {
      whole = nodeHash(whole, sibling);
    }
    node = half(node);
    last = half(last);
  }
  return last === 0 && left === oldRoot && whole === newRoot;
}

function half(value: number): number {
  return Math.floor(value / 2);
}
