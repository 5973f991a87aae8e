// SPDX-License-Identifier: Apache-2.0
import type { EnvelopeCodec, EnvelopeName, Envelopes } from '@clyra/core/ports/envelope-codec';
import { MemoryBlobStore } from '@clyra/testing/memory-blob-store';
import { MemoryPositionStore } from '@clyra/testing/memory-position-store';
import { plainCodec } from '@clyra/testing/plain-codec';
import { NO_FAULTS, TOPICS as topics } from '@clyra/testing/published-history';
import { describe, expect, it } from '@jest/globals';
import { type Running, World } from '../test-support/bundler-world.ts';

/** Counts what a bundler reads. */
class CountingCodec implements EnvelopeCodec {
  count = 0;

  encode<Name extends EnvelopeName>(name: Name, value: Envelopes[Name]): Uint8Array {
    return plainCodec.encode(name, value);
  }

  decode<Name extends EnvelopeName>(name: Name, bytes: Uint8Array): Envelopes[Name] {
    this.count += 1;
    return plainCodec.decode(name, bytes) as Envelopes[Name];
  }
}

async function steps(world: World, count: number): Promise<void> {
  for (let step = 0; step < count; step += 1) await world.step();
  await world.history.closeWindow();
  await world.publish();
  await world.clock.advance(15_000);
}

async function stopped(world: World, running: Running): Promise<void> {
  await world.clock.drive(running.processor.stop());
  running.process.kill();
}

function expectFine({ reason, bug }: Running): void {
  expect([reason, bug]).toEqual([undefined, undefined]);
}

describe('a bundler that starts from its position', () => {
  it.each([70, 71, 72, 73, 74, 75, 76, 77])(
    'makes the same bundles as one that reads everything (seed %i)',
    async (seed) => {
      const world = await new World(seed).open();
      const positions = new MemoryPositionStore();
      for (let round = 0; round < 6; round += 1) {
        const running = world.start({ positions });
        await steps(world, 5);
        // Some are stopped, and some are killed in the middle of a range.
        if (round % 2 === 0) await stopped(world, running);
        else {
          await world.step();
          running.process.kill();
        }
        expect(running.bug).toBeUndefined();
      }
      expect(positions.texts.size).toBe(1);
      const last = world.start({ positions });
      await world.clock.advance(60_000);
      expectFine(last);
      await world.expectWhole();
    },
  );

  const moments = ['before', 'after'] as const;
  it.each(moments)('goes on after a crash %s any effect', async (moment) => {
    for (let atEffect = 2; atEffect < 120; atEffect += 9) {
      const world = await new World(2_000 + atEffect).open();
      const positions = new MemoryPositionStore();
      const first = world.start({ positions, death: { atEffect, moment } });
      await steps(world, 6);
      first.process.kill();
      const second = world.start({ positions });
      await steps(world, 2);
      await world.clock.advance(30_000);
      expect([atEffect, second.reason, second.bug]).toEqual([atEffect, undefined, undefined]);
      await world.expectWhole();
      second.process.kill();
    }
  });

  it('reads as much after a long history as after a short one', async () => {
    const read: number[] = [];
    for (const rounds of [2, 30]) {
      const world = await new World(80, NO_FAULTS).open();
      const positions = new MemoryPositionStore();
      const running = world.start({ positions });
      for (let round = 0; round < rounds; round += 1) await steps(world, 4);
      await stopped(world, running);
      const codec = new CountingCodec();
      const again = world.start({ positions, codec });
      await world.clock.advance(10_000);
      expectFine(again);
      expect(again.processor.status().partitions).toMatchObject([{ state: 'live' }]);
      read.push(codec.count);
    }
    const [short = 0, long = 0] = read;
    // Only the receipts since the last mark of the chain differ, at most 64 and their copies.
    expect(Math.abs(long - short)).toBeLessThan(120);
    expect(long).toBeLessThan(150);
  });

  it('is not held back by a tenant to whom nothing happens but watermarks', async () => {
    const world = await new World(81, NO_FAULTS).open();
    const positions = new MemoryPositionStore();
    const running = world.start({ positions });
    await steps(world, 3);
    for (let count = 0; count < 300; count += 1) {
      await world.history.watermark();
      await world.publish();
      await world.clock.advance(10);
    }
    await stopped(world, running);
    const codec = new CountingCodec();
    const again = world.start({ positions, codec });
    await world.clock.advance(5_000);
    expect(codec.count).toBeLessThan(100);
    await steps(world, 2);
    expectFine(again);
    await world.expectWhole();
  });

  it('needs nothing of the topics before it', async () => {
    const world = await new World(82, NO_FAULTS).open();
    const positions = new MemoryPositionStore();
    const running = world.start({ positions });
    for (let round = 0; round < 4; round += 1) await steps(world, 30);
    await stopped(world, running);
    const { journal, receipts } = JSON.parse(positions.texts.get('bundler-0') ?? '') as {
      journal: { next_offset: number; changes: number; observations: number };
      receipts: { offset: number };
    };
    expect(receipts.offset).toBeGreaterThan(60);
    const whole = await world.bundleBytes();
    world.log.deleteBefore(topics.journal, 0, journal.next_offset);
    world.log.deleteBefore(topics.receipts, 0, receipts.offset);
    world.log.deleteBefore(topics.changes, 0, journal.changes + 1);
    world.log.deleteBefore(topics.observations, 0, journal.observations + 1);
    const again = world.start({ positions });
    await steps(world, 3);
    expectFine(again);
    const grown = await world.bundleBytes();
    expect(grown.size).toBeGreaterThan(whole.size);
    for (const [name, bytes] of whole) expect(grown.get(name)).toBe(bytes);
  });
});

