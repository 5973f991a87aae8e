// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { IntakeWorld } from '../test-support/intake-world.ts';

describe('gateway', () => {
  it('forwards an allowed change and reports its outcome', async () => {
    const world = new IntakeWorld();
    const intake = await world.open();
    const answer = await world.during(intake.gateway.handle(world.request()));
    expect(answer.status).toBe(201);
    expect(answer.headers['clyra-receipt']).toMatch(/^[0-9a-f]{32}$/);
    expect(world.forwarded).toHaveLength(1);
    await world.clock.advance(200);
    expect(world.changesOf('change.outcome')).toMatchObject([
      { of: answer.headers['clyra-event-id'], outcome: 'done', upstream_status: 201 },
    ]);
  });
});
