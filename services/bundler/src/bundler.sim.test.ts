// SPDX-License-Identifier: Apache-2.0
import type { Envelopes } from '@clyra/core/ports/envelope-codec';
import { SCRIPT_KEYS } from '@clyra/testing/fold-script';
import type { HistoryEntry } from '@clyra/testing/history';
import { MemoryBlobStore } from '@clyra/testing/memory-blob-store';
import { plainCodec } from '@clyra/testing/plain-codec';
import { NO_FAULTS, TOPICS as topics } from '@clyra/testing/published-history';
import { describe, expect, it } from '@jest/globals';
import { SIGNERS, World } from './test-support/bundler-world.ts';

describe('bundlers on a lossy log', () => {
  it('sequence and seal what happens, with one bundler', async () => {
    const world = await new World(1).open();
    const running = world.start();
    for (let count = 0; count < 20; count += 1) await world.step();
    await world.clock.advance(60_000);
    expect([running.reason, running.bug]).toEqual([undefined, undefined]);
    const status = running.processor.status();
    expect(status.partitions).toMatchObject([{ state: 'live', reason: null }]);
    expect(status.partitions[0]?.sequenced.changes).toBe(world.log.recordsOf(topics.changes, 0).length - 1);
    expect(status.partitions[0]?.sequenced.observations).toBe(world.log.recordsOf(topics.observations, 0).length - 1);
    await world.expectWhole();
  });

  it.each([2, 3, 4, 5, 6, 7])('make the same bundles side by side (seed %i)', async (seed) => {
    const world = await new World(seed).open();
    const both = [world.start(), world.start()];
    for (let count = 0; count < 15; count += 1) await world.step();
    await world.clock.advance(60_000);
    expect(both.map(({ reason, bug }) => [reason, bug])).toEqual([
      [undefined, undefined],
      [undefined, undefined],
    ]);
    await world.expectWhole();
  });

  const moments = ['before', 'after'] as const;
  it.each(moments)('go on after a crash %s any effect', async (moment) => {
    for (let atEffect = 1; atEffect < 110; atEffect += 9) {
      const world = await new World(1_000 + atEffect).open();
      const first = world.start({ death: { atEffect, moment } });
      for (let count = 0; count < 8; count += 1) await world.step();
      await world.clock.advance(30_000);
      first.process.kill();
      const second = world.start();
      await world.step();
      await world.history.closeWindow();
      await world.publish();
      await world.clock.advance(60_000);
      expect([atEffect, second.reason, second.bug]).toEqual([atEffect, undefined, undefined]);
      await world.expectWhole();
      second.process.kill();
    }
  });
});

type ChangeEntry = Extract<HistoryEntry, { source: 'changes' }>;

/** Replaces members of a change's entry; observations stay. */
function changing(change: (entry: ChangeEntry) => Partial<ChangeEntry>): (entry: HistoryEntry) => HistoryEntry {
  return (entry) => (entry.source === 'changes' ? { ...entry, ...change(entry) } : entry);
}

