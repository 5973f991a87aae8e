// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '@clyra/core/canonical/digest';
import type { TopicNames } from '@clyra/core/change/topics';
import { changeVerifier, type Folded, type Resume } from '@clyra/core/enforcement/partition-fold';
import { ClyraError } from '@clyra/core/kernel/error';
import type { BlobStore } from '@clyra/core/ports/blob-store';
import type { Clock } from '@clyra/core/ports/clock';
import type { EnvelopeCodec } from '@clyra/core/ports/envelope-codec';
import type { Logger } from '@clyra/core/ports/logger';
import type { LogReader, LogRecord, ReadBatch, RecordLog } from '@clyra/core/ports/record-log';
import type { Signer } from '@clyra/core/ports/signer';
import { ArtifactStore } from './artifact-store.ts';
import { PartitionWorker } from './partition-worker.ts';
import { divergence, PublishedReceipts } from './published-receipts.ts';
import { QuarantineWriter } from './quarantine-writer.ts';
import { findReceipt, type Receipt } from './receipt-finder.ts';
import { ReceiptPublisher } from './receipt-publisher.ts';
import { SnapshotKeeper } from './snapshot-keeper.ts';
import { loadSnapshot } from './snapshot-loader.ts';
import { stateName } from './state-name.ts';
import { StateWriter } from './state-writer.ts';

export type EnforcerOptions = {
  readonly log: RecordLog;
  readonly codec: EnvelopeCodec;
  readonly blobs: BlobStore;
  readonly signer: Signer;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly topics: TopicNames;
  /** 0 for the first replica, 50 for the second. */
  readonly publishDelayMs: number;
  readonly startDeadlineMs: number;
  readonly sendDeadlineMs: number;
  /** Receipts of all partitions that wait to be published, from which on nothing more is folded; 20,000 unless told. */
  readonly pendingCountMax?: number;
  /** Called with a reason while a partition waits or has stopped, and with undefined when it goes on. */
  readonly onPartition?: (partition: number, reason: string | undefined) => void;
};

const PENDING_COUNT_MAX = 20_000;
const HELD_LOOK_MS = 20;

type Lane = { readonly worker: PartitionWorker; readonly published: PublishedReceipts };

/**
 * The replicated state machine: folds every partition of clyra.changes and publishes what is not published yet. It
 * keeps no position of its own: a start reads the last receipt of each partition, folds silently up to it, compares,
 * and goes on live from there.
 */
export class EnforcerProcessor {
  readonly #options: EnforcerOptions;
  readonly #artifacts: ArtifactStore;
  readonly #verifier = changeVerifier();
  readonly #publisher: ReceiptPublisher;
  readonly #quarantine: QuarantineWriter;
  readonly #states: StateWriter;
  readonly #snapshots: SnapshotKeeper;
  readonly #lanes = new Map<number, Lane>();
  #readers: LogReader[] = [];
  #changesReader: LogReader | undefined;
  /** States that lie in the blob store already: a restart folds old cuts again and need not write them again. */
  #knownStates: ReadonlySet<string> = new Set();
  readonly #pendingCountMax: number;
  #holding = false;
  #stopped = false;
  decidedCount = 0;

