// SPDX-License-Identifier: Apache-2.0
import { LineSignatures } from '@clyra/core/evidence/line-signatures';
import { ClyraError } from '@clyra/core/kernel/error';
import type { LogAppender, LogReader, LogRecord } from '@clyra/core/ports/record-log';
import { Persistence } from '@clyra/runtime/persistence';
import { RecordQueue } from '@clyra/runtime/record-queue';
import { BundleWriter, type WrittenBundle } from './bundle-writer.ts';
import type { BundlerLimits, BundlerOptions } from './bundler-options.ts';
import type { PartitionStatus, TenantStatus } from './bundler-status.ts';
import type { ChangePairs } from './change-pairs.ts';
import { DocumentStore } from './document-store.ts';
import { JournalFollower } from './journal-follower.ts';
import { LaneSources } from './lane-sources.ts';
import type { JournalMark } from './position/lane-position.ts';
import { type OpenedPosition, PositionKeeper } from './position/position-keeper.ts';
import { Quarantine } from './quarantine.ts';
import type { SealedHistory } from './sealed-history.ts';
import { type SequencedTenant, Sequencer } from './sequencer.ts';
import { TenantLog } from './tenant-log.ts';
import { Wakeup } from './wakeup.ts';

export type LaneOptions = {
  readonly partition: number;
  readonly bundler: BundlerOptions;
  readonly limits: BundlerLimits;
  readonly history: SealedHistory;
  /** The journal's end at the start, asked for after the history was read. */
  readonly journalEnd: number;
  readonly journalStart: number;
  readonly opened: OpenedPosition;
  readonly bundlesPartition: number;
  readonly appenders: { readonly bundles: LogAppender; readonly quarantine: LogAppender };
};

/**
 * One partition: first the journal is read back to its end and must lead to everything that was signed; then the
 * sources are read on from where it ends, sequenced, and read back again. Trouble here stops only this partition.
 */
export class PartitionLane {
  readonly #options: LaneOptions;
  readonly #persistence: Persistence;
  readonly #documents: DocumentStore;
  readonly #signatures = new LineSignatures();
  readonly #follower: JournalFollower;
  readonly #writer: BundleWriter;
  readonly #journal: RecordQueue;
  readonly #wakeup: Wakeup;
  readonly #keeper: PositionKeeper;
  #journalReader: LogReader | undefined;
  #sources: LaneSources | undefined;
  #appender: LogAppender | undefined;
  #pairs: ChangePairs | undefined;
  #interrupted = false;
  #state: PartitionStatus['state'] = 'replaying';
  #reason: string | undefined = 'replaying the journal';
  #work: Promise<void> = Promise.resolve();

