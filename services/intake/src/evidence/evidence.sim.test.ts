// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '@clyra/core/canonical/digest';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { parseRecord } from '@clyra/core/canonical/record';
import { parseObservation } from '@clyra/core/evidence/observation-body';
import type { Envelopes } from '@clyra/core/ports/envelope-codec';
import type { SignatureBlock } from '@clyra/core/signing/batch-signature';
import { BatchVerifier } from '@clyra/core/signing/batch-verifier';
import { OBSERVATION_TYPE } from '@clyra/core/signing/pae';
import { readBlock } from '@clyra/core/signing/parse-block';
import { plainCodec } from '@clyra/testing/plain-codec';
import { describe, expect, it } from '@jest/globals';
import type { IntakeProcessor } from '../intake.processor.ts';
import { IntakeWorld, TENANT } from '../test-support/intake-world.ts';

/** What stands on clyra.observations, each signed by a key that the tenant trusts as an intake. */
function observations(world: IntakeWorld, intake: IntakeProcessor): JsonObject[] {
  const verifier = new BatchVerifier(OBSERVATION_TYPE, 'intake');
  const root = intake.directory.get(TENANT)?.trustRoot;
  return [0, 1].flatMap((partition) =>
    world.log.recordsOf(world.topics.observations, partition).map(({ value, appendTimeMs: atMs }) => {
      const envelope = plainCodec.decode('ObservationEnvelope', value ?? new Uint8Array());
      const { body, signature, tenant, kind } = envelope as Envelopes['ObservationEnvelope'];
      expect([partition, tenant, parseObservation(body).kind]).toEqual([1, TENANT, kind]);
      if (root === undefined) throw new Error('the tenant is open');
      expect(
        verifier.verify(root, { digest: digestOf(body), block: readBlock(signature) as SignatureBlock, atMs }),
      ).toBe(true);
      return parseRecord(body);
    }),
  );
}

async function statusOf(world: IntakeWorld, intake: IntakeProcessor, target?: string): Promise<number> {
  const request = world.request(target === undefined ? {} : { target });
  return (await world.during(intake.gateway.handle(request))).status;
}

describe('an outage', () => {
  it('stands in the log of the tenant, once, from its first refusal to the first receipt after its last', async () => {
    const world = new IntakeWorld({ seed: 31 });
    const intake = await world.open();
    const frozenAtMs = world.clock.nowMs();
    world.log.freeze();
    for (let count = 0; count < 3; count += 1) expect(await statusOf(world, intake)).toBe(503);
    const detectedByMs = world.clock.nowMs();
    world.log.thaw();
    const thawedAtMs = world.clock.nowMs();
    await world.pass(4_000);
    expect(observations(world, intake)).toEqual([]);
    await world.pass(8_000);
    const [outage, ...more] = observations(world, intake);
    expect(more).toEqual([]);
    expect(outage).toMatchObject({
      kind: 'outage',
      source_id: 'intake:intake-1',
      component: 'log',
      cause: 'CLY_RECEIPT_DEADLINE',
      changes_refused: 3,
      failed_at: frozenAtMs,
    });
    expect(outage?.['detected_at']).toBeLessThanOrEqual(detectedByMs);
    expect(outage?.['restored_at']).toBeGreaterThanOrEqual(thawedAtMs);
    expect(outage?.['restored_at']).toBeLessThan(thawedAtMs + 4_000);
    expect(await statusOf(world, intake)).toBe(201);
  });

  it('names the enforcer where the change was stored and nobody answered', async () => {
    const world = new IntakeWorld({ seed: 32 });
    const intake = await world.open();
    const { length } = world.enforcer.decided;
    world.enforcer.silent = true;
    expect(await statusOf(world, intake)).toBe(503);
    world.enforcer.silent = false;
    await world.enforcer.publish(world.enforcer.decided.slice(length));
    await world.pass(100);
    expect(await statusOf(world, intake)).toBe(201);
    await world.pass(10_000);
    expect(observations(world, intake)).toMatchObject([{ kind: 'outage', component: 'enforcer', changes_refused: 1 }]);
  });

  it('is none where a caller left, or the policy refused', async () => {
    const world = new IntakeWorld({ seed: 33 });
    const intake = await world.open();
    const request = world.request();
    const answer = intake.gateway.handle(request);
    await world.pass(1);
    request.leave();
    await world.during(answer);
    expect(await statusOf(world, intake, '/v1/unknown')).not.toBe(201);
    await world.pass(20_000);
    expect(observations(world, intake)).toEqual([]);
  });
});

describe('review mode', () => {
  it('goes on while the log is away, and the log says what it missed when it is back', async () => {
    const world = new IntakeWorld({ seed: 34 });
    const intake = await world.open();
    expect(await statusOf(world, intake, '/v1/watched')).toBe(201);
    await world.pass(1_000);
    world.log.freeze();
    for (let count = 0; count < 5; count += 1) {
      expect(await statusOf(world, intake, '/v1/watched')).toBe(201);
      await world.pass(700);
    }
    await world.pass(5_000);
    expect(world.forwarded).toHaveLength(6);
    world.log.thaw();
    await world.pass(15_000);
    // What was sent again while nobody answered stands there again.
    const all = observations(world, intake).filter(({ kind }) => kind === 'gap');
    const gaps = [...new Map(all.map((gap) => [gap['observation_id'], gap])).values()];
    const missed = gaps.reduce((sum, { changes }) => sum + Number(changes), 0);
    expect(missed).toBe(5);
    expect(gaps.length).toBeLessThan(4);
    for (const gap of gaps) {
      expect(gap).toMatchObject({ source_id: 'intake:intake-1', reason: 'review_unrecorded' });
      expect(String(gap['from_lsn']) <= String(gap['to_lsn'])).toBe(true);
    }
    await world.pass(2_000);
    // Counts at the edge are sent again as well.
    expect(world.edgeCounts()['CLY_REVIEW_UNRECORDED']).toBeGreaterThanOrEqual(5);
  });
});
