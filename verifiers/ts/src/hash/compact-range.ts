// SPDX-License-Identifier: Apache-2.0
import { sha256 } from './sha256.ts';
import { hashNodeLatin1 } from './tree.ts';

/** How many perfect subtrees the compact range [0,size) has: the ones in the binary form of size. */
export function frontierLength(size: number): number {
  return [...size.toString(2)].filter((bit) => bit === '1').length;
}

/** The compact range [0,n) of an RFC 6962 tree: the roots of its perfect subtrees, largest first. Memory O(log n). */
export class CompactRange {
  #size: number;
  /** As characters, one a byte: a journal has two trees with a node a line each. */
  #roots: string[];

  /** `roots` must be the frontier of `size` leaves (`frontierLength` many). */
  constructor(size: number = 0, roots: readonly Buffer[] = []) {
    this.#size = size;
    this.#roots = roots.map((root) => root.toString('latin1'));
  }

  get size(): number {
    return this.#size;
  }

  /** `leaf`: 32 characters, one a byte. */
  append(leaf: string): void {
    let node = leaf;
    // Sizes reach 2^53, beyond the 32 bits of shifts.
    for (let rest = this.#size; rest % 2 === 1; rest = (rest - 1) / 2) {
      node = hashNodeLatin1(this.#roots.pop() as string, node);
    }
    this.#roots.push(node);
    this.#size += 1;
  }

  root(): Buffer {
    const [...roots] = this.#roots;
    let root = roots.pop();
    if (root === undefined) {
      return sha256('');
    }
    for (let left = roots.pop(); left !== undefined; left = roots.pop()) {
      root = hashNodeLatin1(left, root);
    }
    return Buffer.from(root, 'latin1');
  }
}
