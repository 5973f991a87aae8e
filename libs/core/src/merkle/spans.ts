// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../canonical/digest.ts';
import { assert } from '../kernel/assert.ts';
import { CompactRange } from './compact-range.ts';

/** Leaves [from,to) of a tree. */
export type Span = { readonly from: number; readonly to: number };

/** The spans whose roots are the audit path of a leaf, lowest first (RFC 6962 §2.1.1). */
export function inclusionSpans(index: number, size: number): readonly Span[] {
  assert(index >= 0 && index < size, 'a leaf stands in its tree');
  const spans: Span[] = [];
  for (let from = 0, to = size; to - from > 1; ) {
    const middle = from + largestPowerBelow(to - from);
    const isLeft = index < middle;
    spans.push(isLeft ? { from: middle, to } : { from, to: middle });
    if (isLeft) to = middle;
    else from = middle;
  }
  return spans.reverse();
}

/** The spans whose roots prove that a tree of `newer` leaves extends one of `older` (RFC 9162 §2.1.4.1). */
export function consistencySpans(older: number, newer: number): readonly Span[] {
  assert(older > 0 && older <= newer, 'the older tree is not empty and not larger');
  const spans: Span[] = [];
  let from = 0;
  let to = newer;
  let isWhole = true;
  while (older !== to) {
    const middle = from + largestPowerBelow(to - from);
    if (older <= middle) {
      spans.push({ from: middle, to });
      to = middle;
    } else {
      spans.push({ from, to: middle });
      from = middle;
      isWhole = false;
    }
  }
  if (!isWhole) spans.push({ from, to });
  return spans.reverse();
}

function largestPowerBelow(size: number): number {
  let power = 1;
  while (power * 2 < size) power *= 2;
  return power;
}

/**
 * The roots of spans of a log of which only the leaves from `start` on go by: what stands before is known by its
 * compact range. Works for the spans of proofs of what stands at or after `start`, in one pass and O(log n) memory.
 */
export class SpanRoots {
  readonly #parts: readonly { readonly span: Span; readonly tree: CompactRange }[];
  #next: number;

  constructor(spans: readonly Span[], before: { readonly start: number; readonly frontier: readonly Digest[] }) {
    this.#next = before.start;
    this.#parts = spans.map((span) => ({ span, tree: treeBefore(span, before) }));
  }

  append(leaf: Digest): void {
    const at = this.#next;
    this.#next += 1;
    for (const { span, tree } of this.#parts) if (at >= span.from && at < span.to) tree.append(leaf);
  }

  /** In the order of the spans, once every leaf has gone by. */
  roots(): readonly Digest[] {
    return this.#parts.map(({ span, tree }) => {
      assert(tree.size === span.to - span.from, 'every leaf of a span has gone by');
      return tree.root();
    });
  }
}

/** A span's leaves before `start` are the last subtrees of the compact range, for a span is as aligned as it is long. */
function treeBefore(span: Span, { start, frontier }: { start: number; frontier: readonly Digest[] }): CompactRange {
  const size = Math.max(0, Math.min(span.to, start) - span.from);
  let at = 0;
  const inside: Digest[] = [];
  for (const [index, length] of subtreeLengths(start).entries()) {
    if (at >= span.from && at < span.from + size) inside.push(frontier[index] as Digest);
    at += length;
  }
  return new CompactRange(size, inside);
}

/** Sizes of the perfect subtrees of [0,size), largest first. */
function subtreeLengths(size: number): readonly number[] {
  const lengths: number[] = [];
  for (let rest = size, length = 1; rest > 0; rest = Math.floor(rest / 2), length *= 2) {
    if (rest % 2 === 1) lengths.unshift(length);
  }
  return lengths;
}