describe('a partition stops, and signs nothing more', () => {
  it.each([
    [
      'an accepted change is not signed by an intake',
      changing(({ change, receipt }) => ({ change: { ...change, signature: receipt.signature ?? new Uint8Array() } })),
      /^CLY_LOG_SIGNATURE/,
    ],
    [
      'a receipt is not signed by an enforcer',
      changing(({ change, receipt }) => ({ receipt: { ...receipt, signature: change.signature } })),
      /^CLY_LOG_SIGNATURE/,
    ],
    [
      'a receipt answers another change',
      changing(({ change }) => ({
        change: { ...change, body: Buffer.from(Buffer.from(change.body).toString().replace('"POST"', '"PUT"')) },
      })),
      /^CLY_RECEIPT_MISMATCH/,
    ],
    [
      'the envelope of a receipt lies about its place',
      changing(({ receipt }) => ({ receipt: { ...receipt, event_id: 'another' } })),
      /^CLY_RECEIPT_ROUTING/,
    ],
    [
      'a receipt does not continue the partition’s chain',
      changing(({ receipt }) => ({ receipt: { ...receipt, chain: new Uint8Array(32) } })),
      /^CLY_LOG_CHAIN_BROKEN/,
    ],
    [
      'a change was called readable that is poison',
      changing(({ change }) => ({ change: { ...change, kind: 'change.outcome' } })),
      /^CLY_RECEIPT_MISMATCH/,
    ],
  ])('when %s', async (_, change, code) => {
    const world = await new World(50, NO_FAULTS).open();
    const running = await world.running();
    const before = await world.bundleBytes();
    world.history.nowMs = world.clock.nowMs();
    await world.history.request();
    await world.publishChanged(change);
    await world.history.closeWindow();
    await world.publish();
    await world.clock.advance(30_000);
    expect(running.reason).toMatch(code);
    expect(running.processor.status().partitions).toMatchObject([{ state: 'stopped' }]);
    expect(await world.bundleBytes()).toEqual(before);
    expect(running.bug).toBeUndefined();
  });

  it('when a change has no receipt, but the next one has', async () => {
    const world = await new World(51, NO_FAULTS).open();
    const running = await world.running();
    await world.history.request();
    world.publishChangesOnly();
    await world.step();
    await world.clock.advance(30_000);
    expect(running.reason).toMatch(/^CLY_LOG_CHAIN_BROKEN|^CLY_RECEIPT_MISSING/);
  });

  it('when a rival sequenced another line for a position', async () => {
    const world = await new World(52, NO_FAULTS).open();
    const running = await world.running();
    const last = world.log.recordsOf(topics.journal, 0).at(-1)?.value ?? new Uint8Array();
    const envelope = plainCodec.decode('JournalEnvelope', last) as Envelopes['JournalEnvelope'];
    const value = plainCodec.encode('JournalEnvelope', { ...envelope, line: Buffer.from('{}') });
    world.log.put(topics.journal, 0, [{ key: null, value }]);
    await world.clock.advance(5_000);
    expect(running.reason).toMatch(/^CLY_LOG_FORKED/);
  });

  it('when the journal is shorter than the last checkpoint', async () => {
    const world = await new World(53, NO_FAULTS).open();
    (await world.running()).process.kill();
    const other = await new World(53, NO_FAULTS).open();
    const again = other.start({ blobs: world.blobs });
    await other.clock.advance(30_000);
    expect(again.reason).toMatch(/^CLY_LOG_DAMAGED: the journal of tenant acme ends at leaf 0/);
    expect(other.log.recordsOf(topics.journal, 0)).toEqual([]);
  });

  it('when the journal leads to another root than the last checkpoint', async () => {
    const world = await new World(54, NO_FAULTS).open();
    (await world.running()).process.kill();
    const other = await new World(55, NO_FAULTS).open();
    for (let count = 0; count < 10; count += 1) await other.step();
    const maker = other.start();
    await other.clock.advance(30_000);
    maker.process.kill();
    const again = other.start({ blobs: world.blobs });
    await other.clock.advance(30_000);
    expect(again.reason).toMatch(/^CLY_LOG_DAMAGED/);
  });

  it('when its keys have no role in the tenant’s trust root', async () => {
    const world = await new World(56, NO_FAULTS).open();
    const running = world.start({ signers: { ...SIGNERS, log: SCRIPT_KEYS.operator } });
    await world.history.closeWindow();
    await world.publish();
    await world.clock.advance(30_000);
    expect(running.reason).toMatch(/^CLY_BUNDLE_KEY_UNTRUSTED/);
    expect(await world.blobs.list('checkpoints/')).toEqual([]);
  });
});

