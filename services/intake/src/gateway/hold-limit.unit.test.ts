// SPDX-License-Identifier: Apache-2.0
import { SimClock } from '@clyra/testing/sim-clock';
import { describe, expect, it } from '@jest/globals';
import { HoldLimit } from './hold-limit.ts';

const HOLD_MS = 800;

function opened(max = 1_000): { readonly clock: SimClock; readonly limit: HoldLimit } {
  const clock = new SimClock();
  return { clock, limit: new HoldLimit({ clock, max, holdMs: HOLD_MS }) };
}

function enter(limit: HoldLimit, count: number): void {
  for (let index = 0; index < count; index += 1) limit.enter();
}

describe('how many callers may wait', () => {
  it('is the most at first, and no caller more', () => {
    const { limit } = opened(3);
    enter(limit, 2);
    expect(limit.isOpen()).toBe(true);
    enter(limit, 1);
    expect(limit.isOpen()).toBe(false);
    limit.leave(undefined);
    expect(limit.isOpen()).toBe(true);
  });

  it('falls by a share of those who wait when a receipt is late, once a hold', async () => {
    const { clock, limit } = opened();
    enter(limit, 400);
    limit.leave(700);
    limit.leave(700);
    expect(limit.limit).toBe(280);
    await clock.advance(HOLD_MS);
    limit.late();
    expect(limit.limit).toBe(196);
  });

  it('never falls below what keeps a small machine busy, nor rises over the most', async () => {
    const { clock, limit } = opened();
    enter(limit, 10);
    for (let round = 0; round < 20; round += 1) {
      limit.late();
      await clock.advance(HOLD_MS);
    }
    expect(limit.limit).toBe(16);
    const small = opened(5);
    enter(small.limit, 5);
    small.limit.late();
    small.limit.leave(10);
    expect(small.limit.limit).toBe(5);
  });

  it('grows with receipts in time: by an eighth of a place while the room is used, by a place where it is not', () => {
    const { limit } = opened();
    enter(limit, 100);
    limit.late();
    expect(limit.limit).toBe(70);
    for (let index = 0; index < 16; index += 1) limit.leave(20);
    expect(limit.limit).toBe(72);
    for (let index = 0; index < 50; index += 1) limit.leave(undefined);
    limit.leave(20);
    expect(limit.limit).toBe(73);
  });

  it('is the most again when nobody waits', () => {
    const { limit } = opened();
    enter(limit, 50);
    limit.late();
    expect(limit.limit).toBe(35);
    for (let index = 0; index < 50; index += 1) limit.leave(undefined);
    expect(limit.limit).toBe(1_000);
  });

  it('stays as it is while no receipt comes at all', async () => {
    const { clock, limit } = opened();
    enter(limit, 500);
    await clock.advance(10 * HOLD_MS);
    for (let index = 0; index < 499; index += 1) limit.leave(undefined);
    expect(limit.limit).toBe(1_000);
  });
});