/** A world with a bundler that was stopped and has a position. */
async function left(seed: number): Promise<{ world: World; positions: MemoryPositionStore }> {
  const world = await new World(seed, NO_FAULTS).open();
  const positions = new MemoryPositionStore();
  const running = world.start({ positions });
  for (let round = 0; round < 3; round += 1) await steps(world, 4);
  await stopped(world, running);
  expectFine(running);
  return { world, positions };
}

describe('a partition does not start from a position', () => {
  it('that lies beyond the end of the journal', async () => {
    const { positions } = await left(90);
    const other = await new World(91, NO_FAULTS).open();
    const running = other.start({ positions });
    await other.clock.advance(5_000);
    expect(running.reason).toMatch(/^CLY_POSITION_AHEAD/);
    expect(other.log.recordsOf(topics.journal, 0)).toEqual([]);
  });

  it('whose records are deleted', async () => {
    const { world, positions } = await left(92);
    const maker = world.start();
    await steps(world, 4);
    await stopped(world, maker);
    world.log.deleteBefore(topics.journal, 0, world.log.recordsOf(topics.journal, 0).length - 1);
    const running = world.start({ positions });
    await world.clock.advance(5_000);
    expect(running.reason).toMatch(/^CLY_POSITION_BEHIND/);
  });

  it('of another journal', async () => {
    const { positions, world } = await left(93);
    const other = await new World(94, NO_FAULTS).open();
    const maker = other.start();
    for (let round = 0; round < 5; round += 1) await steps(other, 6);
    await stopped(other, maker);
    const running = other.start({ positions, blobs: world.blobs });
    await other.clock.advance(5_000);
    expect(running.reason).toMatch(/^CLY_POSITION_FOREIGN: .* clyra.journal holds another record there/);
  });

  it('whose bundles are gone', async () => {
    const { world, positions } = await left(95);
    const running = world.start({ positions, blobs: new MemoryBlobStore() });
    await world.clock.advance(5_000);
    expect(running.reason).toMatch(/^CLY_POSITION_FOREIGN: .*bundles\/acme/);
  });

  it('of other receipts', async () => {
    const { world, positions } = await left(96);
    const text = positions.texts.get('bundler-0') ?? '';
    const { receipts } = JSON.parse(text) as { receipts: { chain: string } };
    positions.texts.set('bundler-0', text.replace(receipts.chain, '0'.repeat(64)));
    const running = world.start({ positions });
    await world.clock.advance(5_000);
    expect(running.reason).toMatch(/^CLY_POSITION_FOREIGN: .* clyra.receipts holds another record there/);
  });

  it('where a source is shorter than what was sequenced', async () => {
    const { world, positions } = await left(97);
    const text = positions.texts.get('bundler-0') ?? '';
    positions.texts.set('bundler-0', text.replaceAll(/"observations":[0-9]+/g, '"observations":999'));
    const running = world.start({ positions });
    await world.clock.advance(5_000);
    expect(running.reason).toMatch(/^CLY_POSITION_AHEAD: clyra.observations/);
  });
});