  constructor(options: LaneOptions) {
    const { bundler, partition, limits } = options;
    this.#options = options;
    const onWaiting = (reason: string | undefined): void => this.#tell(reason);
    this.#persistence = new Persistence({ clock: bundler.clock, logger: bundler.logger, onWaiting });
    this.#documents = new DocumentStore(bundler.blobs);
    this.#writer = new BundleWriter(bundler, this.#documents, this.#persistence);
    this.#wakeup = new Wakeup(bundler.clock);
    const { codec, topics } = bundler;
    const openTenant = (tenant: string, at: JournalMark): TenantLog => this.#openTenant(tenant, at);
    const from = options.opened.position?.journal ?? beginningAt(options.journalStart);
    const persistence = this.#persistence;
    this.#follower = new JournalFollower({ codec, topics, partition, from, persistence, openTenant });
    const { clock, logger, positions: store } = bundler;
    this.#keeper = new PositionKeeper({ store, partition, clock, logger, everyMs: limits.positionMs });
    const queueLimits = { recordsMax: limits.queueRecordsMax, bytesMax: limits.queueBytesMax };
    this.#journal = new RecordQueue(queueLimits, (high) => {
      if (high) this.#journalReader?.pause(topics.journal, partition);
      else this.#journalReader?.resume(topics.journal, partition);
    });
  }

  /** Starts folding. `reader` delivers the journal to `onJournal`. */
  start(reader: LogReader): void {
    this.#journalReader = reader;
    this.#tell('replaying the journal');
    this.#work = this.#guarded(() => this.#follow());
  }

  onJournal(records: readonly LogRecord[]): void {
    this.#journal.push(records);
  }

  async stop(): Promise<void> {
    this.#persistence.stop();
    this.#journal.close();
    this.#wakeup.call();
    await this.#sources?.close();
    await this.#work;
    // A fold that was interrupted in the middle of a line is ahead of what it has written.
    if (!this.#interrupted && this.#pairs !== undefined) await this.#keeper.save(this.#follower, this.#pairs.marks);
    await this.#appender?.close();
  }

  status(): PartitionStatus {
    const { partition } = this.#options;
    const { changes, observations, nextOffset } = this.#follower;
    return {
      partition,
      state: this.#state,
      reason: this.#reason ?? null,
      sequenced: { changes: changes.newest, observations: observations.newest },
      journal_end: nextOffset,
    };
  }

  tenants(): readonly TenantStatus[] {
    const { partition } = this.#options;
    return [...this.#follower.tenants].map(([tenant, { fold, newestBundle }]) => ({
      tenant,
      partition,
      leaves: fold.size,
      bundle: newestBundle === undefined ? null : bundleStatus(newestBundle),
      reconciliation: fold.reconciliation ?? null,
    }));
  }

  /** Reads the journal back for ever; at its end of the start it lets the sequencer begin. */
  async #follow(): Promise<void> {
    const { journalEnd } = this.#options;
    await this.#resume();
    let sequencing: Promise<void> | undefined;
    for (;;) {
      if (sequencing === undefined && this.#follower.nextOffset >= journalEnd) {
        this.#requireHistory();
        sequencing = this.#guarded(() => this.#sequence());
      }
      const record = await this.#journal.next();
      if (record === undefined) break;
      await this.#follower.accept(record);
      if (this.#pairs !== undefined) await this.#keeper.saveWhenDue(this.#follower, this.#pairs.marks);
    }
    await sequencing;
  }

  /** Tenants go on where a saved position says; where it cannot be trusted, nothing goes on. */
  async #resume(): Promise<void> {
    const { position, trouble } = this.#options.opened;
    if (trouble !== undefined) throw trouble;
    for (const saved of position?.tenants ?? []) {
      const log = this.#openTenant(saved.tenant, saved.cut);
      this.#follower.tenants.set(saved.tenant, log);
      await log.resume(saved);
    }
  }

  #requireHistory(): void {
    const { history, partition } = this.#options;
    for (const [tenant, { last, partition: ofTenant }] of history) {
      if (ofTenant !== partition) continue;
      (this.#follower.tenants.get(tenant) ?? this.#openTenant(tenant, this.#follower.mark())).requireWhole(last.size);
    }
  }

  async #sequence(): Promise<void> {
    const sequencer = await this.#openSources();
    this.#state = 'live';
    this.#tell(undefined);
    while (!this.#persistence.stopping && this.#state === 'live') {
      this.#wakeup.reset();
      if (!(await sequencer.pump())) await this.#wakeup.wait(sequencer.recheckMs);
    }
  }

  async #openSources(): Promise<Sequencer> {
    const { bundler, partition, limits, appenders } = this.#options;
    const { log, topics, codec, clock } = bundler;
    const persistence = this.#persistence;
    // Positions and tenants are taken in one moment: the journal goes on while the sources are opened.
    const sequenced = { change: this.#follower.changes.newest, observation: this.#follower.observations.newest };
    const tenants = this.#sequencedTenants();
    const onRecords = (): void => this.#wakeup.call();
    const receipts = this.#options.opened.position?.receipts ?? null;
    const sources = new LaneSources({ partition, bundler, limits, persistence, sequenced, receipts, onRecords });
    this.#sources = sources;
    this.#appender = log.appender(`bundler-journal-${partition}`);
    const { sendDeadlineMs } = limits;
    const pairs = await sources.open();
    this.#pairs = pairs;
    return new Sequencer(
      {
        codec,
        topics,
        clock,
        partition,
        limits,
        appender: this.#appender,
        pairs,
        observations: sources.observations,
        tenants,
        documents: this.#documents,
        persistence,
        signatures: this.#signatures,
        quarantine: new Quarantine({ bundler, appender: appenders.quarantine, persistence, sendDeadlineMs }),
      },
      sequenced,
    );
  }

  #sequencedTenants(): Map<string, SequencedTenant> {
    const tenants = new Map<string, SequencedTenant>();
    for (const [tenant, { fold, trustRoot }] of this.#follower.tenants) {
      if (trustRoot !== undefined && fold.chain !== undefined)
        tenants.set(tenant, { trustRoot, chain: fold.chain.copy() });
    }
    return tenants;
  }

  #openTenant(tenant: string, cut: JournalMark): TenantLog {
    const { bundler, history, limits } = this.#options;
    return new TenantLog({
      tenant,
      history: history.get(tenant),
      cut,
      blobs: bundler.blobs,
      documents: this.#documents,
      persistence: this.#persistence,
      signatures: this.#signatures,
      writer: this.#writer,
      spoolBytesMax: limits.spoolBytesMax,
      onBundle: (bundle) => this.#publish(bundle),
    });
  }

  async #publish({ tenant, origin, start, end, manifestDigest, location }: WrittenBundle): Promise<void> {
    const { bundler, appenders, bundlesPartition, limits } = this.#options;
    const value = bundler.codec.encode('BundleEnvelope', {
      tenant,
      origin,
      range_start: start,
      range_end: end,
      manifest_digest: manifestDigest,
      location,
    });
    const records = [{ key: Buffer.from(tenant, 'utf8'), value }];
    const batches = [{ topic: bundler.topics.bundles, partition: bundlesPartition, records }];
    await this.#persistence.until('bundle send', () => appenders.bundles.append(batches, limits.sendDeadlineMs));
    bundler.logger.info('bundle announced', { tenant, start, end, location });
    bundler.onSealed?.({ tenant, start, end });
  }

  /** A loop's end by error: the partition stops with its code, a bug ends the process. */
  async #guarded(loop: () => Promise<void>): Promise<void> {
    try {
      await loop();
    } catch (error) {
      this.#interrupted = true;
      if (!(error instanceof ClyraError)) this.#options.bundler.onBug(error);
      else if (error.code !== 'CLY_SERVICE_STOPPING') this.#halt(error);
    }
  }

  #halt(error: ClyraError): void {
    if (this.#state === 'stopped') return;
    const { bundler, partition } = this.#options;
    this.#state = 'stopped';
    bundler.logger.error('partition stopped', { partition, code: error.code, error: error.message });
    this.#tell(`${error.code}: ${error.message}`);
    this.#journal.close();
    this.#wakeup.call();
    this.#journalReader?.pause(bundler.topics.journal, partition);
    void this.#sources?.close();
  }

  /** A stopped partition keeps its reason. */
  #tell(reason: string | undefined): void {
    if (this.#state === 'stopped' && this.#reason?.startsWith('CLY_')) return;
    this.#reason = reason ?? (this.#state === 'replaying' ? 'replaying the journal' : undefined);
    this.#options.bundler.onPartition?.(this.#options.partition, this.#reason);
  }
}

function beginningAt(journalStart: number): JournalMark {
  return { next_offset: journalStart, changes: -1, observations: -1, last: null };
}

function bundleStatus({
  start,
  end,
  location,
  origin,
  manifestDigest,
}: WrittenBundle): NonNullable<TenantStatus['bundle']> {
  return { start, end, location, origin, manifest_digest: manifestDigest };
}
