// SPDX-License-Identifier: Apache-2.0
import { type TopicNames, topicNames } from '@clyra/core/change/topics';
import type { Envelopes } from '@clyra/core/ports/envelope-codec';
import { POLICY_BYTES, POLICY_DIGEST, SCRIPT_TRUST, START_MS } from './fold-script.ts';
import { grantedToken, History, type HistoryEntry } from './history.ts';
import { MemoryBlobStore } from './memory-blob-store.ts';
import { plainCodec } from './plain-codec.ts';
import { SeededRandom } from './seeded-random.ts';
import { SimClock } from './sim-clock.ts';
import { SimLog, type SimLogFaults } from './sim-log.ts';

export const TOPICS: TopicNames = topicNames();
export const NO_FAULTS: SimLogFaults = { lostResponseShare: 0, lostRequestShare: 0, refusedShare: 0 };
const LOSSY: SimLogFaults = { lostResponseShare: 0.1, lostRequestShare: 0.05, refusedShare: 0.05 };

/** A simulated log of one partition, with a history that is published to it as it happens: what readers of it live in. */
export class PublishedHistory {
  readonly clock = new SimClock(START_MS);
  readonly random: SeededRandom;
  readonly log: SimLog;
  readonly blobs = new MemoryBlobStore();
  readonly history = new History();
  #publishedCount = 0;

  constructor(seed: number, faults: SimLogFaults = LOSSY) {
    this.random = new SeededRandom(seed);
    this.log = new SimLog({ clock: this.clock, random: this.random, faults });
    for (const topic of Object.values(TOPICS)) this.log.createTopic(topic, 1);
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
    await this.publishChanged((entry) => entry);
    for (const [digest, bytes] of this.history.states) await this.blobs.put(`states/${digest}`, bytes);
  }

  /** Publishes what has happened since, as `change` makes it. */
  async publishChanged(change: (entry: HistoryEntry) => HistoryEntry): Promise<void> {
    for (const entry of this.#unpublished()) this.#put(change(entry));
  }

  /** Publishes what has happened since without its receipts. */
  publishChangesOnly(): void {
    for (const entry of this.#unpublished()) {
      if (entry.source === 'changes') this.#putOne(TOPICS.changes, plainCodec.encode('ChangeEnvelope', entry.change));
    }
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

  /** Source offset and reason of everything in quarantine. */
  quarantined(): [number, string][] {
    return this.log.recordsOf(TOPICS.quarantine, 0).map(({ value }) => {
      const envelope = plainCodec.decode('QuarantineEnvelope', value ?? new Uint8Array());
      const { offset, reason } = envelope as Envelopes['QuarantineEnvelope'];
      return [offset, reason];
    });
  }

  #unpublished(): readonly HistoryEntry[] {
    const entries = this.history.entries.slice(this.#publishedCount);
    this.#publishedCount = this.history.entries.length;
    return entries;
  }

  #put(entry: HistoryEntry): void {
    if (entry.source === 'observations') {
      this.#putOne(TOPICS.observations, plainCodec.encode('ObservationEnvelope', entry.observation));
      return;
    }
    this.#putOne(TOPICS.changes, plainCodec.encode('ChangeEnvelope', entry.change));
    const receipt = plainCodec.encode('ReceiptEnvelope', entry.receipt);
    this.#putOne(TOPICS.receipts, receipt);
    // The second enforcer's copy.
    if (this.random.chance(0.2)) this.#putOne(TOPICS.receipts, receipt);
  }

  #putOne(topic: string, value: Uint8Array): void {
    this.log.put(topic, 0, [{ key: null, value }]);
  }
}