  constructor(options: EnforcerOptions) {
    const { log, codec, signer, clock, logger, topics, publishDelayMs, sendDeadlineMs } = options;
    this.#options = options;
    this.#pendingCountMax = options.pendingCountMax ?? PENDING_COUNT_MAX;
    this.#artifacts = new ArtifactStore(options.blobs);
    this.#publisher = new ReceiptPublisher({
      topic: topics.receipts,
      appender: log.appender('enforcer-receipts'),
      codec,
      signer,
      clock,
      logger,
      publishDelayMs,
      sendDeadlineMs,
    });
    this.#quarantine = new QuarantineWriter({ log, codec, clock, logger, topic: topics.quarantine, sendDeadlineMs });
    this.#states = new StateWriter({ blobs: options.blobs, clock, logger });
    this.#snapshots = new SnapshotKeeper({ log, codec, clock, logger, topic: topics.snapshots, sendDeadlineMs });
  }

  get pendingCount(): number {
    return this.#publisher.pendingCount;
  }

  /** Rejects when the log cannot be asked within the start deadline; the caller starts it again. */
  async start(): Promise<void> {
    const { log, topics, startDeadlineMs } = this.#options;
    this.#knownStates = new Set(await this.#options.blobs.list('states/'));
    const receiptEnds = await log.endOffsets(topics.receipts, startDeadlineMs);
    await Promise.all(receiptEnds.map((_, partition) => this.#prepare(partition)));
    const tail = receiptEnds.map((fromOffset, partition) => ({ topic: topics.receipts, partition, fromOffset }));
    const onReceipts = (batch: ReadBatch): void => this.#onReceipts(batch);
    this.#readers.push(
      // Only a replica that waits for the other one needs to see its receipts at once.
      await log.read(
        { name: 'enforcer-tail', assignments: tail, onBatch: onReceipts, patient: this.#options.publishDelayMs === 0 },
        startDeadlineMs,
      ),
    );
    const changes = [...this.#lanes].map(([partition, { worker }]) => {
      return { topic: topics.changes, partition, fromOffset: worker.fold.nextOffset };
    });
    const onBatch = (batch: ReadBatch): void => this.#lanes.get(batch.partition)?.worker.enqueue(batch.records);
    this.#changesReader = await log.read({ name: 'enforcer-changes', assignments: changes, onBatch }, startDeadlineMs);
    this.#readers.push(this.#changesReader);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#publisher.stop();
    await Promise.all(this.#readers.map((reader) => reader.close()));
    this.#readers = [];
    await this.#snapshots.close();
  }

  async #prepare(partition: number): Promise<void> {
    const { log, topics, startDeadlineMs, codec } = this.#options;
    const published = new PublishedReceipts(partition);
    const { blobs, logger } = this.#options;
    const loading = { log, codec, blobs, artifacts: this.#artifacts, logger, topics, deadlineMs: startDeadlineMs };
    const resume = await loadSnapshot(partition, loading);
    const worker = this.#makeWorker(partition, { published, resume });
    this.#lanes.set(partition, { worker, published });
    const last = await log.readLast(topics.receipts, partition, startDeadlineMs);
    if (last?.value == null) return;
    const newest = await codec.decode('ReceiptEnvelope', last.value);
    published.startAt(newest);
    if (newest.offset <= (resume?.snapshot.offset ?? -1)) await this.#compareRepeated(partition, newest);
    const end = (await log.endOffsets(topics.changes, startDeadlineMs))[partition] ?? 0;
    if (published.lastOffset < end) return;
    worker.halt(
      new ClyraError('CLY_LOG_TRUNCATED', 'receipts point past the end of clyra.changes: restore the topic first', {
        retry: 'never',
        context: { partition, receipt_offset: published.lastOffset, changes_end: end },
      }),
    );
  }

  /** The newest receipt repeats one that the snapshot covers: nothing will fold it, so it is held against the first. */
  async #compareRepeated(partition: number, newest: Receipt): Promise<void> {
    const { log, codec, topics, startDeadlineMs: deadlineMs } = this.#options;
    const first = await findReceipt(partition, newest.offset, { log, codec, topic: topics.receipts, deadlineMs });
    if (first !== undefined && digestOf(first.body) === digestOf(newest.body)) return;
    this.#lanes.get(partition)?.worker.halt(divergence(partition, newest.offset));
  }

  #makeWorker(partition: number, made: { published: PublishedReceipts; resume: Resume | undefined }): PartitionWorker {
    const { published, resume } = made;
    const { codec, clock, topics } = this.#options;
    return new PartitionWorker({
      partition,
      codec,
      artifacts: this.#artifacts,
      start: { resume, verifier: this.#verifier },
      clock,
      events: {
        onFolded: (folded, record) => this.#onFolded({ folded, record, published }),
        onWaiting: (reason) => this.#options.onPartition?.(partition, reason),
        onHalt: (error) => this.#onHalt(partition, error),
        onPressure: (high) => {
          if (high) this.#changesReader?.pause(topics.changes, partition);
          else this.#changesReader?.resume(topics.changes, partition);
        },
      },
    });
  }

  #onFolded(made: { folded: Folded; record: LogRecord; published: PublishedReceipts }): void {
    const { folded, record, published } = made;
    this.decidedCount += 1;
    if (folded.stateDigest !== undefined) this.#keepState(record.partition, folded);
    const mustPublish = published.folded(folded);
    if (folded.stateDigest !== undefined) this.#takeSnapshot(record.partition);
    if (!mustPublish) {
      // The other replica was ahead: its receipt, the same as ours, came before this fold.
      if (folded.offset > published.lastOffset) this.#standsInLog(record.partition, folded.offset);
      return;
    }
    if (folded.kind === 'poisoned') this.#quarantine.write(record, folded);
    this.#publisher.offer(record.partition, folded);
    if (this.#publisher.pendingCount >= this.#pendingCountMax) this.#holdLanes();
  }

  /** The receipts cannot be published as fast as they are made: the folds wait, and their readers after them. */
  #holdLanes(): void {
    if (this.#holding) return;
    this.#holding = true;
    for (const { worker } of this.#lanes.values()) worker.hold();
    this.#lookAgain();
  }

  #lookAgain(): void {
    this.#options.clock.after(HELD_LOOK_MS, () => {
      if (this.#stopped) return;
      if (this.#publisher.pendingCount > this.#pendingCountMax / 4) return this.#lookAgain();
      this.#holding = false;
      for (const { worker } of this.#lanes.values()) worker.release();
    });
  }

  #keepState(partition: number, folded: Folded): void {
    const tenant = this.#lanes.get(partition)?.worker.fold.tenant(folded.tenant);
    const name = stateName(folded.stateDigest ?? '');
    if (tenant === undefined || this.#knownStates.has(name)) return;
    this.#states.write(name, tenant.table.image());
  }

  /** Taken right after the cut; published when the cut's receipt stands in the log. */
  #takeSnapshot(partition: number): void {
    const snapshot = this.#lanes.get(partition)?.worker.fold.snapshot();
    if (snapshot !== undefined) this.#snapshots.taken(snapshot);
  }

  #onReceipts(batch: ReadBatch): void {
    const lane = this.#lanes.get(batch.partition);
    if (lane === undefined) return;
    for (const record of batch.records) {
      if (record.value === null) continue;
      try {
        this.#onReceipt(batch.partition, this.#options.codec.decode('ReceiptEnvelope', record.value));
      } catch (error) {
        this.#onStrange(error);
      }
    }
  }

  /** Only enforcers may write receipts: what none of them wrote is no receipt, and is told to the operator. */
  readonly #onStrange = (error: unknown): void => {
    if (!(error instanceof ClyraError)) throw error;
    this.#options.logger.error('a record on the receipts topic is no receipt', {
      code: error.code,
      error: error.message,
    });
  };

  #onReceipt(partition: number, envelope: { readonly offset: number; readonly body: Uint8Array }): void {
    const lane = this.#lanes.get(partition);
    if (lane === undefined) return;
    try {
      if (lane.published.seen(envelope.offset, envelope.body)) this.#standsInLog(partition, envelope.offset);
    } catch (error) {
      if (!(error instanceof ClyraError)) throw error;
      lane.worker.halt(error);
    }
  }

  #standsInLog(partition: number, offset: number): void {
    this.#publisher.seen(partition, offset);
    this.#snapshots.published(partition, offset);
  }

  #onHalt(partition: number, error: ClyraError): void {
    this.#publisher.drop(partition);
    this.#options.logger.error('partition stopped', { partition, code: error.code, error: error.message });
    this.#options.onPartition?.(partition, `${error.code}: ${error.message}`);
  }
}
