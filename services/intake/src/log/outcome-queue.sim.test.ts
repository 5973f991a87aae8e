// SPDX-License-Identifier: Apache-2.0
import type { Envelopes } from '@clyra/core/ports/envelope-codec';
import { readBlock } from '@clyra/core/signing/parse-block';
import { plainCodec } from '@clyra/testing/plain-codec';
import { describe, expect, it } from '@jest/globals';
import type { IntakeProcessor } from '../intake.processor.ts';
import { IntakeWorld } from '../test-support/intake-world.ts';

/** Which kinds share a send: a send has one signature. */
function sendsOf(world: IntakeWorld): string[][] {
  const envelopes = [0, 1].flatMap((partition) =>
    world.log
      .recordsOf(world.topics.changes, partition)
      .map(({ value }) => plainCodec.decode('ChangeEnvelope', value as Uint8Array) as Envelopes['ChangeEnvelope']),
  );
  const own = envelopes.filter(({ kind }) => kind.startsWith('change.'));
  return [...Map.groupBy(own, ({ signature }) => readBlock(signature as Uint8Array)?.sig).values()].map((send) =>
    send.map(({ kind }) => kind),
  );
}

async function allowed(world: IntakeWorld, intake: IntakeProcessor): Promise<void> {
  const answer = await world.during(intake.gateway.handle(world.request()));
  expect(answer.status).toBe(201);
}

describe('outcomes on their way to the log', () => {
  it('go with the next change that somebody waits for', async () => {
    const world = new IntakeWorld();
    const intake = await world.open();
    await allowed(world, intake);
    await allowed(world, intake);
    await world.pass(200);
    expect(sendsOf(world)).toEqual([['change.requested'], ['change.outcome', 'change.requested'], ['change.outcome']]);
  });

  it('go by themselves where no change comes', async () => {
    const world = new IntakeWorld();
    const intake = await world.open();
    await allowed(world, intake);
    await world.pass(200);
    await allowed(world, intake);
    await world.pass(200);
    const sends = [['change.requested'], ['change.outcome'], ['change.requested'], ['change.outcome']];
    expect(sendsOf(world)).toEqual(sends);
  });
});
