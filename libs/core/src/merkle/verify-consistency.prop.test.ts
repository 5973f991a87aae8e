// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CompactRange } from './compact-range.ts';
import { leafHash } from './hash.ts';
import { consistencySpans, SpanRoots } from './spans.ts';
import { isConsistent } from './verify-consistency.ts';

function rootOf(count: number): string {
  const tree = new CompactRange();
  for (let index = 0; index < count; index += 1) tree.append(leafHash(Buffer.of(index)));
  return tree.root();
}

function proofBetween(older: number, newer: number): readonly string[] {
  if (older === 0 || older === newer) return [];
  const roots = new SpanRoots(consistencySpans(older, newer), { start: 0, frontier: [] });
  for (let index = 0; index < newer; index += 1) roots.append(leafHash(Buffer.of(index)));
  return roots.roots();
}

const sizes = fc.tuple(fc.nat(90), fc.nat(90)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);

describe('a consistency proof', () => {
  it('leads from each tree to each larger one', () => {
    for (let newer = 0; newer <= 40; newer += 1) {
      for (let older = 0; older <= newer; older += 1) {
        const [oldRoot, newRoot] = [rootOf(older), rootOf(newer)];
        const growth = { oldSize: older, oldRoot, newSize: newer, newRoot, proof: proofBetween(older, newer) };
        expect([older, newer, isConsistent(growth)]).toEqual([older, newer, true]);
      }
    }
  });

  it('holds for no other root, size or hash', () => {
    fc.assert(
      fc.property(
        sizes,
        fc.nat(),
        fc.constantFrom('old', 'new', 'hash', 'drop', 'add', 'size'),
        ([older, newer], at, what) => {
          fc.pre(older > 0 && older < newer);
          const proof = [...proofBetween(older, newer)];
          const other = leafHash(Buffer.from('another'));
          const growth = { oldSize: older, oldRoot: rootOf(older), newSize: newer, newRoot: rootOf(newer), proof };
          if (what === 'old') return !isConsistent({ ...growth, oldRoot: other });
          if (what === 'new') return !isConsistent({ ...growth, newRoot: other });
          if (what === 'size') return !isConsistent({ ...growth, oldSize: older + 1 });
          if (what === 'add') return !isConsistent({ ...growth, proof: [...proof, other] });
          const index = at % proof.length;
          return !isConsistent({
            ...growth,
            proof: what === 'drop' ? proof.toSpliced(index, 1) : proof.with(index, other),
          });
        },
      ),
    );
  });
});
