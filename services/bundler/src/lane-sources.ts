// SPDX-License-Identifier: Apache-2.0
import { requireWithin } from '@clyra/core/change/log-position';
import type { EnvelopeCodec } from '@clyra/core/ports/envelope-codec';
import type { LogReader, ReadBatch, ReadFrom } from '@clyra/core/ports/record-log';
import type { Persistence } from '@clyra/runtime/persistence';
import { type QueueLimits, RecordQueue } from '@clyra/runtime/record-queue';
import type { BundlerLimits, BundlerOptions } from './bundler-options.ts';
import { ChangePairs, type PairsOptions } from './change-pairs.ts';
import type { ReceiptMark } from './position/lane-position.ts';

export type SourcesOptions = {
  readonly partition: number;
  readonly bundler: BundlerOptions;
  readonly limits: BundlerLimits;
  readonly persistence: Persistence;
  /** Source offsets up to which the journal holds lines. */
  readonly sequenced: { readonly change: number; readonly observation: number };
  /** The saved place from which receipts are followed; null: from their first. */
  readonly receipts: ReceiptMark | null;
  readonly onRecords: () => void;
};

/** What a partition is sequenced from: one reader over its three topics, and a bounded queue for each. */
export class LaneSources {
  readonly observations: RecordQueue;
  readonly #options: SourcesOptions;
  readonly #changes: RecordQueue;
  readonly #receipts: RecordQueue;
  #reader: LogReader | undefined;
  #closed = false;

  constructor(options: SourcesOptions) {
    const { limits, bundler } = options;
    this.#options = options;
    const queueLimits = { recordsMax: limits.queueRecordsMax, bytesMax: limits.queueBytesMax };
    this.#changes = this.#queue(bundler.topics.changes, queueLimits);
    this.#receipts = this.#queue(bundler.topics.receipts, queueLimits);
    this.observations = this.#queue(bundler.topics.observations, queueLimits);
  }

  /**
   * Starts reading. The partition's chain of receipts is followed from its genesis, or from a saved place of it. Rejects
   * with CLY_POSITION_BEHIND and CLY_POSITION_AHEAD where a topic does not hold what must be read.
   */
  async open(): Promise<ChangePairs> {
    const { partition, bundler, limits, persistence, sequenced } = this.#options;
    const { log, topics } = bundler;
    const codec: EnvelopeCodec = bundler.codec;
    const ask = (): Promise<readonly number[]> => log.startOffsets(topics.receipts, limits.askDeadlineMs);
    const receiptsStart = (await persistence.until('receipts start', ask))[partition] ?? 0;
    const saved = this.#options.receipts;
    const assignments: ReadFrom[] = [
      { topic: topics.changes, partition, fromOffset: sequenced.change + 1 },
      { topic: topics.receipts, partition, fromOffset: saved?.offset ?? receiptsStart },
      { topic: topics.observations, partition, fromOffset: sequenced.observation + 1 },
    ];
    for (const from of assignments) await this.#requireThere(from);
    if (saved !== null) await this.#requireThere({ topic: topics.receipts, partition, fromOffset: saved.offset + 1 });
    const request = { name: `bundler-sources-${partition}`, assignments, onBatch: this.#onBatch, patient: true };
    this.#reader = await persistence.until('sources', () => log.read(request, limits.askDeadlineMs));
    if (this.#closed) await this.#reader.close();
    return new ChangePairs({
      partition,
      codec,
      persistence,
      changes: this.#changes,
      receipts: this.#receipts,
      sequencedOffset: sequenced.change,
      from: saved ?? this.#unsaved(receiptsStart),
    });
  }

  #unsaved(receiptsStart: number): PairsOptions['from'] {
    return receiptsStart === 0 ? 'genesis' : 'first_left';
  }

  async #requireThere({ topic, partition, fromOffset }: ReadFrom): Promise<void> {
    const { bundler, limits, persistence } = this.#options;
    const { log } = bundler;
    const ask = (): Promise<(readonly number[])[]> =>
      Promise.all([log.startOffsets(topic, limits.askDeadlineMs), log.endOffsets(topic, limits.askDeadlineMs)]);
    const [starts, ends] = await persistence.until(`${topic} extent`, ask);
    requireWithin(fromOffset, { topic, partition, start: starts?.[partition] ?? 0, end: ends?.[partition] ?? 0 });
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const queue of [this.#changes, this.#receipts, this.observations]) queue.close();
    await this.#reader?.close();
  }

  readonly #onBatch = ({ topic, records }: ReadBatch): void => {
    const { topics } = this.#options.bundler;
    if (topic === topics.changes) this.#changes.push(records);
    else if (topic === topics.receipts) this.#receipts.push(records);
    else this.observations.push(records);
    this.#options.onRecords();
  };

  #queue(topic: string, limits: QueueLimits): RecordQueue {
    const { partition } = this.#options;
    return new RecordQueue(limits, (high) => {
      if (high) this.#reader?.pause(topic, partition);
      else this.#reader?.resume(topic, partition);
    });
  }
}
