// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MemoryAtRest } from './memory-at-rest.ts';

type Told = { readonly collectedAt: readonly number[]; readonly grewBy: readonly (readonly [number, number])[] };

const MIB = 1024 * 1024;

/** At which of the looks it was collected, and from which on it grows by so many percent; `heldMib` is 100 where it ends. */
function told(shares: readonly number[], heldMib: readonly number[] = []): Told {
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
  const heldBytes = (): number => (heldMib[index] ?? 100) * MIB;
  const growBy = (percent: number): void => void grewBy.push([index, percent]);
  const memory = new MemoryAtRest({ shareAtWork, heldBytes, collect, growBy });
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

  const STEADY = Array.from({ length: 40 }, () => 0.2);
  const swollen = (...mib: number[]): readonly number[] => [100, ...mib, ...STEADY.map(() => mib.at(-1) ?? 0)];

  it.each([
    ['though steady work goes on behind it', swollen(100, 150), [0, 2]],
    ['not of what steady work takes', swollen(112, 111), [0]],
    ['from the least that was held, which comes some time after a collection', swollen(100, 90, 103), [0, 3]],
    ['not again within half a minute', [100, 150, 150, ...swollen(163).slice(1)], [0, 1, 16]],
    ['and not of what a collection does not give back', swollen(150), [0, 1]],
  ])('is collected of what a short burst took: %s', (_, heldMib, expected) => {
    expect(told(STEADY, heldMib).collectedAt).toEqual(expected);
  });

  it('is not collected for what it holds while the thread catches up', () => {
    const heldMib = [100, ...STEADY.map(() => 200)];
    expect(told([0.1, ...STEADY.map(() => 0.9), 0.6, 0.4], heldMib).collectedAt).toEqual([0, 42]);
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