describe('a bundler that can go on', () => {
  it('quarantines observations that no log can take, and holds up no change for them', async () => {
    const world = await new World(60, NO_FAULTS).open();
    const running = await world.running();
    const next = world.log.recordsOf(topics.observations, 0).length;
    const envelope = {
      body: Buffer.from('{}'),
      signature: Buffer.from('{}'),
      tenant: 'x',
      kind: 'y',
      source_id: 'z',
      observation_id: '',
    };
    const stranger = Buffer.from(
      JSON.stringify({
        covers_until: 1,
        kind: 'watermark',
        lsn: '0/1',
        observation_id: '0'.repeat(32),
        source_id: 'crm',
        tenant: 'nobody',
        v: 0,
      }),
    );
    const [known] = world.history.entries.filter(({ source }) => source === 'observations');
    if (known?.source !== 'observations') throw new Error('the history has an observation');
    const { signature } = known.observation;
    const lost = {
      body: stranger,
      signature,
      tenant: 'nobody',
      kind: 'watermark',
      source_id: 'crm',
      observation_id: '0'.repeat(32),
    };
    world.log.put(topics.observations, 0, [
      { key: null, value: Buffer.from('no envelope') },
      { key: null, value: plainCodec.encode('ObservationEnvelope', envelope) },
      { key: null, value: plainCodec.encode('ObservationEnvelope', { ...known.observation, source_id: 'other' }) },
      { key: null, value: plainCodec.encode('ObservationEnvelope', lost) },
    ]);
    await world.clock.advance(100);
    await world.step();
    await world.clock.advance(300);
    expect(running.processor.status().partitions[0]?.sequenced.changes).toBe(
      world.log.recordsOf(topics.changes, 0).length - 1,
    );
    await world.clock.advance(10_000);
    expect(world.quarantined()).toEqual([
      [next, 'CLY_SCHEMA_UNDECODABLE'],
      [next + 1, 'CLY_RECORD_SHAPE'],
      [next + 2, 'CLY_RECORD_ROUTING'],
      [next + 3, 'CLY_TENANT_UNKNOWN'],
    ]);
    expect([running.reason, running.bug]).toEqual([undefined, undefined]);
  });

  it('waits for the policy and for the state that a bundle needs, and says so', async () => {
    const world = await new World(61, NO_FAULTS).open();
    const late = new MemoryBlobStore();
    const running = world.start({ blobs: late });
    await world.history.closeWindow();
    await world.step();
    await world.history.closeWindow();
    await world.publish();
    await world.clock.advance(5_000);
    expect(running.reason).toMatch(/^trust-roots\/.*CLY_DOCUMENT_MISSING$/);
    for (const prefix of ['policies/', 'trust-roots/']) {
      for (const name of await world.blobs.list(prefix))
        await late.put(name, (await world.blobs.get(name)) as Uint8Array);
    }
    await world.clock.advance(10_000);
    expect(running.reason).toMatch(/^states\/.*CLY_DOCUMENT_MISSING$/);
    for (const [digest, bytes] of world.history.states) await late.put(`states/${digest}`, bytes);
    await world.clock.advance(10_000);
    expect([running.reason, running.bug]).toEqual([undefined, undefined]);
    expect((await late.list('bundles/')).filter((name) => name.endsWith('/manifest.dsse.json')).length).toBe(2);
  });

  it('finishes a bundle that an older version left half written', async () => {
    const world = await new World(62, NO_FAULTS).open();
    await world.history.closeWindow();
    await world.publish();
    for (let atEffect = 1; atEffect < 16; atEffect += 1) {
      const blobs = new MemoryBlobStore();
      for (const name of await world.blobs.list('')) await blobs.put(name, (await world.blobs.get(name)) as Uint8Array);
      const older = world.start({ blobs, death: { atEffect, moment: 'after' } });
      await world.clock.advance(20_000);
      older.process.kill();
      const newer = world.start({ blobs, version: '1' });
      await world.clock.advance(20_000);
      expect([atEffect, newer.reason, newer.bug]).toEqual([atEffect, undefined, undefined]);
      expect((await blobs.list('bundles/')).filter((name) => name.endsWith('/manifest.dsse.json')).length).toBe(1);
      newer.process.kill();
    }
  });
});
