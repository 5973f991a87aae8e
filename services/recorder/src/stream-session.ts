// SPDX-License-Identifier: Apache-2.0
import type { KeyObject } from 'node:crypto';
import type { CommittedTransaction } from '@clyra/adapter-postgres/committed-transaction';
import { formatLsn, type LsnText, parseLsn } from '@clyra/adapter-postgres/lsn';
import type { ReplicationOptions, ReplicationStream } from '@clyra/adapter-postgres/replication-stream';
import { checkContinuity, requireContinuity } from '@clyra/adapter-postgres/slot-continuity';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Clock } from '@clyra/core/ports/clock';
import { type Coverage, coverageDraft } from './observation/coverage-body.ts';
import type { ObservationDraft, SourceIdentity, TransactionDraft } from './observation/observation-draft.ts';
import type { ObservationWriter } from './observation/observation-writer.ts';
import { watermarkDraft } from './observation/position-bodies.ts';
import { transactionDraft } from './observation/transaction-body.ts';
import type { SourcePosition } from './position/source-position.ts';
import { Watermarks } from './position/watermarks.ts';
import type { SourceMark, SourcePort } from './source/source-port.ts';

export type SessionEvents = {
  readonly onPublished: (kind: ObservationDraft['kind'], commitTimeMs: number | undefined) => void;
  /** A transaction that this stream wrote, once the log has it. */
  readonly onTransaction: (draft: TransactionDraft) => void;
  /** A transaction that the log has already. */
  readonly onRepeated: () => void;
  readonly onWatermark: (coversUntilMs: number) => void;
  /** The publication was as it is to be when the source's log had come to the mark's position. */
  readonly onShown: (mark: SourceMark) => void;
  /** Why no watermark can be made just now; undefined when it can again. */
  readonly onMarkTrouble: (error: ClyraError | undefined) => void;
};

export type SessionOptions = {
  readonly identity: SourceIdentity;
  readonly partition: number;
  readonly source: SourcePort;
  readonly position: SourcePosition;
  readonly writer: ObservationWriter;
  readonly clock: Clock;
  readonly watermarkIntervalMs: number;
  /** How the publication shows what is guarded while this stream runs. */
  readonly publicationState: string;
  readonly events: SessionEvents;
};

type Admitted = Parameters<NonNullable<ReplicationOptions['admit']>>[0];

/**
 * One replication stream from its start to its loss. Nothing is confirmed to PostgreSQL before the log has it, and
 * nothing that the log has is written again: what PostgreSQL sends once more ends at or before `handled`.
 */
