// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { SeededRandom } from '@clyra/testing/seeded-random';
import { describe, expect, it } from '@jest/globals';
import { okResult } from '../test-support/intake-world.ts';
import { IntentWorld } from '../test-support/intent-world.ts';

const SEEDS = Array.from({ length: Number(process.env['CLYRA_SIM_SEEDS'] ?? 12) }, (_, index) => index + 1);
const INTENTS = 24;

/** Sends intents, some of them twice, while intake is killed and started again and answers of the log are lost. */
async function run(seed: number): Promise<{ door: IntentWorld; effects: Map<string, number> }> {
  const random = new SeededRandom(seed);
  const door = new IntentWorld(seed);
  const effects = new Map<string, number>();
  const { world } = door;
  world.answer = async ({ headers }) => {
    const id = headers[headers.indexOf('x-id') + 1] as string;
    effects.set(id, (effects.get(id) ?? 0) + 1);
    await new Promise<void>((resolve) => world.clock.after(random.nextInt(1, 40), resolve));
    return okResult();
  };
  await door.start();
  world.log.setFaults({ lostResponseShare: 0.05, lostRequestShare: 0.05 });
  for (let count = 0; count < INTENTS; count += 1) {
    const record = door.record({ id: `n-${count}`, ...(random.nextInt(0, 2) === 0 ? { key: `k-${count % 3}` } : {}) });
    const named = { ...record, headers: [...record.headers, ['x-id', Buffer.from(`n-${count}`)] as const] };
    const copies = random.nextInt(0, 5) === 0 ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) door.put(named, random.nextInt(0, 1));
    await world.pass(random.nextInt(0, 60));
    if (random.nextInt(0, 5) !== 0) continue;
    door.kill();
    await world.pass(random.nextInt(0, 200));
    await door.start();
  }
  world.log.setFaults({ lostResponseShare: 0, lostRequestShare: 0 });
  await world.pass(20_000);
  return { door, effects };
}

function statesOf(replies: readonly JsonObject[]): readonly unknown[] {
  return replies.map((reply) => reply['state']);
}

