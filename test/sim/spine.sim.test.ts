// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import type { GatewayAnswer } from '@clyra/intake/gateway/gateway-request';
import { plainCodec } from '@clyra/testing/plain-codec';
import { verifyBundle } from '@clyra/verifier/verify-bundle';
import { afterAll, describe, expect, it } from '@jest/globals';
import { type Refolded, refoldRecords } from '../oracle/refold.ts';
import { type Sent, SpineWorld, topics } from './spine-world.ts';

const SEED_COUNT = Number(process.env['CLYRA_SIM_SEEDS'] ?? 50);
const folder = await mkdtemp(join(tmpdir(), 'clyra-spine-'));

afterAll(() => rm(folder, { recursive: true, force: true }));

async function live(seed: number): Promise<{ world: SpineWorld; sent: Sent[] }> {
  const world = await new SpineWorld(seed).open();
  const sent: Sent[] = [];
  for (let round = 0; round < 15; round += 1) {
    for (let count = world.random.nextInt(0, 4); count > 0; count -= 1) sent.push(world.send());
    await world.clock.advance(world.random.nextInt(0, 400));
    if (world.random.chance(0.25)) await world.crash(world.random.pick(['intake', 'enforcer', 'bundler'] as const));
    if (world.random.chance(0.05)) {
      world.log.freeze();
      await world.clock.advance(world.random.nextInt(100, 4_000));
      world.log.thaw();
    }
  }
  world.log.setFaults({ lostResponseShare: 0, lostRequestShare: 0, refusedShare: 0 });
  await world.clock.advance(60_000);
  return { world, sent };
}

/** Each effect has exactly one allow of its own, no change and no key has two effects. */
function checkEffects(world: SpineWorld, refolded: Refolded): void {
  const allowed = new Set<string>();
  for (const { body } of refolded.receipts) {
    if (
      body['decision'] === 'allow' &&
      body['change_kind'] === 'change.requested' &&
      body['duplicate_of'] === undefined
    ) {
      allowed.add(body['event_id'] as string);
    }
  }
  const events = world.effects.map((effect) => effect.eventId);
  expect(new Set(events).size).toBe(events.length);
  for (const event of events) expect(allowed).toContain(event);
  const guarded = new Set(
    refolded.receipts.filter(({ body }) => body['route'] === 'contacts.sync').map(({ body }) => body['event_id']),
  );
  const keys = world.effects.filter((effect) => guarded.has(effect.eventId)).map((effect) => effect.key);
  expect(new Set(keys).size).toBe(keys.length);
}

/** 2xx means the change happened; every other answer means that it did not. */
async function checkAnswers(world: SpineWorld, sent: readonly Sent[]): Promise<void> {
  const effects = new Set(world.effects.map((effect) => effect.eventId));
  for (const { answer } of sent) {
    const given = await world.during(answer);
    if (given === 'lost') continue;
    const eventId = eventIdOf(given);
    expect(given.status < 300).toBe(eventId !== undefined && effects.has(eventId));
  }
}

function eventIdOf(answer: GatewayAnswer): string | undefined {
  const entry = Object.entries(answer.headers).find(([name]) => name.toLowerCase() === 'clyra-event-id');
  return entry?.[1] as string | undefined;
}

/** Every sealed bundle verifies in full, and each follows the one before. */
async function checkBundles(world: SpineWorld, seed: number): Promise<number> {
  const base = join(folder, String(seed));
  const trustRootFile = join(base, 'trust-root.json');
  await mkdir(base, { recursive: true });
  await writeFile(trustRootFile, world.trust.bytes);
  const sealed = new Map<string, { start: number; end: number }>();
  for (const record of world.log.recordsOf(topics.bundles, 0)) {
    const envelope = await plainCodec.decode('BundleEnvelope', record.value as Uint8Array);
    sealed.set(envelope.location, { start: envelope.range_start, end: envelope.range_end });
  }
  let end = 0;
  for (const [location, range] of sealed) {
    expect(range.start).toBe(end);
    end = range.end;
    for (const name of await world.blobs.list(`${location}/`)) {
      await mkdir(dirname(join(base, name)), { recursive: true });
      await writeFile(join(base, name), (await world.blobs.get(name)) as Uint8Array);
    }
    const report = await verifyBundle({ directory: join(base, location), trustRootFile, mode: 'full' });
    const failed = report.claims.filter((claim) => claim.status === 'FAIL');
    expect(failed).toEqual([]);
    const held = report.claims.filter((claim) => claim.status === 'PASS').map((claim) => claim.id);
    expect(held).toEqual(expect.arrayContaining(['integrity', 'order', 'completeness', 'authorship', 'policy']));
  }
  return sealed.size;
}

describe('the spine, with a crash between any two effects', () => {
  const seeds = Array.from({ length: SEED_COUNT }, (_, index) => index + 1);

  it.each(seeds)('seed %i', async (seed) => {
    const { world, sent } = await live(seed);
    expect(world.bugs).toEqual([]);
    const refolded = await refoldRecords({
      codec: plainCodec,
      blobs: world.blobs,
      changes: [world.log.recordsOf(topics.changes, 0)],
      receipts: [world.log.recordsOf(topics.receipts, 0)],
    });
    expect(refolded.problems).toEqual([]);
    checkEffects(world, refolded);
    await checkAnswers(world, sent);
    expect(await checkBundles(world, seed)).toBeGreaterThan(0);
    const states = refolded.receipts.map(({ body }: { body: JsonObject }) => body['decision']);
    expect(states).toContain('allow');
  });
});
