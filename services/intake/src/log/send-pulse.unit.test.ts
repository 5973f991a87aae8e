// SPDX-License-Identifier: Apache-2.0
import { SimClock } from '@clyra/testing/sim-clock';
import { describe, expect, it } from '@jest/globals';
import { SendPulse } from './send-pulse.ts';

/** A send of these changes began now; `ended` says after how many ms the next one may begin. */
function sent(eventIds: readonly string[]): { clock: SimClock; pulse: SendPulse; ended: () => number | undefined } {
  const clock = new SimClock();
  const pulse = new SendPulse(clock);
  const beganAtMs = clock.nowMs();
  let endedAtMs: number | undefined;
  pulse.began(eventIds);
  void pulse.rest(beganAtMs).then(() => {
    endedAtMs = clock.nowMs();
  });
  return { clock, pulse, ended: () => (endedAtMs === undefined ? undefined : endedAtMs - beganAtMs) };
}

describe('the pulse of sends', () => {
  it('goes on when the last receipt of the send is read', async () => {
    const { clock, pulse, ended } = sent(['a', 'b']);
    await clock.advance(6);
    pulse.answered('a');
    pulse.answered('of another intake');
    await clock.advance(2);
    expect(ended()).toBeUndefined();
    pulse.answered('b');
    await clock.advance(0);
    expect(ended()).toBe(8);
  });

  it('does not go faster than its least, however quick the receipts are', async () => {
    const { clock, pulse, ended } = sent(['a']);
    pulse.answered('a');
    await clock.advance(20);
    expect(ended()).toBe(3);
  });

  it('waits no longer than its most for an enforcer that says nothing', async () => {
    const { clock, ended } = sent(['a']);
    await clock.advance(20);
    expect(ended()).toBe(15);
  });

  it('counts receipts that were read before the send was acknowledged', async () => {
    const clock = new SimClock();
    const pulse = new SendPulse(clock);
    const beganAtMs = clock.nowMs();
    pulse.began(['a']);
    pulse.answered('a');
    await clock.advance(5);
    await expect(Promise.all([pulse.rest(beganAtMs), clock.advance(0)])).resolves.toBeDefined();
    expect(clock.nowMs() - beganAtMs).toBe(5);
  });

  it('lets every lane go on that rests, where trouble has parted them', async () => {
    const { clock, pulse, ended } = sent(['a']);
    let other = false;
    void pulse.rest(clock.nowMs()).then(() => {
      other = true;
    });
    await clock.advance(4);
    pulse.answered('a');
    await clock.advance(0);
    expect([ended(), other]).toEqual([4, true]);
  });
});
