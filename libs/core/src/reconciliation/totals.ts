// SPDX-License-Identifier: Apache-2.0
import type { MatchStatus } from './judge-observation.ts';
import type { Watermark } from './ledger-entry.ts';

/** The counts of one range; `guarded` is the sum of all statuses. */
export type MatchCounts = {
  observations: number;
  guarded: number;
  /** Touching transactions for which there was no room. */
  unjudged: number;
  /** Grants for which there was no room. */
  grants_forgotten: number;
} & Record<MatchStatus, number>;

export function noMatches(): MatchCounts {
  return {
    observations: 0,
    guarded: 0,
    matched: 0,
    exceeded: 0,
    reused: 0,
    unattributed: 0,
    claimed_unproved: 0,
    unjudged: 0,
    grants_forgotten: 0,
  };
}

/** Until when (ms) every guarded source that the log knows has told everything; null where there is none. */
export function horizonOf(
  guarded: ReadonlySet<string>,
  sources: readonly { readonly source_id: string; readonly watermark: Omit<Watermark, 'source_id'> | null }[],
): number | null {
  const until = sources
    .filter(({ source_id: sourceId }) => guarded.has(sourceId))
    .map(({ watermark }) => watermark?.covers_until ?? 0);
  return until.length === 0 ? null : Math.min(...until);
}

/** `final` when no source that counts is behind the last outcome (docs/spec/journal.md §5). */
export function reconciliationState(horizonMs: number | null, lastOutcomeMs: number | null): 'final' | 'provisional' {
  return lastOutcomeMs === null || horizonMs === null || horizonMs >= lastOutcomeMs ? 'final' : 'provisional';
}
