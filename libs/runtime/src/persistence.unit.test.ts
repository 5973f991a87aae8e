// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import { silentLogger } from '@clyra/core/ports/logger';
import { SimClock } from '@clyra/testing/sim-clock';
import { describe, expect, it } from '@jest/globals';
import { Persistence } from './persistence.ts';

const passing = new ClyraError('CLY_TEST_AWAY', 'away', { retry: 'backoff' });

function make(): { clock: SimClock; persistence: Persistence; reasons: (string | undefined)[] } {
  const clock = new SimClock();
  const reasons: (string | undefined)[] = [];
  const onWaiting = (reason: string | undefined): void => void reasons.push(reason);
  return { clock, reasons, persistence: new Persistence({ clock, logger: silentLogger, onWaiting }) };
}

describe('persistence', () => {
  it('repeats what may pass, tells what it waits for, and that it goes on', async () => {
    const { clock, persistence, reasons } = make();
    let attempts = 0;
    const work = persistence.until('the thing', async () => {
      attempts += 1;
      if (attempts < 3) throw passing;
      return attempts;
    });
    expect(await clock.drive(work)).toBe(3);
    expect(reasons).toEqual(['the thing: CLY_TEST_AWAY', 'the thing: CLY_TEST_AWAY', undefined]);
  });

  it('rejects at once with what never passes, and with bugs', async () => {
    const { persistence } = make();
    const lasting = new ClyraError('CLY_TEST_GONE', 'gone', { retry: 'never' });
    await expect(persistence.until('x', () => Promise.reject(lasting))).rejects.toBe(lasting);
    await expect(persistence.until('x', () => Promise.reject(new TypeError('bug')))).rejects.toBeInstanceOf(TypeError);
  });

  it('gives up when it is told to stop', async () => {
    const { clock, persistence } = make();
    const work = persistence.until('x', () => Promise.reject(passing));
    const end = expect(work).rejects.toMatchObject({ code: 'CLY_SERVICE_STOPPING' });
    await clock.advance(1_000);
    persistence.stop();
    await clock.advance(5_000);
    await end;
  });
});
