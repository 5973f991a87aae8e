// SPDX-License-Identifier: Apache-2.0
import type { Ledger } from './ledger.ts';
import type { LedgerSource } from './source-book.ts';

/** Names shown of what a source does not cover; the rest is known from the ledger. */
const UNCOVERED_SHOWN_MAX = 256;

/** What one guarded source could see (docs/spec/bundle.md §3). */
export type Coverage = {
  readonly source_id: string;
  readonly observation_id: string | null;
  readonly scope: 'all' | 'listed' | null;
  readonly lsn: string | null;
  readonly guarded: number;
  readonly uncovered: readonly string[];
  readonly blind_spots: readonly { readonly code: string; readonly relation: string | null }[];
  readonly gaps: number;
};

/** The coverage of each guarded source at the end of a range, ascending. */
export function coverageOf(ledger: Ledger, gaps: ReadonlyMap<string, number>): readonly Coverage[] {
  const known = new Map(ledger.sources.map((source) => [source.source_id, source]));
  return groups(ledger.guarded).map(([sourceId, guarded]) => {
    const coverage: LedgerSource['coverage'] = known.get(sourceId)?.coverage ?? null;
    const covered = new Set(ledger.covered.filter((one) => one.source_id === sourceId).map((one) => one.relation));
    const uncovered = coverage?.scope === 'all' ? [] : guarded.filter((relation) => !covered.has(relation));
    return {
      source_id: sourceId,
      observation_id: coverage?.observation_id ?? null,
      scope: coverage?.scope ?? null,
      lsn: coverage?.lsn ?? null,
      guarded: guarded.length,
      uncovered: uncovered.slice(0, UNCOVERED_SHOWN_MAX),
      blind_spots: ledger.blindSpots
        .filter((spot) => spot.source_id === sourceId)
        .map(({ code, relation }) => ({ code, relation })),
      gaps: gaps.get(sourceId) ?? 0,
    };
  });
}

function groups(relations: Ledger['guarded']): readonly (readonly [string, readonly string[]])[] {
  const bySource = new Map<string, string[]>();
  for (const { source_id: sourceId, relation } of relations) {
    const names = bySource.get(sourceId) ?? [];
    names.push(relation);
    bySource.set(sourceId, names);
  }
  return [...bySource];
}
