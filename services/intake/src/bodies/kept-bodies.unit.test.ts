// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { BodyKeys } from '@clyra/adapter-blob/body-keys';
import { BodyVault } from '@clyra/adapter-blob/body-vault';
import { digestOf } from '@clyra/core/canonical/digest';
import { type ObservationBody, parseObservation } from '@clyra/core/evidence/observation-body';
import type { Envelopes } from '@clyra/core/ports/envelope-codec';
import { plainCodec } from '@clyra/testing/plain-codec';
import { SeededRandom } from '@clyra/testing/seeded-random';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { IntakeProcessor } from '../intake.processor.ts';
import { IntakeWorld, KEYS, okResult, POLICY_TEXT, problemOf, TENANT } from '../test-support/intake-world.ts';

const BODY = '{"account":"a-1","amount":5}';

let folder: string;
const running: IntakeProcessor[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'clyra-kept-'));
});
afterEach(async () => {
  for (const intake of running.splice(0)) await intake.stop(2_000);
  await rm(folder, { recursive: true, force: true });
});

async function open(keyFolder = folder, storage = 'keep: allowed, retention_seconds: 3600, bytes_max: 40') {
  // Real time: files are written, which no virtual clock waits for.
  const world = new IntakeWorld({ realTime: true });
  const keys = new BodyKeys(keyFolder, new SeededRandom(9));
  const vault = new BodyVault(world.blobs, keys);
  const compiled = world.addPolicy(`${POLICY_TEXT}body_storage: { ${storage} }\n`);
  const intake: IntakeProcessor = await world.open({ vault: { vault, keys }, limits: { holdMs: 10_000 } });
  running.push(intake);
  const activated = { signers: [KEYS.author, KEYS.approver], policy: compiled.digest, replaces: world.policy.digest };
  await world.command(intake, 'policy.activated', activated);
  return { world, intake, vault, keys };
}

function documentsOf(world: IntakeWorld): ObservationBody[] {
  return [0, 1].flatMap((partition) =>
    world.log.recordsOf(world.topics.observations, partition).map(({ value }) => {
      const { body } = plainCodec.decode(
        'ObservationEnvelope',
        value as Uint8Array,
      ) as Envelopes['ObservationEnvelope'];
      return parseObservation(body);
    }),
  );
}

async function eventually(look: () => boolean): Promise<void> {
  for (const endMs = Date.now() + 10_000; !look() && Date.now() < endMs; ) await pause(20);
}

describe('bodies that the policy wants kept', () => {
  it('are stored before they are forwarded, and named in the log', async () => {
    const { world, intake, vault } = await open();
    const body = { tenant: TENANT, digest: digestOf(BODY) };
    const atForwarding: unknown[] = [];
    world.answer = async () => {
      atForwarding.push(Buffer.from((await vault.get(body)) ?? 'nothing').toString());
      return okResult();
    };
    const answer = await world.during(intake.gateway.handle(world.request({ body: BODY })));
    expect([answer.status, atForwarding]).toEqual([201, [BODY]]);
    await eventually(() => documentsOf(world).length > 0);
    const document = { kind: 'document', document: 'payload', tenant: TENANT, source_id: 'intake:intake-1' };
    expect(documentsOf(world)).toMatchObject([
      {
        ...document,
        sha256: body.digest,
        size: BODY.length,
        media_type: 'application/json',
        event_id: answer.headers['clyra-event-id'],
      },
    ]);
  });

  it('end with their day, and the log says which key has gone', async () => {
    const { world, vault, keys } = await open();
    const key = await keys.make(TENANT, '20260101');
    running.push(await world.startIntake({ vault: { vault, keys }, intake: { instance: 'intake-2', epoch: 1 } }));
    await eventually(() => documentsOf(world).length > 0);
    expect(documentsOf(world)).toMatchObject([
      {
        tenant: TENANT,
        source_id: 'intake:intake-2',
        document: 'payload_key_destroyed',
        size: 32,
        sha256: digestOf(key),
      },
    ]);
    expect(await readdir(join(folder, TENANT))).toEqual([]);
  });

  it('stop the change when they are too large, or cannot be stored', async () => {
    const { world, intake } = await open();
    const large = `{"account":"${'a'.repeat(30)}","amount":5}`;
    const tooLarge = await world.during(intake.gateway.handle(world.request({ body: large })));
    expect(problemOf(tooLarge)).toMatchObject({ status: 413, code: 'CLY_BODY_STORE_SIZE' });
    const file = join(folder, 'file');
    await writeFile(file, '');
    const other = await open(file);
    const answer = await other.world.during(other.intake.gateway.handle(other.world.request({ body: BODY })));
    expect(problemOf(answer)).toMatchObject({ status: 503, code: 'CLY_BODY_STORE_UNAVAILABLE' });
    await eventually(() => other.world.changesOf('change.outcome').length > 0);
    expect(other.world.changesOf('change.outcome')).toMatchObject([
      { outcome: 'not_forwarded', detail: 'body_not_kept' },
    ]);
    expect([world.forwarded, other.world.forwarded]).toEqual([[], []]);
  });

  it('are not stored when the change is blocked, or the policy keeps nothing', async () => {
    const { world, intake, vault } = await open();
    await world.during(intake.gateway.handle(world.request({ body: '{"account":"a","amount":"x"}' })));
    expect(await vault.get({ tenant: TENANT, digest: digestOf('{"account":"a","amount":"x"}') })).toBeUndefined();
    const nothing = await open(folder, 'keep: while_held');
    await nothing.world.during(nothing.intake.gateway.handle(nothing.world.request({ body: BODY })));
    expect(await nothing.world.blobs.list('bodies/')).toEqual([]);
  });
});
