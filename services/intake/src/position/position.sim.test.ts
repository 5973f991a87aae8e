// SPDX-License-Identifier: Apache-2.0
import type { EnvelopeCodec, EnvelopeName, Envelopes } from '@clyra/core/ports/envelope-codec';
import { MemoryBlobStore } from '@clyra/testing/memory-blob-store';
import { MemoryPositionStore } from '@clyra/testing/memory-position-store';
import { plainCodec } from '@clyra/testing/plain-codec';
import { describe, expect, it } from '@jest/globals';
import type { IntakeProcessor } from '../intake.processor.ts';
import { IntakeWorld, KEYS, TENANT } from '../test-support/intake-world.ts';

class CountingCodec implements EnvelopeCodec {
  changes = 0;

  encode<Name extends EnvelopeName>(name: Name, value: Envelopes[Name]): Uint8Array {
    return plainCodec.encode(name, value);
  }

  decode<Name extends EnvelopeName>(name: Name, bytes: Uint8Array): Envelopes[Name] {
    if (name === 'ChangeEnvelope') this.changes += 1;
    return plainCodec.decode(name, bytes) as Envelopes[Name];
  }
}

type Left = { readonly world: IntakeWorld; readonly positions: MemoryPositionStore; readonly eventId: string };

async function send(world: IntakeWorld, intake: IntakeProcessor): Promise<{ status: number; eventId: string }> {
  const answer = await world.during(intake.gateway.handle(world.request()));
  const headers = new Map(Object.entries(answer.headers).map(([name, value]) => [name.toLowerCase(), String(value)]));
  return { status: answer.status, eventId: headers.get('clyra-event-id') ?? '' };
}

/** An intake with a tenant, an engaged switch and a little history, stopped. */
async function left(seed: number, requests = 3): Promise<Left> {
  const world = new IntakeWorld({ seed });
  const positions = new MemoryPositionStore();
  const intake = await world.open({ positions });
  let eventId = '';
  for (let count = 0; count < requests; count += 1) {
    const sent = await send(world, intake);
    expect(sent.status).toBe(201);
    eventId = sent.eventId;
  }
  const engaged = await world.command(intake, 'kill_switch.engaged', { signers: [KEYS.operator], scope: 'actor:desk' });
  expect(engaged.status).toBe(200);
  await world.pass(1_000);
  await world.during(intake.stop(2_000));
  expect(positions.texts.size).toBe(1);
  return { world, positions, eventId };
}

const NEXT = { instance: 'intake-1', epoch: 2 };

describe('an intake that starts from its position', () => {
  it('knows its tenants, switches, windows and changes as one that reads everything does', async () => {
    const { world, positions, eventId } = await left(1);
    const [fresh, resumed] = [
      await world.startIntake({ intake: { instance: 'intake-2', epoch: 1 } }),
      await world.startIntake({ positions, intake: NEXT }),
    ];
    expect(resumed.directory.saved()).toEqual(fresh.directory.saved());
    expect(resumed.directory.engagedSwitch(TENANT, { route: null, actor: 'desk' })).toBe('actor:desk');
    expect(resumed.api.ledger.get(TENANT)).toEqual(fresh.api.ledger.get(TENANT));
    expect(resumed.api.index.find(eventId, world.clock.nowMs())).toEqual(
      fresh.api.index.find(eventId, world.clock.nowMs()),
    );
    expect((await send(world, resumed)).status).toBe(201);
  });

  it('takes up what happened since', async () => {
    const { world, positions } = await left(2);
    const other = await world.startIntake({ intake: { instance: 'intake-2', epoch: 1 } });
    const lifted = { signers: [KEYS.operator, KEYS.second], scope: 'actor:desk' };
    expect((await world.command(other, 'kill_switch.lifted', lifted)).status).toBe(200);
    const { eventId } = await send(world, other);
    await world.pass(500);
    const resumed = await world.startIntake({ positions, intake: NEXT });
    expect(resumed.directory.saved()).toEqual(other.directory.saved());
    expect(resumed.directory.get(TENANT)?.switches).toEqual([]);
    expect(resumed.api.index.find(eventId, world.clock.nowMs())).toMatchObject({ change: { state: 'done' } });
  });

  it('reads as many changes after a long history as after a short one', async () => {
    const read: number[] = [];
    for (const requests of [2, 60]) {
      const { world, positions } = await left(3, requests);
      const codec = new CountingCodec();
      await world.startIntake({ positions, intake: NEXT, codec });
      read.push(codec.changes);
    }
    expect(read[1]).toBe(read[0]);
    expect(read[1]).toBeLessThan(4);
  });

  it('needs nothing of the topics before it', async () => {
    const { world, positions } = await left(4, 5);
    for (const topic of [world.topics.changes, world.topics.receipts]) {
      for (const partition of [0, 1])
        world.log.deleteBefore(topic, partition, world.log.recordsOf(topic, partition).length);
    }
    const resumed = await world.startIntake({ positions, intake: NEXT });
    expect((await send(world, resumed)).status).toBe(201);
    await expect(world.startIntake({ intake: { instance: 'intake-3', epoch: 1 } })).rejects.toMatchObject({
      code: 'CLY_POSITION_BEHIND',
    });
  });

  it('reads everything where a document of it is gone, or other trust roots are pinned', async () => {
    const { world, positions } = await left(5);
    const bare = new MemoryBlobStore();
    const waiting = await world.startIntake({ positions, intake: NEXT, blobs: bare });
    expect(waiting.directory.get(TENANT)).toBeUndefined();
    const pinned = new Set(['0'.repeat(64)]);
    const strict = await world.startIntake({ positions, intake: NEXT, trustRootDigests: pinned });
    expect(strict.directory.get(TENANT)).toBeUndefined();
  });
});

