// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MemoryAtRest } from './memory-at-rest.ts';

type Told = { readonly collectedAt: readonly number[]; readonly grewBy: readonly (readonly [number, number])[] };

/** At which of the looks it was collected, and from which on it grows by so many percent. */
function told(shares: readonly number[]): Told {
  const collected: number[] = [];
  const grewBy: (readonly [number, number])[] = [];
  let index = 0;
  // The question after a collection has the answer of no time.
  let asked = -1;
  const shareAtWork = (): number => {
    if (asked === index) return 1;
    asked = index;
    return shares[index] ?? 0;
  };
  const collect = (): void => void collected.push(index);
  const memory = new MemoryAtRest({ shareAtWork, collect, growBy: (percent) => grewBy.push([index, percent]) });
  for (; index < shares.length; index += 1) memory.look();
  return { collectedAt: collected, grewBy };
}

describe('memory at rest', () => {
  it.each([
    ['once after the start, while nothing was ever done', [0.01, 0, 0.019, 0], [0]],
    ['while it is busy', [0.2, 0.2, 0.3, 0.1, 0.2], [0]],
    ['once, when a busy time is over', [0.2, 0.2, 0.3, 0.07, 0, 0, 0.01], [0, 3]],
    ['again after the next one', [0, 0.2, 0.01, 0, 0.1, 0.01, 0], [0, 2, 5]],
    ['when it ends in steps', [0, 0.4, 0.2, 0.11, 0.1], [0, 4]],
    ['when it has caught up, and not before', [0.9, 0.8, 0.3, 0.3, 0.7, 0.6, 0.01, 0], [2, 6]],
  ])('is collected at the right looks: %s', (_, shares, expected) => {
    expect(told(shares).collectedAt).toEqual(expected);
  });

  it('may grow far while the thread catches up, and little otherwise', () => {
    expect(told([0.9, 0.8, 0.3, 0.2, 0.7, 0.6, 0.01]).grewBy).toEqual([
      [2, 20],
      [4, 200],
      [6, 20],
    ]);
    expect(told([0.9, 1, 0.51]).grewBy).toEqual([]);
  });

  it('is never given back twice without a busy look between', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 40 }), (shares) => {
        const at = told(shares).collectedAt;
        for (const [place, index] of at.entries()) {
          const since = shares.slice((at[place - 1] ?? -1) + 1, index + 1);
          // The first one ends the start; after others the thread caught up in between, or came to rest.
          if (place === 0 || Math.max(...since) > 0.5) continue;
          expect(Math.max(...since)).toBeGreaterThanOrEqual(0.02);
          expect((shares[index] ?? 0) * 4).toBeLessThanOrEqual(Math.max(...since));
        }
      }),
    );
  });
});
