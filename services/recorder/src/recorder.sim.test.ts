// SPDX-License-Identifier: Apache-2.0
import { parseLsn } from '@clyra/adapter-postgres/lsn';
import { digestOf } from '@clyra/core/canonical/digest';
import { encodeRecord } from '@clyra/core/canonical/record';
import { describe, expect, it } from '@jest/globals';
import { type Process, RecorderWorld } from './test-support/recorder-world.ts';

const LOSSY = { lostResponseShare: 0.1, lostRequestShare: 0.05, refusedShare: 0.05 };

/** PostgreSQL may only have been told of what the log has. */
function expectNothingConfirmedUnwritten(world: RecorderWorld): void {
  const confirmed = world.postgres.slot?.confirmedLsn ?? 0n;
  const written = new Set(world.publishedLsns());
  const lost = world.committedLsns().filter((lsn) => parseLsn(lsn) <= confirmed && !written.has(lsn));
  expect(lost).toEqual([]);
}

describe('a recorder on a lossy log', () => {
  const seeds = Array.from({ length: 6 }, (_, index) => index + 1);

  it.each(seeds)('publishes each transaction once and in order over crashes and cuts (seed %i)', async (seed) => {
    const world = await new RecorderWorld({ seed, faults: LOSSY }).open();
    await world.register();
    let process: Process = world.start();
    await world.clock.advance(2_000);
    for (let round = 0; round < 60; round += 1) {
      for (let count = world.random.nextInt(0, 6); count > 0; count -= 1) world.postgres.commit();
      if (world.random.chance(0.3)) world.postgres.writeOther();
      await world.clock.advance(world.random.nextInt(0, 400));
      if (world.random.chance(0.1)) world.postgres.cutConnections();
      if (world.random.chance(0.1)) {
        world.kill(process);
        process = world.start();
      }
      expectNothingConfirmedUnwritten(world);
    }
    await world.clock.advance(30_000);
    expect(process.reason).toBeUndefined();
    expect(world.publishedLsns()).toEqual(world.committedLsns());
    expect(world.observations('gap')).toEqual([]);
    expect(world.falseWatermarks()).toEqual([]);
    expect(world.observations('watermark').length).toBeGreaterThan(15);
  });

  it('hands the slot over to a recorder that waits for it, without a gap or a repetition', async () => {
    const world = await new RecorderWorld({ seed: 99, faults: LOSSY }).open();
    await world.register();
    const first = world.start();
    await world.clock.advance(2_000);
    const second = world.start();
    for (let count = 0; count < 50; count += 1) {
      world.postgres.commit();
      await world.clock.advance(30);
    }
    expect(second.processor.status()[0]).toMatchObject({ state: 'connecting' });
    world.kill(first);
    world.postgres.commit();
    await world.clock.advance(60_000);
    expect(second.processor.status()[0]).toMatchObject({ state: 'streaming', gaps: [] });
    expect(world.publishedLsns()).toEqual(world.committedLsns());
    expect(world.observations('gap')).toEqual([]);
  });

  it('repeats nothing where each record is stored once', async () => {
    const world = await new RecorderWorld({ seed: 4 }).open();
    await world.register();
    let process = world.start();
    await world.clock.advance(2_000);
    for (let round = 0; round < 10; round += 1) {
      for (let count = 0; count < 5; count += 1) world.postgres.commit();
      await world.clock.advance(100);
      await world.clock.drive(process.processor.stop(1_000));
      process = world.start();
      await world.clock.advance(2_000);
    }
    expect(world.written().filter(({ body }) => body['kind'] === 'transaction')).toHaveLength(50);
    expect(world.publishedLsns()).toEqual(world.committedLsns());
  });
});

describe('a recorded transaction', () => {
  it('is one signed body with its effect, its tokens and its place', async () => {
    const world = await new RecorderWorld({ seed: 1 }).open();
    await world.register();
    world.start();
    await world.clock.advance(2_000);
    const token = digestOf('token');
    const { commitEndLsn, xid, commitTimeMs } = world.postgres.commit(token);
    await world.clock.advance(2_000);
    const [written] = world.observations('transaction');
    expect(written?.body).toEqual({
      v: 0,
      kind: 'transaction',
      tenant: 'acme',
      source_id: 'crm',
      observation_id: digestOf(`${world.postgres.systemId}\n1\n${commitEndLsn}\n0`).slice(0, 32),
      system_id: world.postgres.systemId,
      timeline: 1,
      commit_end_lsn: commitEndLsn,
      xid,
      committed_at: commitTimeMs,
      relations: [
        {
          schema: 'public',
          name: 'activations',
          inserts: 1,
          updates: 0,
          deletes: 0,
          truncates: 0,
          rows_digest: digestOf(`rows ${xid}`),
        },
      ],
      token_hashes: [token],
      messages: 1,
    });
    expect(written?.envelope).toMatchObject({ tenant: 'acme', kind: 'transaction', source_id: 'crm' });
  });
});

