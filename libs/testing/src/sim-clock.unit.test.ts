// SPDX-License-Identifier: Apache-2.0

import { sleep } from '@clyra/core/ports/clock';
import { describe, expect, it } from '@jest/globals';
import { SimClock } from './sim-clock.ts';

describe('virtual time', () => {
  it('runs timers by time, then by creation, and follows promises before the next one', async () => {
    const clock = new SimClock(0);
    const seen: string[] = [];
    clock.after(5, () => seen.push(`late at ${clock.nowMs()}`));
    for (const name of ['a', 'b']) {
      clock.after(2, () => {
        seen.push(name);
        void Promise.resolve()
          .then(() => {})
          .then(() => seen.push(`${name} followed`));
      });
    }
    await clock.runUntilIdle();
    expect(seen).toEqual(['a', 'a followed', 'b', 'b followed', 'late at 5']);
  });

  it('keeps the order of a thousand timers', async () => {
    const clock = new SimClock(0);
    const seen: number[] = [];
    const delays = Array.from({ length: 1_000 }, (_, index) => (index * 7_919) % 1_009);
    for (const delayMs of delays) clock.after(delayMs, () => seen.push(delayMs));
    await clock.runUntilIdle();
    expect(seen).toEqual([...delays].sort((one, other) => one - other));
  });

  it('advances exactly as far as asked', async () => {
    const clock = new SimClock(100);
    const seen: number[] = [];
    for (const delayMs of [10, 20, 21]) clock.after(delayMs, () => seen.push(delayMs));
    await clock.advance(20);
    expect([clock.nowMs(), ...seen]).toEqual([120, 10, 20]);
  });

  it('does not run a cancelled timer', async () => {
    const clock = new SimClock();
    const seen: string[] = [];
    const cancel = clock.after(1, () => seen.push('cancelled'));
    clock.after(1, () => seen.push('kept'));
    cancel();
    await clock.runUntilIdle();
    expect(seen).toEqual(['kept']);
  });

  it('drives work to its end, and says when the work waits for nothing or takes too long', async () => {
    const clock = new SimClock(0);
    expect(await clock.drive(sleep(clock, 50).then(() => clock.nowMs()))).toBe(50);
    await expect(clock.drive(new Promise(() => {}))).rejects.toThrow('the work waits for nothing');
    await expect(clock.drive(sleep(clock, 5_000), 1_000)).rejects.toThrow('not done after 1000 ms');
  });

  it('hands an error of a timer on to whoever lets time pass', async () => {
    const clock = new SimClock();
    clock.after(1, () => {
      throw new Error('a bug');
    });
    await expect(clock.advance(1)).rejects.toThrow('a bug');
  });
});
