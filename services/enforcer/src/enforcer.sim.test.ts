// SPDX-License-Identifier: Apache-2.0

import { digestOf } from '@clyra/core/canonical/digest';
import { parseRecord } from '@clyra/core/canonical/record';
import { chainAfter, chainGenesis } from '@clyra/core/change/links';
import { topicNames } from '@clyra/core/change/topics';
import { encodeSnapshot, parseSnapshot } from '@clyra/core/enforcement/partition-snapshot';
import { StateTable } from '@clyra/core/enforcement/state-table';
import type { Envelopes } from '@clyra/core/ports/envelope-codec';
import { silentLogger } from '@clyra/core/ports/logger';
import { BatchVerifier } from '@clyra/core/signing/batch-verifier';
import { RECEIPT_TYPE } from '@clyra/core/signing/pae';
import { parseBlock } from '@clyra/core/signing/parse-block';
import {
  FoldScript,
  POLICY_BYTES,
  POLICY_DIGEST,
  SCRIPT_KEYS,
  SCRIPT_TRUST,
  START_MS,
} from '@clyra/testing/fold-script';
import { MemoryBlobStore } from '@clyra/testing/memory-blob-store';
import { plainCodec } from '@clyra/testing/plain-codec';
import { SeededRandom } from '@clyra/testing/seeded-random';
import { SimClock } from '@clyra/testing/sim-clock';
import { SimLog, type SimLogClient } from '@clyra/testing/sim-log';
import { describe, expect, it } from '@jest/globals';
import { EnforcerProcessor } from './enforcer.processor.ts';

const topics = topicNames();

function decodeReceipt(value: Uint8Array | null | undefined): Envelopes['ReceiptEnvelope'] {
  return plainCodec.decode('ReceiptEnvelope', value ?? new Uint8Array()) as Envelopes['ReceiptEnvelope'];
}

type Replica = { client: SimLogClient; processor: EnforcerProcessor; halted: string | undefined };

