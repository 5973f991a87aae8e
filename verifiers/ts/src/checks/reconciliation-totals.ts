// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '../json/json-value.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { ReconciliationCheck } from './reconciliation-check.ts';

/** `reconciliation` of a manifest (journal.md §5, totals). */
export function totalsOf(ledger: Ledger, check: ReconciliationCheck): JsonObject {
  const known = [...ledger.guarded.keys()].filter((sourceId) => ledger.sources.has(sourceId));
  const covered = known.map((sourceId) => ledger.sources.get(sourceId)?.watermark?.covers_until ?? 0);
  const horizon = known.length === 0 ? null : Math.min(...covered);
  const isFinal =
    check.unobserved === 0 &&
    (ledger.lastOutcomeAtMs === null || horizon === null || horizon >= ledger.lastOutcomeAtMs);
  return {
    sources: sourcesOf(ledger),
    horizon,
    state: isFinal ? 'final' : 'provisional',
    observations: check.observations,
    guarded: check.guarded,
    ...check.counts,
    unjudged: check.unjudged,
    grants_forgotten: check.grantsForgotten,
    unobserved: check.unobserved,
    pending: ledger.pending.length,
    grants_unused: [...ledger.grants.values()].filter((grant) => grant.used_by === null).length,
  };
}

function sourcesOf(ledger: Ledger): JsonObject[] {
  return [...ledger.sources.keys()].sort().flatMap((sourceId) => {
    const watermark = ledger.sources.get(sourceId)?.watermark ?? null;
    return watermark === null
      ? []
      : [{ source_id: sourceId, covers_until: watermark.covers_until, lsn: watermark.lsn }];
  });
}
