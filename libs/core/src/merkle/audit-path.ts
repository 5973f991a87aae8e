// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../canonical/digest.ts';
import { assert } from '../kernel/assert.ts';
import { EMPTY_ROOT, nodeHash } from './hash.ts';

/** The root and every leaf's audit path (RFC 6962 §2.1.1, lowest sibling first) of a small tree, in one pass. */
export function treeWithPaths(leaves: readonly Digest[]): { root: Digest; paths: Digest[][] } {
  const paths: Digest[][] = leaves.map(() => []);
  const root = fold(leaves, paths, { from: 0, to: leaves.length });
  return { root, paths };
}

type Span = { readonly from: number; readonly to: number };

function fold(leaves: readonly Digest[], paths: Digest[][], span: Span): Digest {
  const size = span.to - span.from;
  if (size === 0) return EMPTY_ROOT;
  if (size === 1) return leaves[span.from] as Digest;
  const middle = span.from + largestPowerBelow(size);
  const left = fold(leaves, paths, { from: span.from, to: middle });
  const right = fold(leaves, paths, { from: middle, to: span.to });
  for (let index = span.from; index < span.to; index += 1) paths[index]?.push(index < middle ? right : left);
  return nodeHash(left, right);
}

function largestPowerBelow(size: number): number {
  let power = 1;
  while (power * 2 < size) power *= 2;
  return power;
}

export type LeafPlace = { readonly index: number; readonly size: number; readonly path: readonly Digest[] };

/** The root that a leaf at this place leads to, or undefined where the place is impossible (RFC 9162 §2.1.3.2). */
export function rootFromPath(leaf: Digest, place: LeafPlace): Digest | undefined {
  const { size, path } = place;
  let index = place.index;
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return undefined;
  let last = size - 1;
  let node = leaf;
  for (let level = 0; level < path.length; level += 1) {
    const sibling = path[level] as Digest;
    if (last === 0) return undefined;
    if (index % 2 === 1 || index === last) {
      node = nodeAbove(level, sibling, node);
      while (index % 2 === 0 && index !== 0) {
        index = Math.floor(index / 2);
        last = Math.floor(last / 2);
      }
    } else {
      node = nodeAbove(level, node, sibling);
    }
    index = Math.floor(index / 2);
    last = Math.floor(last / 2);
  }
  assert(last >= 0, 'a tree never shrinks below its root');
  return last === 0 ? node : undefined;
}

/**
 * The node made last on each level, with what it was made of. Bodies of one send come one after the other and share all
 * but their lowest nodes, so that most of their paths are compared and not hashed.
 */
const made: { readonly left: Digest; readonly right: Digest; readonly node: Digest }[] = [];

function nodeAbove(level: number, left: Digest, right: Digest): Digest {
  const known = made[level];
  if (known !== undefined && known.left === left && known.right === right) return known.node;
  const node = nodeHash(left, right);
  made[level] = { left, right, node };
  return node;
}
