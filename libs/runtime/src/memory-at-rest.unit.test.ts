// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MemoryAtRest } from './memory-at-rest.ts';

/** At which of the looks it was collected. */
function collectedAt(shares: readonly number[]): readonly number[] {
  const at: number[] = [];
  let index = 0;
  // The question after a collection has the answer of no time.
  let asked = -1;
  const shareAtWork = (): number => {
    if (asked === index) return 1;
    asked = index;
    return shares[index] ?? 0;
  };
  const memory = new MemoryAtRest({ shareAtWork, collect: () => at.push(index) });
  for (; index < shares.length; index += 1) memory.look();
  return at;
}

describe('memory at rest', () => {
  it.each([
    ['while nothing was ever done', [0.01, 0, 0.019, 0], []],
    ['while it is busy', [0.2, 0.3, 0.1, 0.2], []],
    ['once, when a busy time is over', [0.2, 0.3, 0.07, 0, 0, 0.01], [2]],
    ['again after the next one', [0.2, 0.01, 0, 0.1, 0.01, 0], [1, 4]],
    ['when it ends in steps', [0.4, 0.2, 0.11, 0.1], [3]],
  ])('is collected at the right looks: %s', (_, shares, expected) => {
    expect(collectedAt(shares)).toEqual(expected);
  });

  it('is never given back twice without a busy look between', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 40 }), (shares) => {
        const at = collectedAt(shares);
        for (const [place, index] of at.entries()) {
          const since = shares.slice((at[place - 1] ?? -1) + 1, index + 1);
          expect(Math.max(...since)).toBeGreaterThanOrEqual(0.02);
          expect((shares[index] ?? 0) * 4).toBeLessThanOrEqual(Math.max(...since));
        }
      }),
    );
  });
});
