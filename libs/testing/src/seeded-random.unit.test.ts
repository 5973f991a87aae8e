// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { SeededRandom } from './seeded-random.ts';

const DRAW_COUNT = 20_000;

function draws<T>(count: number, draw: () => T): T[] {
  return Array.from({ length: count }, draw);
}

describe('a seeded generator', () => {
  it('repeats itself under one seed, and differs under another, also beyond 32 bits', () => {
    const of = (seed: number) => Buffer.from(new SeededRandom(seed).bytes(32)).toString('hex');
    expect(of(5)).toBe(of(5));
    expect(new Set([of(5), of(6), of(5 + 2 ** 32), of(5 + 2 ** 40)]).size).toBe(4);
  });

  it('covers a range evenly, both ends included', () => {
    const random = new SeededRandom(1);
    const counts = new Map<number, number>();
    for (const drawn of draws(DRAW_COUNT, () => random.nextInt(-2, 2))) counts.set(drawn, (counts.get(drawn) ?? 0) + 1);
    expect([...counts.keys()].sort((one, other) => one - other)).toEqual([-2, -1, 0, 1, 2]);
    for (const count of counts.values()) expect(Math.abs(count - DRAW_COUNT / 5)).toBeLessThan(DRAW_COUNT / 50);
  });

  it('takes a chance as often as it is told', () => {
    const random = new SeededRandom(2);
    const takenCount = draws(DRAW_COUNT, () => random.chance(0.1)).filter(Boolean).length;
    expect(Math.abs(takenCount - DRAW_COUNT / 10)).toBeLessThan(DRAW_COUNT / 100);
    expect(draws(1_000, () => random.chance(0)).some(Boolean)).toBe(false);
    expect(draws(1_000, () => random.chance(1)).every(Boolean)).toBe(true);
  });

  it('forks generators that neither repeat nor disturb each other', () => {
    const one = new SeededRandom(3);
    const other = new SeededRandom(3);
    const forked = one.fork();
    draws(100, () => forked.nextUint32());
    other.fork();
    expect(one.nextUint32()).toBe(other.nextUint32());
    expect(one.fork().nextUint32()).not.toBe(forked.nextUint32());
  });

  it('shuffles without losing anything', () => {
    const items = Array.from({ length: 50 }, (_, index) => index);
    const shuffled = new SeededRandom(4).shuffle(items);
    expect(shuffled).not.toEqual(items);
    expect([...shuffled].sort((one, other) => one - other)).toEqual(items);
  });
});
