// SPDX-License-Identifier: Apache-2.0
import { horizonOf, reconciliationState } from '../reconciliation/totals.ts';
import type { DecidedLine } from './journal-line.ts';
import type { Ledger } from './ledger.ts';
import type { RangeSummary } from './range-summary.ts';
import type { Metrics, Reconciliation } from './sealed-range.ts';
import type { TenantBook } from './tenant-book.ts';

export const DATA_PROFILE = 'def/v0';
export const PROCESS_PROFILE = 'pef/v0';

/** What a range is evidence of (docs/spec/bundle.md §3): of data where the log has a source, of automation where one asked. */
export function profilesOf(summary: RangeSummary, ledger: Ledger): readonly string[] {
  return [...(ledger.sources.length > 0 ? [DATA_PROFILE] : []), ...(summary.requests > 0 ? [PROCESS_PROFILE] : [])];
}

export function metricsOf({ governance, operation, security }: RangeSummary): Metrics {
  return {
    governance: governance.result(),
    performance: operation.performance(),
    cost: operation.cost,
    security: security.result(),
  };
}

/** The totals of docs/spec/journal.md §5. */
export function reconciliationOf({ unobserved, matches }: RangeSummary, book: TenantBook): Reconciliation {
  const { sources } = book.sources.parts();
  const horizon = horizonOf(guardedSourcesOf(book), sources);
  return {
    ...matches,
    unobserved,
    sources: sources.flatMap(({ source_id, watermark }) =>
      watermark === null ? [] : [{ source_id, covers_until: watermark.covers_until, lsn: watermark.lsn }],
    ),
    horizon,
    state: unobserved > 0 ? 'provisional' : reconciliationState(horizon, book.lastOutcomeMs),
    pending: book.pendingCount,
    grants_unused: book.grants.unusedCount,
  };
}

/** Grants whose source is watched by nobody yet: what they do before its first coverage is not seen. */
export function unobservedGrants(book: TenantBook, { receipt: { body } }: DecidedLine): number {
  if (body.kind !== 'decided' || body.decision !== 'allow' || body.change_kind !== 'change.requested') return 0;
  const guarded = guardedSourcesOf(book);
  const isUnobserved = (sourceId: string): boolean =>
    guarded.has(sourceId) && book.sources.sources.get(sourceId)?.coverage === null;
  return (body.grants ?? []).filter((grant) => isUnobserved(grant.source_id)).length;
}

function guardedSourcesOf({ guarded }: TenantBook): ReadonlySet<string> {
  return new Set(guarded.filter(({ relations }) => relations.length > 0).map((one) => one.source_id));
}