describe('intents while intake is killed', () => {
  it.each(SEEDS)('take effect once at most, and are all answered with one truth (seed %i)', async (seed) => {
    const { door, effects } = await run(seed);
    for (let count = 0; count < INTENTS; count += 1) {
      const id = `n-${count}`;
      const replies = door.repliesTo(id);
      const states = statesOf(replies);
      const took = effects.get(id) ?? 0;
      expect([id, took <= 1, states.length > 0]).toEqual([id, true, true]);
      if (took === 1) expect([id, states.filter((state) => state !== 'done' && state !== 'unknown')]).toEqual([id, []]);
      else expect([id, states.filter((state) => state === 'done')]).toEqual([id, []]);
      const receipts = replies.flatMap((reply) =>
        reply['receipt'] === undefined ? [] : JSON.stringify(reply['receipt']),
      );
      expect([id, new Set(receipts).size <= 1]).toEqual([id, true]);
    }
    const ends = [0, 1].map((partition) => door.world.log.recordsOf(door.world.topics.intents, partition).length);
    expect(door.savedOffsets()).toEqual(ends);
    expect(door.specimens()).toEqual([]);
  });

  it('finds in the log what it answered before, without its position', async () => {
    const door = new IntentWorld();
    await door.start();
    for (const id of ['a', 'b']) door.send({ id });
    await door.world.pass(1_000);
    door.kill();
    door.positions.texts.delete('intake-1.intents');
    await door.start();
    await door.world.pass(5_000);
    for (const id of ['a', 'b']) {
      const [first, second] = door.repliesTo(id);
      expect([first?.['state'], second?.['state'], second?.['repeated']]).toEqual(['done', 'done', true]);
      expect(second?.['receipt']).toEqual(first?.['receipt']);
    }
    expect(door.world.forwarded).toHaveLength(2);
  });

  it('says that intents were deleted before anybody read them, and goes on behind', async () => {
    const door = new IntentWorld();
    await door.start();
    door.kill();
    for (const id of ['gone-1', 'gone-2', 'there']) door.send({ id });
    door.positions.texts.set(
      'intake-1.intents',
      JSON.stringify({ v: 0, topic: door.world.topics.intents, offsets: [0, 0] }),
    );
    door.world.log.deleteBefore(door.world.topics.intents, 0, 2);
    await door.start();
    await door.world.pass(3_000);
    expect(door.replies()).toMatchObject([{ correlation_id: 'there', state: 'done' }]);
    expect(door.world.edgeCounts()).toMatchObject({ CLY_INTENT_LOST: 2 });
  });

  it('does not start behind the end of the topic, or with the position of another', async () => {
    const ahead = new IntentWorld();
    const text = { v: 0, topic: ahead.world.topics.intents, offsets: [5, 0] };
    ahead.positions.texts.set('intake-1.intents', JSON.stringify(text));
    await expect(ahead.start()).rejects.toMatchObject({ code: 'CLY_POSITION_AHEAD' });
    const other = new IntentWorld();
    other.positions.texts.set('intake-1.intents', JSON.stringify({ ...text, topic: 'other.intents' }));
    await expect(other.start()).rejects.toMatchObject({ code: 'CLY_POSITION_FOREIGN' });
  });

  it('waits out a frozen log, and carries out what has not expired by then', async () => {
    const door = new IntentWorld();
    await door.start();
    door.world.log.freeze();
    const nowMs = door.world.clock.nowMs();
    door.send({ id: 'patient' });
    door.send({ id: 'hasty', expiresAtMs: nowMs + 2_000 });
    await door.world.pass(10_000);
    expect(door.world.forwarded).toEqual([]);
    door.world.log.thaw();
    await door.world.pass(10_000);
    expect(door.repliesTo('patient')).toMatchObject([{ state: 'done' }]);
    expect(door.repliesTo('hasty')).toMatchObject([{ state: 'refused', problem: { code: 'CLY_INTENT_EXPIRED' } }]);
    expect(door.world.forwarded).toHaveLength(1);
  });

  it('gives up a receipt that does not come, says so, and lets the next intent in', async () => {
    const door = new IntentWorld();
    await door.start();
    door.world.enforcer.silent = true;
    door.send({ id: 'undecided' });
    await door.world.pass(7_000);
    const [reply] = door.replies();
    expect(reply).toMatchObject({ state: 'not_forwarded', problem: { code: 'CLY_RECEIPT_DEADLINE' } });
    expect(reply?.['receipt']).toBeUndefined();
    door.world.enforcer.silent = false;
    await door.world.enforcer.publish(door.world.enforcer.decided.slice(-1));
    door.send({ id: 'next' });
    await door.world.pass(2_000);
    expect(door.repliesTo('next')).toMatchObject([{ state: 'done' }]);
    expect(door.world.forwarded).toHaveLength(1);
  });

  it('keeps what it cannot answer as a specimen while the tenant has no topic for replies', async () => {
    const door = new IntentWorld();
    const credential = {
      id: 'key-1',
      tenant: 'acme',
      actors: ['*'],
      secret: Buffer.from('0123456789abcdef0123456789abcdef'),
    };
    const topics = { ...door.world.topics, replies: 'elsewhere.replies' };
    await door.start({ topics, credentials: new Map([['key-1', credential]]) });
    door.send({ id: 'mute' });
    await door.world.pass(10_000);
    expect(door.specimens()).toMatchObject([{ reason: 'CLY_INTENT_NO_REPLY_TOPIC', offset: 0 }]);
    expect(door.world.forwarded).toEqual([]);
    door.world.log.createTopic('elsewhere.replies.acme', 1);
    await door.world.pass(6_000);
    door.send({ id: 'heard' });
    await door.world.pass(2_000);
    expect(door.world.log.recordsOf('elsewhere.replies.acme', 0)).toHaveLength(1);
  });
});