/** Positions as they stand on the disk at this moment, as a `kill -9` leaves them. */
function copyOf(positions: MemoryPositionStore): MemoryPositionStore {
  const copy = new MemoryPositionStore();
  for (const [name, text] of positions.texts) copy.texts.set(name, text);
  return copy;
}

describe('an intake of many quiet tenants', () => {
  it('writes what it heard of, nothing where that is nothing, and starts from it as from all of it', async () => {
    const world = new IntakeWorld({ seed: 9 });
    const positions = new MemoryPositionStore();
    const writes: string[] = [];
    const save = positions.save.bind(positions);
    positions.save = (name, position) => {
      writes.push(name);
      return save(name, position);
    };
    const intake = await world.open({ positions });
    for (let index = 0; index < 12; index += 1) await world.openTenant(intake, `quiet-${index}`, index % 2);
    await world.pass(90_000);
    writes.length = 0;
    await world.pass(60_000);
    expect(writes).toEqual([]);
    for (let count = 0; count < 3; count += 1) {
      expect((await send(world, intake)).status).toBe(201);
      await world.pass(10_000);
    }
    expect(new Set(writes)).toEqual(new Set(['intake-1.recent']));
    const killed = copyOf(positions);
    const [fresh, resumed] = [
      await world.startIntake({ intake: { instance: 'intake-2', epoch: 1 } }),
      await world.startIntake({ positions: killed, intake: NEXT }),
    ];
    const byName = (intakes: IntakeProcessor): readonly object[] =>
      intakes.directory.saved().toSorted((left, right) => (left.tenant < right.tenant ? -1 : 1));
    expect(byName(resumed)).toEqual(byName(fresh));
    expect(byName(resumed)).toHaveLength(13);
    for (const { tenant } of fresh.directory.saved()) {
      expect(resumed.api.ledger.get(tenant)).toEqual(fresh.api.ledger.get(tenant));
    }
    expect((await send(world, resumed)).status).toBe(201);
  });
});

describe('an intake does not start from a position', () => {
  it('that lies beyond the end of the topics', async () => {
    const { positions } = await left(6);
    const other = new IntakeWorld({ seed: 7 });
    await expect(other.startIntake({ positions })).rejects.toMatchObject({
      code: 'CLY_POSITION_AHEAD',
      retry: 'never',
    });
  });

  it('of other receipts', async () => {
    const { positions, world } = await left(8);
    const text = positions.texts.get('intake-1') ?? '';
    const chains = [...text.matchAll(/"chain":"([0-9a-f]{64})"/g)].map(([, chain]) => chain as string);
    expect(chains.length).toBeGreaterThan(0);
    positions.texts.set('intake-1', text.replaceAll(/"chain":"[0-9a-f]{64}"/g, `"chain":"${'0'.repeat(64)}"`));
    await expect(world.startIntake({ positions, intake: NEXT })).rejects.toMatchObject({
      code: 'CLY_POSITION_FOREIGN',
    });
  });
});
