// SPDX-License-Identifier: Apache-2.0
import { sleep } from '@clyra/core/ports/clock';
import { describe, expect, it } from '@jest/globals';
import { IntakeWorld } from '../test-support/intake-world.ts';

/** A change that is allowed has an outcome, so the enforcer manages half as many changes a second as records. */
const RECORD_MS = 10;
const CHANGES_PER_SECOND = 1_000 / RECORD_MS / 2;
const OFFERED_PER_SECOND = 2 * CHANGES_PER_SECOND;
const SECONDS = 12;
const SETTLED_AFTER_SECONDS = 7;

describe('more requests than can be decided in time', () => {
  it('are turned away at the door, and those let in are decided: the rate of effects does not collapse', async () => {
    const world = new IntakeWorld();
    const intake = await world.open();
    world.enforcer.recordMs = RECORD_MS;
    const startMs = world.clock.nowMs();
    const settledAtMs = startMs + SETTLED_AFTER_SECONDS * 1_000;
    const counts = new Map<string, number>();
    const one = async (): Promise<void> => {
      const isSettled = world.clock.nowMs() >= settledAtMs;
      const { status, body } = await intake.gateway.handle(world.request());
      const kind = status === 201 ? '201' : (JSON.parse(String(body)) as { code: string }).code;
      if (isSettled) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    };
    const offered = async (): Promise<void> => {
      const underWay: Promise<void>[] = [];
      for (let index = 0; index < OFFERED_PER_SECOND * SECONDS; index += 1) {
        underWay.push(one());
        await sleep(world.clock, 1_000 / OFFERED_PER_SECOND);
      }
      await Promise.all(underWay);
    };
    await world.during(offered(), (SECONDS + 10) * 1_000);
    const allowedPerSecond = (counts.get('201') ?? 0) / (SECONDS - SETTLED_AFTER_SECONDS);
    expect(allowedPerSecond).toBeGreaterThan(CHANGES_PER_SECOND * 0.6);
    expect(counts.get('CLY_INTAKE_BUSY')).toBeGreaterThan(0);
    expect(world.forwarded.length).toBeGreaterThan(0);
  });
});
