// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { treeWithPaths } from './audit-path.ts';
import { CompactRange } from './compact-range.ts';
import { leafHash } from './hash.ts';

type Vectors = { readonly leaves_hex: readonly string[]; readonly roots: readonly string[] };

const vectors = JSON.parse(
  readFileSync(new URL('../../../../schemas/vectors/merkle/rfc6962-roots.json', import.meta.url), 'utf8'),
) as Vectors;
const leaves = vectors.leaves_hex.map((hex) => leafHash(Buffer.from(hex, 'hex')));

describe('the tree, on the reference leaves of certificate transparency', () => {
  it.each(vectors.roots.map((root, size) => [size, root] as const))('has the root of %i leaves', (size, root) => {
    const range = new CompactRange();
    for (const leaf of leaves.slice(0, size)) range.append(leaf);
    expect(range.root()).toBe(root);
    expect(treeWithPaths(leaves.slice(0, size)).root).toBe(root);
  });
});
