// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Digest } from '../canonical/digest.ts';
import { rootFromPath, treeWithPaths } from './audit-path.ts';
import { CompactRange } from './compact-range.ts';
import { leafHash, nodeHash } from './hash.ts';
import { consistencySpans, inclusionSpans, type Span, SpanRoots } from './spans.ts';

const leaves = Array.from({ length: 140 }, (_, index) => leafHash(Buffer.from(`leaf ${index}`)));
const sizes = fc.integer({ min: 1, max: leaves.length });

function frontierOf(size: number): readonly Digest[] {
  const tree = new CompactRange();
  for (const leaf of leaves.slice(0, size)) tree.append(leaf);
  return tree.roots;
}

function rootsOf(spans: readonly Span[], start: number, size: number): readonly Digest[] {
  const roots = new SpanRoots(spans, { start, frontier: frontierOf(start) });
  for (const leaf of leaves.slice(start, size)) roots.append(leaf);
  return roots.roots();
}

const rootOf = (size: number): Digest => treeWithPaths(leaves.slice(0, size)).root;

/** RFC 9162 §2.1.4.2, written from its text. */
function isConsistent(older: number, newer: number, proof: readonly Digest[]): boolean {
  if (older === newer) return proof.length === 0;
  const path = Number.isInteger(Math.log2(older)) ? [rootOf(older), ...proof] : [...proof];
  let fn = older - 1;
  let sn = newer - 1;
  while (fn % 2 === 1) [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  let [fr, sr] = [path[0] as Digest, path[0] as Digest];
  for (const node of path.slice(1)) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      [fr, sr] = [nodeHash(node, fr), nodeHash(node, sr)];
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
    } else {
      sr = nodeHash(sr, node);
    }
    [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  }
  return sn === 0 && fr === rootOf(older) && sr === rootOf(newer);
}

describe('proofs from the leaves of one bundle', () => {
  it('lead a leaf to the root, wherever the bundle begins', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), fc.nat(), (size, pick, before) => {
        const index = pick % size;
        const start = before % (index + 1);
        const path = rootsOf(inclusionSpans(index, size), start, size);
        expect(path).toEqual(treeWithPaths(leaves.slice(0, size)).paths[index]);
        expect(rootFromPath(leaves[index] as Digest, { index, size, path })).toBe(rootOf(size));
      }),
      { numRuns: 300 },
    );
  });

  it('lead an older root to a newer one, wherever between them the bundle begins', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), fc.nat(), (newer, pick, before) => {
        const older = 1 + (pick % newer);
        const start = before % (older + 1);
        const proof = rootsOf(consistencySpans(older, newer), start, newer);
        expect(isConsistent(older, newer, proof)).toBe(true);
        const [first, ...rest] = proof;
        if (first !== undefined)
          expect(isConsistent(older, newer, [leafHash(Buffer.from(first)), ...rest])).toBe(false);
      }),
      { numRuns: 300 },
    );
  });
});
