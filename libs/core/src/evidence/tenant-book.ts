// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../canonical/digest.ts';
import type { GuardedSource } from '../policy/policy.ts';
import type { LedgerGrant, PendingObservation, Watermark } from '../reconciliation/ledger-entry.ts';
import { type Judged, reconcileCut } from '../reconciliation/reconcile-cut.ts';
import { ChainTracker } from './chain-tracker.ts';
import type { DecidedLine, ObservedLine } from './journal-line.ts';
import { ascending, type Ledger } from './ledger.ts';

/** The ledger while it is being written: what the fold of a tenant's lines carries on, and nothing else. */
export class TenantBook {
  readonly chain: ChainTracker;
  #policy: Digest | null;
  #guarded: readonly GuardedSource[];
  #grants: Map<Digest, LedgerGrant>;
  #pending: PendingObservation[];
  readonly #watermarks: Map<string, Watermark>;
  #lastAppendTimeMs: number;

  constructor(tenant: string, streamId: string, ledger?: Ledger) {
    this.chain =
      ledger === undefined
        ? ChainTracker.atGenesis(tenant, streamId)
        : new ChainTracker({
            tenant,
            streamId,
            chain: ledger.chain,
            runs: new Map(ledger.runs.map(({ run_id: runId, next_seq, head }) => [runId, { next_seq, head }])),
            lastOffset: ledger.last_offset,
          });
    this.#policy = ledger?.policy ?? null;
    this.#guarded = ledger?.guarded ?? [];
    this.#grants = new Map(ledger?.grants.map((grant) => [grant.token_hash, grant]));
    this.#pending = [...(ledger?.pending ?? [])];
    this.#watermarks = new Map(ledger?.watermarks.map((watermark) => [watermark.source_id, watermark]));
    this.#lastAppendTimeMs = ledger?.last_append_time ?? 0;
  }

  get policy(): Digest | null {
    return this.#policy;
  }

  get guarded(): readonly GuardedSource[] {
    return this.#guarded;
  }

  get watermarks(): ReadonlyMap<string, Watermark> {
    return this.#watermarks;
  }

  get pendingCount(): number {
    return this.#pending.length;
  }

  get unusedGrantCount(): number {
    return [...this.#grants.values()].filter((grant) => grant.used_by === null).length;
  }

  decided({ receipt: { body }, appendTimeMs }: DecidedLine): void {
    this.#lastAppendTimeMs = appendTimeMs;
    if (body.kind !== 'decided' || body.decision !== 'allow' || body.change_kind !== 'change.requested') return;
    for (const grant of body.grants ?? []) {
      // A token names one grant for good: a second one under the same token must not renew a used one.
      if (this.#grants.has(grant.token_hash)) continue;
      this.#grants.set(grant.token_hash, {
        token_hash: grant.token_hash,
        event_id: body.event_id,
        receipt_id: body.receipt_id,
        source_id: grant.source_id,
        relations: grant.relations,
        operations: grant.operations,
        rows_max: grant.rows_max,
        not_before: body.decided_at,
        expires_at: grant.expires_at,
        used_by: null,
      });
    }
  }

  activate(policy: Digest, guarded: readonly GuardedSource[]): void {
    this.#policy = policy;
    this.#guarded = guarded;
  }

  observed({ observation: { body }, appendTimeMs }: ObservedLine, leaf: number): void {
    if (body.kind === 'watermark') {
      const { source_id, lsn, covers_until } = body;
      this.#watermarks.set(source_id, { source_id, lsn, covers_until });
    } else if (body.kind === 'transaction') {
      this.#pending.push({
        observation_id: body.observation_id,
        leaf,
        append_time: appendTimeMs,
        source_id: body.source_id,
        committed_at: body.committed_at,
        relations: body.relations.map(({ rows_digest: _, ...effect }) => effect),
        token_hashes: body.token_hashes,
      });
    }
  }

  /** Judges at a cut, in leaf order, what the log had by then. */
  reconcile(appendTimeMs: number): readonly Judged[] {
    const result = reconcileCut({ guarded: this.#guarded, pending: this.#pending, grants: this.#grants, appendTimeMs });
    this.#pending = [...result.pending];
    this.#grants = new Map(result.grants);
    return result.judged;
  }

  ledger(): Ledger {
    return {
      chain: this.chain.chain,
      runs: ascending(this.chain.runs).map(([runId, run]) => ({ run_id: runId, ...run })),
      policy: this.#policy,
      guarded: this.#guarded,
      grants: ascending(this.#grants).map(([, grant]) => grant),
      pending: this.#pending,
      watermarks: ascending(this.#watermarks).map(([, watermark]) => watermark),
      last_append_time: this.#lastAppendTimeMs,
      last_offset: this.chain.lastOffset,
    };
  }
}
