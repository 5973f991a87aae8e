// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../canonical/digest.ts';
import type { GuardedSource } from '../policy/policy.ts';
import { judgeObservation, type Verdict } from './judge-observation.ts';
import type { LedgerGrant, PendingObservation } from './ledger-entry.ts';

/** How long a grant is remembered after it expired, in milliseconds of the log's time: a late use is still named. */
export const GRANT_MEMORY_MS = 86_400_000;

export type CutInput = {
  readonly guarded: readonly GuardedSource[];
  /** In leaf order. */
  readonly pending: readonly PendingObservation[];
  readonly grants: ReadonlyMap<Digest, LedgerGrant>;
  /** The cut's append time in milliseconds. */
  readonly appendTimeMs: number;
};

export type Judged = { readonly observation: PendingObservation; readonly verdict: Verdict };

export type CutResult = {
  /** In leaf order: only what touched something guarded. */
  readonly judged: readonly Judged[];
  readonly pending: readonly PendingObservation[];
  readonly grants: ReadonlyMap<Digest, LedgerGrant>;
};

/**
 * Reconciles at a cut (docs/spec/bundle.md §4): every observation that the log had by then is judged once, each grant
 * is used once, and grants that expired more than a day ago are dropped.
 */
export function reconcileCut(input: CutInput): CutResult {
  const grants = new Map(input.grants);
  const judged: Judged[] = [];
  const pending: PendingObservation[] = [];
  for (const observation of input.pending) {
    if (observation.append_time > input.appendTimeMs) {
      pending.push(observation);
      continue;
    }
    const verdict = judgeObservation(observation, { guarded: input.guarded, grants });
    if (verdict === undefined) continue;
    for (const token of verdict.uses) {
      grants.set(token, { ...(grants.get(token) as LedgerGrant), used_by: observation.observation_id });
    }
    judged.push({ observation, verdict });
  }
  for (const [token, grant] of grants) {
    if (grant.expires_at + GRANT_MEMORY_MS < input.appendTimeMs) grants.delete(token);
  }
  return { judged, pending, grants };
}
