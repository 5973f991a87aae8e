// SPDX-License-Identifier: Apache-2.0
import { parseLsn } from '@clyra/adapter-postgres/lsn';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { MemoryPositionStore } from '@clyra/testing/memory-position-store';
import { describe, expect, it } from '@jest/globals';
import { RecorderWorld } from './test-support/recorder-world.ts';

describe('what a publication may have hidden', () => {
  const gapsOf = (world: RecorderWorld) => world.observations('gap').map(({ body }) => body);
  const lsnOf = (body: JsonObject | undefined, name: string): bigint => parseLsn(String(body?.[name]));

  it('is a signed gap when a guarded table left it and came back between two looks', async () => {
    const { world, process } = await RecorderWorld.recorded(31);
    const { currentLsn } = world.postgres;
    // The server shows nothing of what is written meanwhile.
    world.postgres.writeOther();
    world.postgres.publicationAlterations += 2;
    const alteredAtMs = world.clock.nowMs();
    await world.clock.advance(4_000);
    const [gap, ...others] = gapsOf(world);
    expect(others).toEqual([]);
    // Nothing claims that time before the gap is in the log.
    const claims = world.observations('watermark').find(({ body }) => Number(body['covers_until']) >= alteredAtMs);
    expect(claims?.offset).toBeGreaterThan(world.observations('gap')[0]?.offset ?? Number.POSITIVE_INFINITY);
    expect(gap).toMatchObject({ reason: 'publication_changed' });
    expect(lsnOf(gap, 'from_lsn')).toBeLessThanOrEqual(currentLsn);
    expect(lsnOf(gap, 'to_lsn')).toBeGreaterThanOrEqual(currentLsn + 120n);
    world.postgres.commit();
    await world.clock.advance(3_000);
    expect(process.reason).toBeUndefined();
    expect(world.publishedLsns()).toEqual(world.committedLsns());
  });

  it('is a signed gap at once, and another one when the table is back', async () => {
    const { world, process } = await RecorderWorld.recorded(32);
    world.postgres.hasPublication = false;
    await world.clock.advance(4_000);
    expect(gapsOf(world)).toMatchObject([{ reason: 'publication_changed' }]);
    expect(process.reason).toContain('CLY_SOURCE_PUBLICATION_MISSING');
    world.postgres.writeOther();
    world.kill(process);
    const second = world.start();
    await world.clock.advance(20_000);
    expect(gapsOf(world)).toHaveLength(1);
    world.postgres.hasPublication = true;
    await world.clock.advance(10_000);
    const [open, closed] = gapsOf(world);
    expect(closed?.['from_lsn']).toBe(open?.['to_lsn']);
    expect(gapsOf(world)).toHaveLength(2);
    expect(second.reason).toBeUndefined();
  });

  it('is a signed gap when nobody was looking, and what stands in the log behind it is still written', async () => {
    const { world, process } = await RecorderWorld.recorded(33);
    world.kill(process);
    world.postgres.publicationAlterations += 1;
    world.postgres.commit();
    // Killed between the gap and the transaction.
    const second = world.start();
    while (gapsOf(world).length === 0) await world.clock.advance(1);
    world.kill(second);
    world.start();
    await world.clock.advance(10_000);
    expect(gapsOf(world).map(({ reason }) => reason)).toContain('publication_changed');
    expect(world.publishedLsns()).toEqual(world.committedLsns());
  });

  it('is a gap where nobody remembers what it showed, once', async () => {
    const { world, process } = await RecorderWorld.recorded(34);
    world.kill(process);
    world.positions.texts.clear();
    const second = world.start();
    await world.clock.advance(10_000);
    world.kill(second);
    world.start();
    await world.clock.advance(10_000);
    expect(gapsOf(world)).toMatchObject([{ reason: 'publication_unverified' }]);
  });

  it('is remembered by a recorder that waits with a data folder of its own', async () => {
    const { world, process } = await RecorderWorld.recorded(35);
    const second = world.start({ positions: new MemoryPositionStore() });
    await world.clock.advance(10_000);
    world.kill(process);
    await world.clock.advance(20_000);
    expect(second.processor.status()[0]).toMatchObject({ state: 'streaming', gaps: [] });
  });
});
