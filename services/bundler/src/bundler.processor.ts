// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import type { LogAppender, LogReader, ReadBatch } from '@clyra/core/ports/record-log';
import { BUNDLER_LIMITS, type BundlerLimits, type BundlerOptions } from './bundler-options.ts';
import type { BundlerStatus } from './bundler-status.ts';
import { PartitionLane } from './partition-lane.ts';
import { type OpenedPosition, openPosition, readingFrom } from './position/position-keeper.ts';
import { loadHistory } from './sealed-history.ts';

/**
 * Sequences every partition into clyra.journal and seals what it reads back from there into bundles. A start goes on
 * from the newest bundles if a position was saved, else reads the journal from its beginning, and compares it with what
 * was signed.
 */
export class BundlerProcessor {
  readonly #options: BundlerOptions;
  readonly #limits: BundlerLimits;
  #lanes: readonly PartitionLane[] = [];
  #reader: LogReader | undefined;
  #appenders: readonly LogAppender[] = [];

  constructor(options: BundlerOptions) {
    this.#options = options;
    this.#limits = { ...BUNDLER_LIMITS, ...options.limits };
  }

  /** Resolves when the journal is being read back. Rejects when log or blob store cannot be asked in time. */
  async start(): Promise<void> {
    const { log, topics, blobs } = this.#options;
    const { askDeadlineMs } = this.#limits;
    const history = await loadHistory(blobs);
    // Asked after the history: what was signed by then stands before these ends.
    const journalEnds = await log.endOffsets(topics.journal, askDeadlineMs);
    const starts = await log.startOffsets(topics.journal, askDeadlineMs);
    await this.#checkCounts(journalEnds.length);
    const bundlesCount = (await log.endOffsets(topics.bundles, askDeadlineMs)).length;
    const appenders = { bundles: log.appender('bundler-bundles'), quarantine: log.appender('bundler-quarantine') };
    this.#appenders = [appenders.bundles, appenders.quarantine];
    const opened = await Promise.all(
      journalEnds.map((end, partition) =>
        openPosition(this.#options.positions, { topic: topics.journal, partition, start: starts[partition] ?? 0, end }),
      ),
    );
    const none: OpenedPosition = { position: undefined, trouble: undefined };
    this.#lanes = journalEnds.map(
      (journalEnd, partition) =>
        new PartitionLane({
          partition,
          bundler: this.#options,
          limits: this.#limits,
          history,
          journalEnd,
          journalStart: starts[partition] ?? 0,
          opened: opened[partition] ?? none,
          bundlesPartition: partition % bundlesCount,
          appenders,
        }),
    );
    const assignments = starts.map((start, partition) => {
      const saved = opened[partition]?.position?.journal;
      return { topic: topics.journal, partition, fromOffset: saved === undefined ? start : readingFrom(saved, start) };
    });
    const onBatch = ({ partition, records }: ReadBatch): void => this.#lanes[partition]?.onJournal(records);
    const reader = await log.read({ name: 'bundler-journal', assignments, onBatch, patient: true }, askDeadlineMs);
    this.#reader = reader;
    for (const lane of this.#lanes) lane.start(reader);
  }

  async stop(): Promise<void> {
    await this.#reader?.close();
    await Promise.all(this.#lanes.map((lane) => lane.stop()));
    await Promise.all(this.#appenders.map((appender) => appender.close()));
  }

  status(): BundlerStatus {
    return {
      partitions: this.#lanes.map((lane) => lane.status()),
      tenants: this.#lanes.flatMap((lane) => lane.tenants()),
    };
  }

  /** A tenant's changes, receipts, observations and lines share one partition number. */
  async #checkCounts(expected: number): Promise<void> {
    const { log, topics } = this.#options;
    for (const topic of [topics.changes, topics.receipts, topics.observations]) {
      const { length } = await log.endOffsets(topic, this.#limits.askDeadlineMs);
      if (length === expected) continue;
      throw new ClyraError(
        'CLY_TOPIC_PARTITIONS',
        `${topic} has ${length} partitions, ${topics.journal} has ${expected}: make them equal`,
        {
          retry: 'never',
          context: { topic, partitions: length, expected },
        },
      );
    }
  }
}
