// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../canonical/digest.ts';
import { assert } from '../kernel/assert.ts';
import { EMPTY_ROOT, nodeHash } from './hash.ts';

/**
 * The roots of the perfect subtrees of [0,size), largest first: all that is needed to append leaves and to give
 * the root (RFC 6962 §2.1) in O(log n) memory.
 */
export class CompactRange {
  readonly #roots: Digest[];
  #size: number;

  constructor(size = 0, roots: readonly Digest[] = []) {
    assert(Number.isSafeInteger(size) && size >= 0, 'a tree size is a safe integer');
    assert(roots.length === bitCount(size), 'a compact range has one root for each bit of its size');
    this.#size = size;
    this.#roots = [...roots];
  }

  get size(): number {
    return this.#size;
  }

  get roots(): readonly Digest[] {
    return [...this.#roots];
  }

  append(leaf: Digest): void {
    let carried = leaf;
    for (let rest = this.#size; rest % 2 === 1; rest = Math.floor(rest / 2)) {
      carried = nodeHash(this.#roots.pop() as Digest, carried);
    }
    this.#roots.push(carried);
    this.#size += 1;
  }

  root(): Digest {
    let root: Digest | undefined;
    for (let index = this.#roots.length - 1; index >= 0; index -= 1) {
      const subtree = this.#roots[index] as Digest;
      root = root === undefined ? subtree : nodeHash(subtree, root);
    }
    return root ?? EMPTY_ROOT;
  }

  copy(): CompactRange {
    return new CompactRange(this.#size, this.#roots);
  }
}

function bitCount(value: number): number {
  let count = 0;
  for (let rest = value; rest > 0; rest = Math.floor(rest / 2)) count += rest % 2;
  return count;
}