describe('a source', () => {
  it('is not touched before its tenant has registered it', async () => {
    const world = await new RecorderWorld({ seed: 2 }).open();
    const process = world.start();
    await world.clock.advance(5_000);
    expect(process.processor.status()[0]).toMatchObject({ state: 'unregistered' });
    expect(world.postgres.slot).toBeNull();
    await world.register();
    await world.clock.advance(5_000);
    expect(process.processor.status()[0]).toMatchObject({ state: 'streaming', partition: 1 });
  });

  it('is refused while it is another system than the registered one', async () => {
    const world = await new RecorderWorld({ seed: 3 }).open();
    await world.register('7999999999999999999');
    const process = world.start();
    await world.clock.advance(5_000);
    expect(process.reason).toContain('CLY_RECORDER_OTHER_SYSTEM');
    expect(world.postgres.slot).toBeNull();
  });

  it('is waited for while its server is down, and readiness says so', async () => {
    const world = await new RecorderWorld({ seed: 5 }).open();
    await world.register();
    world.postgres.isDown = true;
    const process = world.start();
    await world.clock.advance(30_000);
    expect(process.reason).toContain('CLY_SOURCE_UNREACHABLE');
    world.postgres.isDown = false;
    await world.clock.advance(15_000);
    expect(process.reason).toBeUndefined();
  });

  it('goes on when the broker freezes for a minute', async () => {
    const world = await new RecorderWorld({ seed: 6 }).open();
    await world.register();
    const process = world.start();
    await world.clock.advance(3_000);
    world.log.freeze();
    for (let count = 0; count < 20; count += 1) world.postgres.commit();
    await world.clock.advance(60_000);
    expect(process.reason).toContain('CLY_LOG');
    expectNothingConfirmedUnwritten(world);
    world.log.thaw();
    await world.clock.advance(15_000);
    expect(process.reason).toBeUndefined();
    expect(world.publishedLsns()).toEqual(world.committedLsns());
  });
});

describe('the coverage of a source', () => {
  const coverages = (world: RecorderWorld): unknown[] =>
    world.observations('coverage').map(({ body }) => body['relations']);

  it('is stated before the first transaction, again when it changes, and after each start', async () => {
    const world = await new RecorderWorld({ seed: 21 }).open();
    await world.register();
    world.postgres.commit();
    const first = world.start();
    await world.clock.advance(2_000);
    world.postgres.commit();
    await world.clock.advance(20_000);
    expect(coverages(world)).toEqual([['public.activations']]);
    const kinds = world.written().map(({ body }) => body['kind']);
    expect(kinds.indexOf('coverage')).toBeLessThan(kinds.indexOf('transaction'));
    const { observation_id: id, ...members } = world.observations('coverage')[0]?.body ?? {};
    expect(id).toBe(digestOf(encodeRecord(members)).slice(0, 32));

    world.postgres.published = ['activations', 'accounts'];
    await world.clock.advance(10_000);
    expect(coverages(world)).toEqual([['public.activations'], ['public.accounts', 'public.activations']]);
    world.postgres.commit();
    await world.clock.advance(2_000);
    world.kill(first);
    world.start();
    await world.clock.advance(10_000);
    expect(coverages(world)).toHaveLength(3);
    expect(world.observations('coverage').at(-1)?.body).toMatchObject({ scope: 'listed', blind_spots: [] });
  });

  it('ends where the source no longer shows what is guarded', async () => {
    const world = await new RecorderWorld({ seed: 22 }).open();
    await world.register();
    const process = world.start();
    await world.clock.advance(2_000);
    world.postgres.hasPublication = false;
    await world.clock.advance(10_000);
    expect(process.reason).toContain('CLY_SOURCE_PUBLICATION_MISSING');
  });
});