/** One partition, a reference fold beside it, and as many replicas as are started. */
class World {
  readonly random: SeededRandom;
  readonly clock = new SimClock(START_MS);
  readonly log: SimLog;
  blobs = new MemoryBlobStore();
  readonly script = new FoldScript();
  #window = 0;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    const faults = { lostResponseShare: 0.1, lostRequestShare: 0.05, refusedShare: 0.02 };
    this.log = new SimLog({ clock: this.clock, random: this.random, faults });
    for (const topic of [topics.changes, topics.receipts, topics.quarantine, topics.snapshots])
      this.log.createTopic(topic, 1);
  }

  async open(): Promise<this> {
    await this.blobs.put(`policies/${POLICY_DIGEST}`, POLICY_BYTES);
    await this.blobs.put(`trust-roots/${SCRIPT_TRUST.root.digest}`, SCRIPT_TRUST.bytes);
    this.script.nowMs = this.clock.nowMs();
    await this.script.opened();
    this.publish(2);
    return this;
  }

  publish(count: number): void {
    const records = this.script.envelopes
      .slice(-count)
      .map((envelope) => ({ key: null, value: plainCodec.encode('ChangeEnvelope', envelope) }));
    this.log.put(topics.changes, 0, records);
  }

  async blobsWithoutStates(): Promise<MemoryBlobStore> {
    const blobs = new MemoryBlobStore();
    await blobs.put(`policies/${POLICY_DIGEST}`, POLICY_BYTES);
    await blobs.put(`trust-roots/${SCRIPT_TRUST.root.digest}`, SCRIPT_TRUST.bytes);
    return blobs;
  }

  /** A snapshot that names a state which no receipt committed to. */
  async forgeSnapshot(): Promise<void> {
    const last = this.log.recordsOf(topics.snapshots, 0).at(-1);
    const envelope = await plainCodec.decode('SnapshotEnvelope', last?.value ?? new Uint8Array());
    const snapshot = parseSnapshot(envelope.pointer);
    const table = StateTable.parse(
      (await this.blobs.get(`states/${snapshot.tenants[0]?.state_digest}`)) ?? new Uint8Array(),
    );
    table.apply([{ op: 'put', key: 'switch/tenant', value: { engaged_at: 1 } }]);
    await this.blobs.put(`states/${table.digest()}`, table.serialize());
    const tenants = snapshot.tenants.map((mark) => ({ ...mark, state_digest: table.digest() }));
    const pointer = encodeSnapshot({ ...snapshot, tenants }) ?? new Uint8Array();
    const value = plainCodec.encode('SnapshotEnvelope', { ...envelope, pointer });
    this.log.put(topics.snapshots, 0, [{ key: last?.key ?? null, value }]);
  }

  async request(): Promise<void> {
    this.script.nowMs = this.clock.nowMs();
    await this.script.request();
    this.publish(1);
  }

  /** A cut: what a snapshot is taken at. */
  async closeWindow(): Promise<void> {
    this.script.nowMs = this.clock.nowMs();
    this.#window += 1;
    await this.script.append(this.script.body('window.closed', { number: this.#window }));
    this.publish(1);
  }

  async start(publishDelayMs: number, pendingCountMax = 20_000): Promise<Replica> {
    const client = this.log.connect();
    const replica: Replica = { client, halted: undefined, processor: undefined as unknown as EnforcerProcessor };
    replica.processor = new EnforcerProcessor({
      log: client,
      codec: plainCodec,
      blobs: this.blobs,
      signer: SCRIPT_KEYS.enforcer,
      clock: this.clock,
      logger: silentLogger,
      topics,
      publishDelayMs,
      startDeadlineMs: 60_000,
      sendDeadlineMs: 1_000,
      pendingCountMax,
      onPartition: (_, reason) => {
        replica.halted = reason;
      },
    });
    const started = replica.processor.start();
    await this.clock.advance(5_000);
    await started;
    return replica;
  }

  /** The first receipt of each position, after checking that every later one is the same. */
  effective(): { offset: number; body: Uint8Array }[] {
    const first = new Map<number, { offset: number; body: Uint8Array }>();
    const verifier = new BatchVerifier(RECEIPT_TYPE, 'enforcer');
    for (const record of this.log.recordsOf(topics.receipts, 0)) {
      const envelope = decodeReceipt(record.value);
      const known = first.get(envelope.offset);
      if (known === undefined) {
        expect(envelope.offset).toBe(first.size);
        first.set(envelope.offset, envelope);
      } else expect(digestOf(envelope.body)).toBe(digestOf(known.body));
      if (envelope.signature === null) continue;
      const block = parseBlock(parseRecord(envelope.signature));
      if (block === undefined) throw new Error('a receipt has a well-formed signature block');
      expect(verifier.verify(SCRIPT_TRUST.root, { digest: digestOf(envelope.body), block, atMs: START_MS })).toBe(true);
    }
    return [...first.values()];
  }

  /** How many positions have a receipt, whatever it says. */
  effectiveCount(): number {
    const offsets = this.log.recordsOf(topics.receipts, 0).map((record) => decodeReceipt(record.value).offset);
    return new Set(offsets).size;
  }

  expectComplete(): void {
    const receipts = this.effective();
    expect(receipts.map(({ body }) => digestOf(body))).toEqual(this.script.steps.map(({ folded }) => folded.digest));
  }
}

describe('enforcer replicas on a lossy log', () => {
  const seeds = Array.from({ length: 10 }, (_, index) => index + 1);

  it.each(seeds)('publish one body for each change over crashes at any moment (seed %i)', async (seed) => {
    const world = await new World(seed).open();
    let replicas = [await world.start(0), await world.start(50)];
    for (let round = 0; round < 40; round += 1) {
      for (let count = world.random.nextInt(0, 5); count > 0; count -= 1) await world.request();
      if (world.random.chance(0.15)) await world.closeWindow();
      await world.clock.advance(world.random.nextInt(0, 60));
      if (!world.random.chance(0.2)) continue;
      const victim = world.random.nextInt(0, 1);
      replicas[victim]?.client.crash();
      replicas = await Promise.all(
        replicas.map((replica, index) => (index === victim ? world.start(index * 50) : replica)),
      );
    }
    await world.clock.advance(20_000);
    expect(replicas.map((replica) => replica.halted)).toEqual([undefined, undefined]);
    world.expectComplete();
  });

  it('chains the partition in the envelopes', async () => {
    const world = await new World(77).open();
    await world.start(0);
    await world.request();
    await world.clock.advance(5_000);
    let chain = chainGenesis(0);
    const seen = new Set<number>();
    for (const record of world.log.recordsOf(topics.receipts, 0)) {
      const envelope = decodeReceipt(record.value);
      if (seen.has(envelope.offset)) continue;
      seen.add(envelope.offset);
      chain = chainAfter(chain, digestOf(envelope.body));
      expect(Buffer.from(envelope.chain).toString('hex')).toBe(chain);
    }
    expect(seen.size).toBe(3);
  });

  it('stops when a receipt in the log is not the one it folds', async () => {
    const world = await new World(5).open();
    const replica = await world.start(0);
    await world.clock.advance(5_000);
    const last = world.log.recordsOf(topics.receipts, 0).at(-1);
    const envelope = decodeReceipt(last?.value);
    replica.client.crash();
    const other = Buffer.from(envelope.body).toString('utf8').replace('"allow"', '"block"');
    world.log.put(topics.receipts, 0, [
      { key: null, value: plainCodec.encode('ReceiptEnvelope', { ...envelope, body: Buffer.from(other) }) },
    ]);
    const again = await world.start(0);
    await world.request();
    await world.clock.advance(5_000);
    expect(again.halted).toMatch(/^CLY_ENFORCER_DIVERGED/);
    expect(world.effectiveCount()).toBe(2);
  });

  it('folds no more than it can hold while the receipts cannot be written, and then the rest', async () => {
    const world = await new World(11).open();
    const replica = await world.start(0, 10);
    world.log.setFaults({ refusedShare: 1 });
    for (let count = 0; count < 50; count += 1) await world.request();
    await world.clock.advance(5_000);
    expect(replica.processor.pendingCount).toBe(10);
    expect(replica.processor.decidedCount).toBe(12);
    world.log.setFaults({ refusedShare: 0 });
    await world.clock.advance(20_000);
    expect(replica.processor.pendingCount).toBe(0);
    world.expectComplete();
  });

  it('keeps its receipts though somebody wrote one for a place that nobody folded', async () => {
    const world = await new World(12).open();
    const replica = await world.start(0);
    const last = decodeReceipt(world.log.recordsOf(topics.receipts, 0).at(-1)?.value);
    world.log.setFaults({ refusedShare: 1 });
    for (let count = 0; count < 5; count += 1) await world.request();
    await world.clock.advance(1_000);
    world.log.put(topics.receipts, 0, [
      { key: null, value: plainCodec.encode('ReceiptEnvelope', { ...last, offset: 900 }) },
    ]);
    await world.clock.advance(1_000);
    expect(replica.processor.pendingCount).toBe(5);
    world.log.setFaults({ refusedShare: 0 });
    await world.clock.advance(10_000);
    expect(world.effectiveCount()).toBe(world.script.steps.length + 1);
  });

  it('goes on from a snapshot, and gives the same bodies', async () => {
    const world = await new World(9).open();
    const replica = await world.start(0);
    for (let count = 0; count < 20; count += 1) await world.request();
    await world.closeWindow();
    await world.clock.advance(10_000);
    expect(world.log.recordsOf(topics.snapshots, 0).length).toBeGreaterThan(0);
    for (let count = 0; count < 5; count += 1) await world.request();
    await world.clock.advance(1_000);
    replica.client.crash();
    const again = await world.start(0);
    await world.request();
    await world.clock.advance(10_000);
    expect(again.halted).toBeUndefined();
    expect(again.processor.decidedCount).toBe(6);
    world.expectComplete();
  });

  it.each([
    ['whose state is gone', (blobs: MemoryBlobStore) => blobs],
    ['of another state', undefined],
  ])('folds from the start rather than trust a snapshot %s', async (_name, keep) => {
    const world = await new World(10).open();
    const replica = await world.start(0);
    for (let count = 0; count < 5; count += 1) await world.request();
    await world.closeWindow();
    await world.clock.advance(10_000);
    replica.client.crash();
    if (keep === undefined) await world.forgeSnapshot();
    else world.blobs = await world.blobsWithoutStates();
    const again = await world.start(0);
    await world.request();
    await world.clock.advance(10_000);
    expect(again.halted).toBeUndefined();
    expect(again.processor.decidedCount).toBe(9);
    world.expectComplete();
  });

  it('waits for a document that is not there yet, and goes on when it is', async () => {
    const world = new World(6);
    world.script.nowMs = world.clock.nowMs();
    await world.script.opened();
    world.publish(2);
    const replica = await world.start(0);
    expect(replica.halted).toMatch(/^CLY_ARTIFACT_MISSING/);
    await world.blobs.put(`policies/${POLICY_DIGEST}`, POLICY_BYTES);
    await world.blobs.put(`trust-roots/${SCRIPT_TRUST.root.digest}`, SCRIPT_TRUST.bytes);
    await world.clock.advance(5_000);
    expect(replica.halted).toBeUndefined();
    world.expectComplete();
  });

  it('stops when receipts point past the end of the changes', async () => {
    const world = await new World(8).open();
    const replica = await world.start(0);
    await world.clock.advance(5_000);
    replica.client.crash();
    const last = decodeReceipt(world.log.recordsOf(topics.receipts, 0).at(-1)?.value);
    world.log.put(topics.receipts, 0, [
      { key: null, value: plainCodec.encode('ReceiptEnvelope', { ...last, offset: 9 }) },
    ]);
    expect((await world.start(0)).halted).toMatch(/^CLY_LOG_TRUNCATED/);
  });
});
