// SPDX-License-Identifier: Apache-2.0
import type { GuardedRelations } from '@clyra/adapter-postgres/publication-preflight';
import type { TopicNames } from '@clyra/core/change/topics';
import type { Clock } from '@clyra/core/ports/clock';
import type { EnvelopeCodec } from '@clyra/core/ports/envelope-codec';
import type { Logger } from '@clyra/core/ports/logger';
import type { PositionStore } from '@clyra/core/ports/position-store';
import type { RecordLog } from '@clyra/core/ports/record-log';
import type { Signer } from '@clyra/core/ports/signer';
import { FindingsDesk, type TenantFindings } from './findings/findings-desk.ts';
import { ReceiptFollower } from './findings/receipt-follower.ts';
import type { SourceIdentity, TransactionDraft } from './observation/observation-draft.ts';
import { SourceRegistrations } from './registration/source-registrations.ts';
import type { DigestKeys } from './source/digest-keys.ts';
import type { SourcePort } from './source/source-port.ts';
import type { SourceStatus } from './source-figures.ts';
import { SourceRunner } from './source-runner.ts';
import type { HistorySource } from './warehouse/history-source.ts';
import { WarehouseRunner, type WarehouseTuning } from './warehouse/warehouse-runner.ts';

/** A database whose log is streamed, or a warehouse whose history is read again and again. */
export type RecordedSource = {
  readonly identity: SourceIdentity;
  readonly guarded: GuardedRelations;
} & ({ readonly source: SourcePort } | { readonly history: HistorySource; readonly tuning: Partial<WarehouseTuning> });

export type RecorderOptions = {
  readonly log: RecordLog;
  readonly codec: EnvelopeCodec;
  readonly signer: Signer;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly topics: TopicNames;
  readonly sources: readonly RecordedSource[];
  readonly digestKeys: DigestKeys;
  /** What a publication showed is compared with what is kept here; without it that is a gap. */
  readonly positions: PositionStore;
  readonly mayPrepare: boolean;
  readonly watermarkIntervalMs: number;
  /** For each question to the log; it is asked again for ever. */
  readonly logDeadlineMs: number;
  /** Called with what keeps a source from being recorded, and with undefined when nothing does any more. */
  readonly onSource?: (identity: SourceIdentity, reason: string | undefined) => void;
};

/**
 * Publishes what each source committed as signed observations in its tenant's partition. A start reads back what
 * clyra.observations holds, compares it with the slot, and goes on from there.
 */
export class RecorderProcessor {
  readonly #options: RecorderOptions;
  readonly #runners = new Map<SourceIdentity, SourceRunner | WarehouseRunner>();
  readonly #registrations: SourceRegistrations;
  readonly #desk: FindingsDesk;
  readonly #receipts: ReceiptFollower;
  #reading: Promise<void> | undefined;

  constructor(options: RecorderOptions) {
    this.#options = options;
    const { log, codec, clock, logger, topics, sources, logDeadlineMs } = options;
    this.#desk = new FindingsDesk(clock, sources);
    const desk = this.#desk;
    this.#receipts = new ReceiptFollower({
      log,
      codec,
      clock,
      logger,
      topic: topics.receipts,
      desk,
      deadlineMs: logDeadlineMs,
    });
    for (const source of sources) this.#runners.set(source.identity, this.#runner(source));
    this.#registrations = new SourceRegistrations({
      log,
      codec,
      clock,
      logger,
      topics,
      wanted: sources.map(({ identity }) => identity),
      deadlineMs: logDeadlineMs,
      onRegistered: (identity, registration) => {
        const { sourceId: source_id, tenant } = identity;
        logger.info('source is registered', { source_id, tenant, partition: registration.partition });
        this.#receipts.follow(tenant, registration.partition);
        this.#runners.get(identity)?.start(registration);
      },
    });
  }

  /** Returns at once: sources come up by themselves, each as soon as it is registered and can be reached. */
  start(): void {
    this.#reading ??= this.#registrations.run();
    this.#desk.start();
  }

  /** Rejects nothing: what could not be sent within the deadline is sent by the next start. */
  async stop(deadlineMs: number): Promise<void> {
    this.#registrations.stop();
    this.#desk.stop();
    await this.#receipts.stop();
    await Promise.all([...this.#runners.values()].map((runner) => runner.stop(deadlineMs)));
    await this.#reading;
  }

  status(): readonly SourceStatus[] {
    return [...this.#runners.values()].map(({ figures }) => figures.status());
  }

  /** What happened beside what was permitted, by tenant. Provisional: the journal has the verdicts that count. */
  findings(): readonly TenantFindings[] {
    return this.#desk.status();
  }

  #runner(recorded: RecordedSource): SourceRunner | WarehouseRunner {
    const { log, codec, signer, clock, logger, topics, digestKeys, mayPrepare } = this.#options;
    const { watermarkIntervalMs, logDeadlineMs, positions } = this.#options;
    const { identity } = recorded;
    const common = {
      ...{ identity, log, codec, signer, clock, logger, digestKeys, logDeadlineMs },
      topic: topics.observations,
      onTransaction: (draft: TransactionDraft) => this.#desk.observed(draft),
      onReason: (reason: string | undefined) => this.#options.onSource?.(identity, reason),
    };
    return 'source' in recorded
      ? new SourceRunner({ ...common, source: recorded.source, positions, mayPrepare, watermarkIntervalMs })
      : new WarehouseRunner({ ...common, source: recorded.history, tuning: recorded.tuning });
  }
}