export class StreamSession {
  /** Rejects when the stream is lost, or an observation cannot be written. */
  readonly ended: Promise<never>;
  readonly #options: SessionOptions;
  readonly #marks = new Watermarks();
  #stream: ReplicationStream | undefined;
  /** Transactions that came before the log was read back; null once it was. */
  #held: CommittedTransaction[] | null = [];
  #deliveredLsn = 0n;
  #confirmedLsn = 0n;
  #watermarkInFlight = false;
  #covered: string | undefined;
  #over = false;
  #confirmsSoon = false;
  #cancelTick = (): void => {};
  #reject: (error: ClyraError) => void = () => {};
  readonly #onRefused = (error: unknown): void => this.#fail(error);
  readonly #onTransactionDurable = (draft: TransactionDraft): void => {
    const { events } = this.#options;
    events.onPublished('transaction', draft.effect.committed_at);
    events.onTransaction(draft);
  };

  constructor(options: SessionOptions) {
    this.#options = options;
    this.ended = new Promise((_, reject) => {
      this.#reject = reject;
    });
    this.ended.catch(() => undefined);
  }

  /** Rejects with CLY_SOURCE_GAP where the slot does not continue from the position, and as the stream does. */
  async open(digestKey: KeyObject): Promise<void> {
    this.#stream = await this.#options.source.open({
      digestKey,
      admit: (source) => this.#admit(source),
      onTransaction: (transaction) => this.#onTransaction(transaction),
      onKeepalive: (lsn) => this.#onKeepalive(lsn),
      onLost: (error) => this.#fail(error),
    });
  }

  /** The position is what the log holds, now that nobody else reads the slot: writing begins. */
  goLive(coverage: Coverage | undefined): void {
    // Before the first transaction: a reader learns what is shown to it before it is shown anything.
    this.cover(coverage);
    const held = this.#held ?? [];
    this.#held = null;
    for (const transaction of held) this.#take(transaction);
    this.#tick();
  }

  /** Says what is observed from here on, where that is not what this stream said last. */
  cover(coverage: Coverage | undefined): void {
    const { identity, position, events } = this.#options;
    const { incarnation, handledLsn } = position;
    const text = JSON.stringify(coverage);
    if (this.#over || coverage === undefined || incarnation === undefined || text === this.#covered) return;
    this.#covered = text;
    const draft = coverageDraft(identity, { ...incarnation, lsn: formatLsn(handledLsn) }, coverage);
    this.#write(draft, handledLsn, () => events.onPublished('coverage', undefined));
  }

  /** Ends the stream because of what was found beside it. */
  fail(error: ClyraError): void {
    this.#fail(error);
  }

  /** Takes nothing more; what is on its way is still confirmed. */
  quiesce(): void {
    this.#over = true;
    this.#cancelTick();
  }

  async close(): Promise<void> {
    this.quiesce();
    await this.#stream?.close();
  }

  #admit({ system, slot }: Admitted): void {
    const { position } = this.#options;
    requireContinuity(checkContinuity(position.checkpoint, system, slot));
    const start = slot.confirmedFlushLsn ?? '0/0';
    if (position.incarnation === undefined) position.begin(system, start);
    this.#deliveredLsn = parseLsn(start);
    this.#confirmedLsn = this.#deliveredLsn;
  }

  #onTransaction(transaction: CommittedTransaction): void {
    if (this.#over) return;
    if (this.#held === null) this.#take(transaction);
    else this.#held.push(transaction);
  }

  #take(transaction: CommittedTransaction): void {
    const { identity, position, events } = this.#options;
    const lsn = parseLsn(transaction.commitEndLsn);
    this.#deliveredLsn = lsn;
    if (lsn > position.handledLsn) {
      const draft = transactionDraft(identity, transaction);
      position.handle(lsn);
      this.#write(draft, lsn, this.#onTransactionDurable);
    } else {
      events.onRepeated();
      this.#confirm();
    }
    this.#publishWatermark();
  }

  #onKeepalive(lsn: LsnText): void {
    if (this.#over || this.#held !== null) return;
    const position = parseLsn(lsn);
    if (position > this.#deliveredLsn) this.#deliveredLsn = position;
    this.#options.position.handle(position);
    this.#confirm();
    this.#publishWatermark();
  }

  #write<Draft extends ObservationDraft>(draft: Draft, lsn: bigint, onDurable: (draft: Draft) => void): void {
    const { writer, partition, position } = this.#options;
    writer.add(draft, partition, {
      succeed: ({ offset }) => {
        position.settle(lsn, offset);
        this.#confirmSoon();
        onDurable(draft);
      },
      fail: this.#onRefused,
    });
  }

  /** Once for all records of a send. */
  #confirmSoon(): void {
    if (this.#confirmsSoon) return;
    this.#confirmsSoon = true;
    queueMicrotask(() => {
      this.#confirmsSoon = false;
      this.#confirm();
    });
  }

  /** Never beyond what this stream delivered: the log may be ahead of a slot that was not told in time. */
  #confirm(): void {
    let lsn = this.#options.position.durableLsn;
    if (lsn > this.#deliveredLsn) lsn = this.#deliveredLsn;
    if (this.#stream === undefined || lsn <= this.#confirmedLsn) return;
    this.#confirmedLsn = lsn;
    this.#stream.confirm(formatLsn(lsn));
  }

  #tick(): void {
    if (this.#over) return;
    const { source, clock, watermarkIntervalMs, events } = this.#options;
    const startedMs = clock.nowMs();
    const again = (): void => {
      if (this.#over) return;
      const elapsedMs = Math.max(0, clock.nowMs() - startedMs);
      this.#cancelTick = clock.after(Math.max(0, watermarkIntervalMs - elapsedMs), () => this.#tick());
    };
    source.mark().then(
      (mark) => {
        events.onMarkTrouble(undefined);
        this.#onMark(mark);
        again();
      },
      (error: ClyraError) => {
        events.onMarkTrouble(error);
        again();
      },
    );
  }

  #onMark(mark: SourceMark): void {
    if (this.#over) return;
    if (!this.#options.position.isIn(mark)) {
      const message = 'the connection leads to another server than the stream: both are opened again';
      this.#fail(new ClyraError('CLY_SOURCE_MOVED', message, { retry: 'backoff' }));
      return;
    }
    if (mark.publicationState !== this.#options.publicationState) {
      // Nothing of this mark is claimed: what was written meanwhile may not have been shown.
      const message = 'the publication was altered: it is looked at again, and what it may have hidden is a gap';
      this.#fail(new ClyraError('CLY_SOURCE_PUBLICATION_CHANGED', message, { retry: 'backoff' }));
      return;
    }
    this.#options.events.onShown(mark);
    this.#marks.add(mark);
    this.#publishWatermark();
  }

  /**
   * A mark that the stream has passed. Its record is written after those of all transactions it covers, to the same
   * partition and in order, so it can never stand in the log without them. The position in it is the newest one known
   * to be read completely, so that an idle slot may be confirmed up to there and still continue after a restart.
   */
  #publishWatermark(): void {
    const { identity, position, events } = this.#options;
    if (this.#over || this.#held !== null || this.#watermarkInFlight) return;
    const { incarnation, handledLsn } = position;
    const mark = incarnation === undefined ? undefined : this.#marks.passed(handledLsn);
    if (incarnation === undefined || mark === undefined) return;
    this.#watermarkInFlight = true;
    const { coversUntilMs } = mark;
    const draft = watermarkDraft(identity, { ...incarnation, lsn: formatLsn(handledLsn), coversUntilMs });
    this.#write(draft, handledLsn, () => {
      this.#watermarkInFlight = false;
      events.onPublished('watermark', undefined);
      events.onWatermark(coversUntilMs);
      this.#publishWatermark();
    });
  }

  #fail(error: unknown): void {
    if (!(error instanceof ClyraError)) throw error;
    this.quiesce();
    this.#reject(error);
  }
}
