// SPDX-License-Identifier: Apache-2.0
import type { Clock } from '@clyra/core/ports/clock';
import type { RecordedGap } from './gap-keeper.ts';
import type { ObservationKind, SourceIdentity } from './observation/observation-draft.ts';
import type { ObservationWriter } from './observation/observation-writer.ts';
import type { SourcePosition } from './position/source-position.ts';

export type SourceState = 'unregistered' | 'connecting' | 'streaming' | 'stopped';

/** Member names as in `GET /v1/status`; null where nothing is known yet. */
export type SourceStatus = {
  readonly source_id: string;
  readonly tenant: string;
  readonly state: SourceState;
  readonly reason: string | null;
  readonly partition: number | null;
  readonly system_id: string | null;
  readonly timeline: number | null;
  /** The newest position that is durable in the log. */
  readonly published_lsn: string | null;
  /** Milliseconds, the source's clock. */
  readonly covers_until: number | null;
  /** How far covers_until is behind now, in milliseconds. */
  readonly lag_ms: number | null;
  /** Observations waiting for the log. */
  readonly pending_count: number;
  readonly transaction_count: number;
  readonly watermark_count: number;
  /** Transactions that PostgreSQL sent again and the log had already. */
  readonly repeated_count: number;
  /** From the commit (the source's clock) to the log's answer, of the last transaction, in milliseconds. */
  readonly last_commit_to_log_ms: number | null;
  /** The newest of this process, at most 16. */
  readonly gaps: readonly RecordedGap[];
};

const GAPS_MAX = 16;

/** What one source's status page says; counts are of this process. */
export class SourceFigures {
  state: SourceState = 'unregistered';
  reason: string | undefined = 'waiting for source.registered of its tenant';
  partition: number | undefined;
  coversUntilMs: number | undefined;
  position: Pick<SourcePosition, 'incarnation' | 'durableText'> | undefined;
  writer: Pick<ObservationWriter, 'heldCount'> | undefined;
  readonly #identity: SourceIdentity;
  readonly #clock: Clock;
  readonly #counts = { transaction: 0, watermark: 0, gap: 0, coverage: 0, repeated: 0 };
  readonly #gaps: RecordedGap[] = [];
  #lastCommitToLogMs: number | undefined;

  constructor(identity: SourceIdentity, clock: Clock) {
    this.#identity = identity;
    this.#clock = clock;
  }

  published(kind: ObservationKind, commitTimeMs: number | undefined): void {
    this.#counts[kind] += 1;
    if (commitTimeMs !== undefined) this.#lastCommitToLogMs = this.#clock.nowMs() - commitTimeMs;
  }

  repeated(): void {
    this.#counts.repeated += 1;
  }

  gap(gap: RecordedGap): void {
    this.#counts.gap += 1;
    this.#gaps.push(gap);
    if (this.#gaps.length > GAPS_MAX) this.#gaps.shift();
  }

  status(): SourceStatus {
    const { coversUntilMs, position } = this;
    return {
      source_id: this.#identity.sourceId,
      tenant: this.#identity.tenant,
      state: this.state,
      reason: this.reason ?? null,
      partition: this.partition ?? null,
      system_id: position?.incarnation?.systemId ?? null,
      timeline: position?.incarnation?.timeline ?? null,
      published_lsn: position?.durableText ?? null,
      covers_until: coversUntilMs ?? null,
      lag_ms: coversUntilMs === undefined ? null : this.#clock.nowMs() - coversUntilMs,
      pending_count: this.writer?.heldCount ?? 0,
      transaction_count: this.#counts.transaction,
      watermark_count: this.#counts.watermark,
      repeated_count: this.#counts.repeated,
      last_commit_to_log_ms: this.#lastCommitToLogMs ?? null,
      gaps: this.#gaps,
    };
  }
}
