// SPDX-License-Identifier: Apache-2.0
import type { GuardedSource } from '../policy/policy.ts';
import type { MatchStatus } from './judge-observation.ts';
import type { Watermark } from './ledger-entry.ts';

/** The counts of one range; `guarded` is the sum of all statuses. */
export type MatchCounts = { observations: number; guarded: number } & Record<MatchStatus, number>;

export function noMatches(): MatchCounts {
  return { observations: 0, guarded: 0, matched: 0, exceeded: 0, reused: 0, unattributed: 0, claimed_unproved: 0 };
}

export type Horizon = {
  readonly guarded: readonly GuardedSource[];
  readonly registered: ReadonlySet<string>;
  readonly watermarks: ReadonlyMap<string, Watermark>;
  /** Append time (ms) of the last outcome before the cut; undefined where there is none. */
  readonly lastOutcomeMs: number | undefined;
};

/**
 * `final` when every registered source that is guarded says that its log is complete beyond the last outcome
 * (docs/spec/bundle.md §4); a source that has said nothing yet keeps a bundle provisional.
 */
export function reconciliationState(horizon: Horizon): 'final' | 'provisional' {
  const { lastOutcomeMs, registered, watermarks } = horizon;
  if (lastOutcomeMs === undefined) return 'final';
  const behind = horizon.guarded.some(({ source_id: sourceId }) => {
    const watermark = watermarks.get(sourceId);
    const known = watermark !== undefined || registered.has(sourceId);
    return known && (watermark?.covers_until ?? -1) < lastOutcomeMs;
  });
  return behind ? 'provisional' : 'final';
}
