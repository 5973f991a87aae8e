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
  readonly watermarks: ReadonlyMap<string, Watermark>;
  /** Append time (ms) of the last outcome before the cut; undefined where there is none. */
  readonly lastOutcomeMs: number | undefined;
};

/**
 * `final` when every guarded source says that its log is complete beyond the last outcome (docs/spec/bundle.md §4).
 * A guarded source that has said nothing yet keeps a bundle provisional.
 */
export function reconciliationState(horizon: Horizon): 'final' | 'provisional' {
  const { lastOutcomeMs } = horizon;
  if (lastOutcomeMs === undefined) return 'final';
  const covered = horizon.guarded.every(
    ({ source_id: sourceId }) => (horizon.watermarks.get(sourceId)?.covers_until ?? -1) >= lastOutcomeMs,
  );
  return covered ? 'final' : 'provisional';
}
