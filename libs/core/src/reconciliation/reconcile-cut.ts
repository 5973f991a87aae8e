// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../canonical/digest.ts';
import { judgeObservation, type Verdict } from './judge-observation.ts';
import type { LedgerGrant, PendingObservation, Watermark } from './ledger-entry.ts';

/** How long a grant of a silent source is remembered after it expired, in milliseconds of the log's time. */
export const GRANT_MEMORY_MS = 86_400_000;
/** And how far beyond its end a source must have told everything, so that no honest use can still come. */
export const GRANT_GRACE_MS = 60_000;

export type CutInput = {
  /** In leaf order. */
  readonly pending: readonly PendingObservation[];
  readonly grants: ReadonlyMap<Digest, LedgerGrant>;
  /** By source. */
  readonly watermarks: ReadonlyMap<string, Watermark>;
  /** The cut's append time in milliseconds. */
  readonly appendTimeMs: number;
};

export type Judged = { readonly observation: PendingObservation; readonly verdict: Verdict };

export type CutResult = {
  /** In leaf order. */
  readonly judged: readonly Judged[];
  readonly pending: readonly PendingObservation[];
  readonly grants: ReadonlyMap<Digest, LedgerGrant>;
};

/**
 * Reconciles at a cut (docs/spec/journal.md §5): every observation that the log had by then is judged once, each grant
 * is used once, and grants that no honest transaction can use any more are dropped.
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
    const verdict = judgeObservation(observation, grants);
    for (const token of verdict.uses) {
      grants.set(token, { ...(grants.get(token) as LedgerGrant), used_by: observation.observation_id });
    }
    judged.push({ observation, verdict });
  }
  for (const [token, grant] of grants) {
    const coversUntilMs = input.watermarks.get(grant.source_id)?.covers_until ?? 0;
    const isOver = coversUntilMs > grant.expires_at + GRANT_GRACE_MS;
    if (isOver || grant.expires_at + GRANT_MEMORY_MS < input.appendTimeMs) grants.delete(token);
  }
  return { judged, pending, grants };
}
