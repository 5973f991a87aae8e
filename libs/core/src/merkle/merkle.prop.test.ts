// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { rootFromPath, treeWithPaths } from './audit-path.ts';
import { CompactRange } from './compact-range.ts';
import { leafHash } from './hash.ts';

const leafList = (min: number) =>
  fc.array(fc.uint8Array({ maxLength: 8 }), { minLength: min, maxLength: 70 }).map((all) => all.map(leafHash));

describe('the tree', () => {
  it('gives one root, whether leaf by leaf or at once, and from any frontier', () => {
    fc.assert(
      fc.property(leafList(0), fc.nat(), (leaves, cut) => {
        const whole = new CompactRange();
        for (const leaf of leaves) whole.append(leaf);
        const at = leaves.length === 0 ? 0 : cut % (leaves.length + 1);
        const before = new CompactRange();
        for (const leaf of leaves.slice(0, at)) before.append(leaf);
        const resumed = new CompactRange(at, before.roots);
        for (const leaf of leaves.slice(at)) resumed.append(leaf);
        expect(whole.root()).toBe(treeWithPaths(leaves).root);
        expect(resumed.root()).toBe(whole.root());
      }),
    );
  });

  it('proves every leaf in its place and in no other', () => {
    fc.assert(
      fc.property(leafList(1), fc.nat(), fc.nat(), (leaves, pick, other) => {
        const { root, paths } = treeWithPaths(leaves);
        const index = pick % leaves.length;
        const size = leaves.length;
        const path = paths[index] ?? [];
        const leaf = leaves[index] as string;
        expect(rootFromPath(leaf, { index, size, path })).toBe(root);
        const elsewhere = other % size;
        if (leaves[elsewhere] !== leaf) expect(rootFromPath(leaf, { index: elsewhere, size, path })).not.toBe(root);
        expect(rootFromPath(leaf, { index, size, path: [...path, leaf] })).not.toBe(root);
        if (path.length > 0) expect(rootFromPath(leaf, { index, size, path: path.slice(1) })).not.toBe(root);
        expect(rootFromPath(leaf, { index: size, size, path })).toBeUndefined();
      }),
    );
  });

  it('fails with any flipped bit of leaf or path', () => {
    fc.assert(
      fc.property(leafList(2), fc.nat(), fc.nat(255), (leaves, pick, bit) => {
        const { root, paths } = treeWithPaths(leaves);
        const index = pick % leaves.length;
        const flip = (digest: string): string => {
          const bytes = Buffer.from(digest, 'hex');
          bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
          return bytes.toString('hex');
        };
        const path = paths[index] ?? [];
        const place = { index, size: leaves.length, path };
        expect(rootFromPath(flip(leaves[index] as string), place)).not.toBe(root);
        path.forEach((_, at) => {
          const mutated = path.map((node, position) => (position === at ? flip(node) : node));
          expect(rootFromPath(leaves[index] as string, { ...place, path: mutated })).not.toBe(root);
        });
      }),
    );
  });
});
