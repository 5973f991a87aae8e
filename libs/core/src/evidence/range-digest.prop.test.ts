// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CompactRange } from '../merkle/compact-range.ts';
import { leafHash } from '../merkle/hash.ts';
import { RangeDigest, SEGMENT_LINES } from './range-digest.ts';

describe('the segments of a journal', () => {
  it('are roots of trees of their own lines, fewer than twice the half of the limit, however long the journal', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_500 }), fc.constantFrom(2, 4, 8), (lineCount, countMax) => {
        const digest = new RangeDigest(countMax);
        const leaves = Array.from({ length: lineCount }, (_, index) => digest.append(Buffer.from(`{"n":${index}}`)));
        const { segment_lines: length, segments } = digest.facts();
        const doublings = Math.log2(length / SEGMENT_LINES);
        expect(Number.isInteger(doublings) && Math.floor(lineCount / length) < countMax).toBe(true);
        if (length > SEGMENT_LINES) expect(Math.floor(lineCount / (length / 2))).toBeGreaterThanOrEqual(countMax);
        const expected: string[] = [];
        for (let from = 0; from < lineCount; from += length) {
          const tree = new CompactRange();
          for (const leaf of leaves.slice(from, from + length)) tree.append(leaf);
          expected.push(tree.root());
        }
        expect(segments).toEqual(expected);
        expect(leaves[0]).toBe(leafHash(Buffer.from('{"n":0}')));
      }),
      { numRuns: 60 },
    );
  });
});
