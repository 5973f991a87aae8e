// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../canonical/digest.ts';
import { judgeObservation, type MatchReason, type MatchStatus } from './judge-observation.ts';
import { type LedgerGrant, type PendingObservation, relationName } from './ledger-entry.ts';

/** Member names as on the recorder's API. Provisional: what counts is the verdict in the tenant's journal. */
export type Finding = {
  readonly source_id: string;
  readonly observation_id: string;
  readonly status: Exclude<MatchStatus, 'matched'>;
  readonly reason: MatchReason;
  readonly event_id: string | null;
  readonly receipt_id: string | null;
  readonly token_hash: Digest | null;
  /** Milliseconds, the source's clock. */
  readonly committed_at: number;
  /** Milliseconds, the recorder's clock. */
  readonly found_at: number;
  /** The guarded ones that it touched, `schema.name`. */
  readonly relations: readonly string[];
};

export type LiveCounts = Readonly<Record<MatchStatus, number>> & {
  /** Observations that were not judged here, because too many waited. */
  readonly unjudged: number;
};

export type LiveLimits = {
  readonly findingsMax: number;
  readonly grantsMax: number;
  readonly waitingMax: number;
  /** How long a token may be unknown before that is a finding: receipts are read beside the source's log. */
  readonly patienceMs: number;
};

export const DEFAULT_LIVE_LIMITS: LiveLimits = {
  findingsMax: 1_000,
  grantsMax: 65_536,
  waitingMax: 10_000,
  patienceMs: 2_000,
};

/**
 * A grant expired so long ago is forgotten: its late use is `claimed_unproved` here, and named in the journal. A
 * warehouse's history may be three hours behind what happened.
 */
const MEMORY_MS = 14_400_000;

/** Of the grants that fit, when they no longer do. */
const KEPT_SHARE = 15 / 16;

type Waiting = { readonly observation: PendingObservation; readonly sinceMs: number };

/**
 * The findings of one tenant while its sources run: each observation is judged by the rule of the journal as soon as
 * what it claims can be known, in seconds instead of at the next cut. A pure fold of grants, observations and time.
 */
export class LiveFindings {
  readonly #limits: LiveLimits;
  readonly #grants = new Map<Digest, LedgerGrant>();
  readonly #findings: Finding[] = [];
  readonly #counts: Record<MatchStatus | 'unjudged', number> = {
    matched: 0,
    exceeded: 0,
    reused: 0,
    unattributed: 0,
    claimed_unproved: 0,
    unjudged: 0,
  };
  #waiting: Waiting[] = [];

  constructor(limits: Partial<LiveLimits> = {}) {
    this.#limits = { ...DEFAULT_LIVE_LIMITS, ...limits };
  }

  /** Newest first. */
  get findings(): readonly Finding[] {
    return this.#findings.toReversed();
  }

  get counts(): LiveCounts {
    return this.#counts;
  }

  grant(grant: LedgerGrant, nowMs: number): void {
    if (this.#grants.has(grant.token_hash)) return;
    if (this.#grants.size >= this.#limits.grantsMax) this.#forget(nowMs);
    this.#grants.set(grant.token_hash, grant);
  }

  /**
   * `observation.relations` are those that it touched and that are guarded; none is no finding. `isCaughtUp`: every
   * receipt that was in the log when the recorder started is known.
   */
  observed(observation: PendingObservation, nowMs: number, isCaughtUp: boolean): void {
    if (observation.relations.length === 0) return;
    const isKnown = observation.token_hashes.every((token) => this.#grants.has(token));
    if (isKnown && (isCaughtUp || observation.token_hashes.length === 0)) {
      this.#judge(observation, nowMs);
    } else if (this.#waiting.length >= this.#limits.waitingMax) {
      this.#counts.unjudged += 1;
    } else {
      this.#waiting.push({ observation, sinceMs: nowMs });
    }
  }

  /** Judges in order what waited for a receipt that has come, or waited long enough. */
  settle(nowMs: number, isCaughtUp: boolean): void {
    if (!isCaughtUp) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const one of waiting) {
      const isKnown = one.observation.token_hashes.every((token) => this.#grants.has(token));
      if (isKnown || nowMs - one.sinceMs >= this.#limits.patienceMs) this.#judge(one.observation, nowMs);
      else this.#waiting.push(one);
    }
  }

  #judge(observation: PendingObservation, nowMs: number): void {
    const { status, reason, event_id, receipt_id, token_hash, uses } = judgeObservation(observation, this.#grants);
    for (const token of uses) {
      const grant = this.#grants.get(token);
      if (grant !== undefined) this.#grants.set(token, { ...grant, used_by: observation.observation_id });
    }
    this.#counts[status] += 1;
    if (status === 'matched') return;
    const { source_id, observation_id, committed_at, relations } = observation;
    this.#findings.push({
      source_id,
      observation_id,
      status,
      reason,
      event_id,
      receipt_id,
      token_hash,
      committed_at,
      found_at: nowMs,
      relations: relations.map(relationName),
    });
    if (this.#findings.length > this.#limits.findingsMax) this.#findings.shift();
  }

  /**
   * Expired ones first; where all still hold, the oldest: a use of it is then a finding, which is the safe side. Makes
   * room for many at once: looking at all of them for each grant would hold up everything else.
   */
  #forget(nowMs: number): void {
    for (const [token, grant] of this.#grants) if (grant.expires_at + MEMORY_MS < nowMs) this.#grants.delete(token);
    const kept = Math.min(this.#limits.grantsMax - 1, Math.floor(this.#limits.grantsMax * KEPT_SHARE));
    for (const token of this.#grants.keys()) {
      if (this.#grants.size <= kept) return;
      this.#grants.delete(token);
    }
  }
}