describe('a break in the log of a source', () => {
  const gapsOf = (world: RecorderWorld): unknown[] => world.observations('gap').map(({ body }) => body['reason']);

  it('is a signed gap when the slot was made again beside the recorder', async () => {
    const { world, process } = await RecorderWorld.recorded(11);
    world.kill(process);
    world.postgres.commit();
    world.postgres.makeSlot();
    world.start();
    await world.clock.advance(10_000);
    world.postgres.commit();
    await world.clock.advance(10_000);
    expect(gapsOf(world)).toEqual(['slot_recreated']);
    const committed = world.committedLsns();
    expect(world.publishedLsns()).toEqual([committed[0], committed[2]]);
    const [gap] = world.observations('gap');
    expect(parseLsn(gap?.body['to_lsn'] as string)).toBeGreaterThan(parseLsn(committed[1] as string));
  });

  it.each(['slot_missing', 'slot_lost'])('is a signed gap before a new slot is read (%s)', async (reason) => {
    const { world, process } = await RecorderWorld.recorded(12);
    world.kill(process);
    world.postgres.commit();
    if (reason === 'slot_missing') world.postgres.slot = null;
    else world.postgres.slot = { confirmedLsn: 0n, isLost: true };
    world.start();
    await world.clock.advance(10_000);
    world.postgres.commit();
    await world.clock.advance(10_000);
    expect(gapsOf(world)).toEqual([reason]);
    expect(world.publishedLsns()).toHaveLength(2);
  });

  it('is recorded once, and closed once, where somebody else makes the slots', async () => {
    const { world, process } = await RecorderWorld.recorded(13);
    world.kill(process);
    world.postgres.slot = null;
    const second = world.start({ mayPrepare: false });
    await world.clock.advance(60_000);
    expect(gapsOf(world)).toEqual(['slot_missing']);
    expect(second.reason).toContain('CLY_SOURCE_SLOT_MISSING');
    world.postgres.commit();
    world.postgres.makeSlot();
    await world.clock.advance(20_000);
    expect(gapsOf(world)).toEqual(['slot_missing', 'slot_recreated']);
    const [open, closed] = world.observations('gap');
    expect(closed?.body['from_lsn']).toBe(open?.body['to_lsn']);
    expect(second.reason).toBeUndefined();
  });

  it('is a signed gap when a standby was promoted', async () => {
    const { world } = await RecorderWorld.recorded(14);
    world.postgres.timeline = 2;
    world.postgres.cutConnections();
    await world.clock.advance(10_000);
    world.postgres.commit();
    await world.clock.advance(5_000);
    expect(gapsOf(world)).toEqual(['timeline_changed']);
    expect(world.observations('transaction').at(-1)?.body['timeline']).toBe(2);
  });

  it('is a signed gap, and then a refusal, when the server is another one', async () => {
    const { world, process } = await RecorderWorld.recorded(15);
    world.postgres.systemId = '7000000000000000002';
    world.postgres.cutConnections();
    await world.clock.advance(30_000);
    expect(gapsOf(world)).toEqual(['system_changed']);
    expect(process.reason).toContain('CLY_RECORDER_OTHER_SYSTEM');
  });

  it('is a signed gap, and then a refusal for good, when its disks were set back to an earlier state', async () => {
    const { world, process } = await RecorderWorld.recorded(16);
    const { currentLsn } = world.postgres;
    world.kill(process);
    // A copy of the disks: the same system and timeline, and the slot as it stood then.
    world.postgres.currentLsn = currentLsn - 200n;
    world.postgres.slot = { confirmedLsn: currentLsn - 300n, isLost: false };
    world.postgres.transactions = [];
    const second = world.start();
    await world.clock.advance(10_000);
    expect(gapsOf(world)).toEqual(['log_set_back']);
    expect(second.reason).toContain('CLY_RECORDER_LOG_SET_BACK');
    // It writes on, past everything that was observed before: those positions are taken.
    for (let count = 0; count < 20; count += 1) world.postgres.commit();
    world.kill(second);
    const third = world.start();
    await world.clock.advance(20_000);
    expect(gapsOf(world)).toEqual(['log_set_back']);
    expect(third.reason).toContain('CLY_RECORDER_LOG_SET_BACK');
    expect(world.publishedLsns()).toHaveLength(1);
    // A promoted copy has a timeline of its own.
    world.postgres.timeline = 2;
    await world.clock.advance(20_000);
    expect(gapsOf(world)).toEqual(['log_set_back', 'timeline_changed']);
    expect(third.reason).toBeUndefined();
  });
});
