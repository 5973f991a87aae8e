// SPDX-License-Identifier: Apache-2.0
import { sha256 } from './sha256.ts';
import { hashNode } from './tree.ts';

/** Leaves [start,end) of a tree. */
export interface LeafRange {
  readonly start: number;
  readonly end: number;
}

const HASH_BYTES = 32;
/** No path of a tree of 2^53 leaves is longer, with room for the nodes of both sides. */
const PROOF_LENGTH_MAX = 128;

class ProofError extends Error {}

/** Hands out the nodes of a proof in order, each once. */
class ProofReader {
  readonly #nodes: readonly Buffer[];
  #at = 0;

  constructor(nodes: readonly Buffer[]) {
    if (nodes.length > PROOF_LENGTH_MAX || nodes.some((node) => node.length !== HASH_BYTES)) {
      throw new ProofError();
    }
    this.#nodes = nodes;
  }

  take(): Buffer {
    const node = this.#nodes[this.#at];
    if (node === undefined) {
      throw new ProofError();
    }
    this.#at += 1;
    return node;
  }

  get isSpent(): boolean {
    return this.#at === this.#nodes.length;
  }
}

interface ProvenRoots {
  readonly proof: readonly Buffer[];
  /** Root of the smaller tree, or the leaf hash. */
  readonly inner: Buffer;
  readonly root: Buffer;
}

/** Whether a leaf hash stands at `index` of the tree over `range` (RFC 9162 §2.1.3; the whole tree starts at 0). */
export function isIncluded(index: number, range: LeafRange, proven: ProvenRoots): boolean {
  const isInside = Number.isSafeInteger(index) && index >= range.start && index < range.end;
  return (
    isAligned(range) &&
    isInside &&
    proven.inner.length === HASH_BYTES &&
    isSubtreeOf({ start: index, end: index + 1 }, range, proven)
  );
}

/** Whether the tree of `size` leaves with `inner` grew into the one of `grownSize` with `root` (RFC 9162 §2.1.4). */
export function isConsistent(size: number, grownSize: number, proven: ProvenRoots): boolean {
  return size > 0 && isPartOf({ start: 0, end: size }, grownSize, proven);
}

/** Whether the aligned range with root `inner` is a part of the tree of `size` leaves with `root`. */
export function isPartOf(range: LeafRange, size: number, proven: ProvenRoots): boolean {
  if (!isAligned(range) || !Number.isSafeInteger(size) || range.end > size) {
    return false;
  }
  if (range.start === range.end) {
    return proven.proof.length === 0 && proven.inner.equals(sha256(''));
  }
  return isSubtreeOf(range, { start: 0, end: size }, proven);
}

function isSubtreeOf(inner: LeafRange, outer: LeafRange, proven: ProvenRoots): boolean {
  try {
    const proof = new ProofReader(proven.proof);
    const roots = rebuild(inner, outer, { proof, known: proven.inner });
    return proof.isSpent && roots.inner.equals(proven.inner) && roots.outer.equals(proven.root);
  } catch (error) {
    if (error instanceof ProofError) {
      return false;
    }
    throw error;
  }
}

/** The roots that the proof gives for `inner` and for the node over `outer`; what is known is not read from it. */
function rebuild(
  inner: LeafRange,
  outer: LeafRange,
  from: { readonly proof: ProofReader; readonly known: Buffer | null },
): { readonly inner: Buffer; readonly outer: Buffer } {
  if (inner.start === outer.start && inner.end === outer.end) {
    const node = from.known ?? from.proof.take();
    return { inner: node, outer: node };
  }
  const middle = outer.start + largestPowerBelow(outer.end - outer.start);
  if (inner.end <= middle) {
    const left = rebuild(inner, { start: outer.start, end: middle }, from);
    return { inner: left.inner, outer: hashNode(left.outer, from.proof.take()) };
  }
  if (inner.start >= middle) {
    const right = rebuild(inner, { start: middle, end: outer.end }, from);
    return { inner: right.inner, outer: hashNode(from.proof.take(), right.outer) };
  }
  // An aligned range that crosses the middle begins where its node begins: the left half is whole in both trees.
  const right = rebuild({ start: middle, end: inner.end }, { start: middle, end: outer.end }, { ...from, known: null });
  const left = from.proof.take();
  return { inner: hashNode(left, right.inner), outer: hashNode(left, right.outer) };
}

/** Only a range that begins at a multiple of the power of two that spans it is the range of a node. */
function isAligned({ start, end }: LeafRange): boolean {
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start) {
    return false;
  }
  let span = 1;
  while (span < end - start) {
    span *= 2;
  }
  return start % span === 0;
}

function largestPowerBelow(count: number): number {
  let power = 1;
  while (power * 2 < count) {
    power *= 2;
  }
  return power;
}
