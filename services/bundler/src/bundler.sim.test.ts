// SPDX-License-Identifier: Apache-2.0
import { topicNames } from '@clyra/core/change/topics';
import type { Envelopes } from '@clyra/core/ports/envelope-codec';
import { silentLogger } from '@clyra/core/ports/logger';
import { POLICY_BYTES, POLICY_DIGEST, SCRIPT_KEYS, SCRIPT_TRUST, START_MS } from '@clyra/testing/fold-script';
import { grantedToken, History, type HistoryEntry } from '@clyra/testing/history';
import { MemoryBlobStore } from '@clyra/testing/memory-blob-store';
import { type Death, MortalProcess } from '@clyra/testing/mortal-process';
import { plainCodec } from '@clyra/testing/plain-codec';
import { SeededRandom } from '@clyra/testing/seeded-random';
import { SimClock } from '@clyra/testing/sim-clock';
import { SimLog } from '@clyra/testing/sim-log';
import { describe, expect, it } from '@jest/globals';
import { BundlerProcessor } from './bundler.processor.ts';

const topics = topicNames();
const LOSSY = { lostResponseShare: 0.1, lostRequestShare: 0.05, refusedShare: 0.05 };

type Running = {
  readonly process: MortalProcess;
  readonly processor: BundlerProcessor;
  reason: string | undefined;
  bug: unknown;
};

/** One partition with a history that is published as it happens, and any number of bundlers. */
class World {
  readonly clock = new SimClock(START_MS);
  readonly random: SeededRandom;
  readonly log: SimLog;
  readonly blobs = new MemoryBlobStore();
  readonly history = new History();
  #publishedCount = 0;

  constructor(seed: number, faults = LOSSY) {
    this.random = new SeededRandom(seed);
    this.log = new SimLog({ clock: this.clock, random: this.random, faults });
    for (const topic of Object.values(topics)) this.log.createTopic(topic, 1);
  }

  async open(): Promise<this> {
    await this.blobs.put(`policies/${POLICY_DIGEST}`, POLICY_BYTES);
    await this.blobs.put(`trust-roots/${SCRIPT_TRUST.root.digest}`, SCRIPT_TRUST.bytes);
    this.history.nowMs = this.clock.nowMs();
    await this.history.open();
    await this.publish();
    return this;
  }

  /** Publishes what has happened since the last time, and the states of its cuts. */
  async publish(): Promise<void> {
    for (const entry of this.history.entries.slice(this.#publishedCount)) this.#put(entry);
    this.#publishedCount = this.history.entries.length;
    for (const [digest, bytes] of this.history.states) await this.blobs.put(`states/${digest}`, bytes);
  }

  #put(entry: HistoryEntry): void {
    if (entry.source === 'observations') {
      const value = plainCodec.encode('ObservationEnvelope', entry.observation);
      this.log.put(topics.observations, 0, [{ key: null, value }]);
      return;
    }
    this.log.put(topics.changes, 0, [{ key: null, value: plainCodec.encode('ChangeEnvelope', entry.change) }]);
    const receipt = { key: null, value: plainCodec.encode('ReceiptEnvelope', entry.receipt) };
    // The second enforcer's copy comes late, or not at all.
    this.log.put(topics.receipts, 0, this.random.chance(0.2) ? [receipt, receipt] : [receipt]);
  }

  /** Something of everything that happens to a tenant, and time passes. */
  async step(): Promise<void> {
    await this.clock.advance(this.random.nextInt(0, 40));
    this.history.nowMs = this.clock.nowMs();
    const request = await this.history.request();
    if (this.random.chance(0.8)) await this.history.outcome(request.folded.eventId);
    if (this.random.chance(0.2)) await this.history.forged();
    if (this.random.chance(0.7)) await this.history.transaction({ tokens: [grantedToken(request) ?? ''] });
    if (this.random.chance(0.2)) await this.history.transaction();
    if (this.random.chance(0.5)) await this.history.watermark();
    if (this.random.chance(0.4)) await this.history.closeWindow();
    await this.publish();
  }

  start(death?: Death, blobs: MemoryBlobStore = this.blobs): Running {
    const process = new MortalProcess({ client: this.log.connect(), blobs, clock: this.clock }, death);
    const { log, blobs: own, clock } = process;
    const running: Running = { process, reason: undefined, bug: undefined, processor: undefined as never };
    const processor = new BundlerProcessor({
      log,
      codec: plainCodec,
      blobs: own,
      clock,
      logger: silentLogger,
      topics,
      signers: { log: SCRIPT_KEYS.log, bundler: SCRIPT_KEYS.bundler },
      separation: 'none',
      producer: { name: 'test', version: '0' },
      limits: { spoolBytesMax: 4_096, sendRecordsMax: 7, queueRecordsMax: 20, unknownTenantMs: 500 },
      onPartition: (_, reason) => {
        running.reason = reason;
      },
      onBug: (error) => {
        running.bug = error;
      },
    });
    Object.assign(running, { processor });
    processor.start().catch((error: unknown) => {
      running.bug = error;
    });
    return running;
  }

  async bundleBytes(blobs: MemoryBlobStore = this.blobs): Promise<Map<string, string>> {
    const names = [...(await blobs.list('bundles/')), ...(await blobs.list('checkpoints/'))];
    const bytes = new Map<string, string>();
    for (const name of names) bytes.set(name, Buffer.from((await blobs.get(name)) ?? []).toString('base64'));
    return bytes;
  }

  /** What a bundler makes of the journal alone, in an empty blob store. */
  async madeAnew(): Promise<Map<string, string>> {
    const empty = new MemoryBlobStore();
    for (const prefix of ['policies/', 'trust-roots/', 'states/']) {
      for (const name of await this.blobs.list(prefix)) await empty.put(name, (await this.blobs.get(name)) as Uint8Array);
    }
    const again = this.start(undefined, empty);
    await this.clock.advance(120_000);
    expect([again.reason, again.bug]).toEqual([undefined, undefined]);
    again.process.kill();
    return this.bundleBytes(empty);
  }

  published(): string[] {
    return this.log.recordsOf(topics.bundles, 0).map((record) => {
      const bundle = plainCodec.decode('BundleEnvelope', record.value ?? new Uint8Array()) as Envelopes['BundleEnvelope'];
      return `${bundle.location}/manifest.dsse.json`;
    });
  }

  async expectWhole(): Promise<void> {
    const made = await this.bundleBytes();
    expect(await this.madeAnew()).toEqual(made);
    const whole = [...made.keys()].filter((name) => name.endsWith('/manifest.dsse.json'));
    expect(whole.length).toBeGreaterThan(0);
    expect([...new Set(this.published())].sort()).toEqual(whole);
  }
}

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
    for (let atEffect = 1; atEffect < 120; atEffect += 7) {
      const world = await new World(1_000 + atEffect).open();
      const first = world.start({ atEffect, moment });
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
