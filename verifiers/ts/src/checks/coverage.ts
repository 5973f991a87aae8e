// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '../json/json-value.ts';
import type { Ledger, SourceState } from '../ledger/ledger.ts';
import type { Standing } from '../report/standing.ts';

const UNCOVERED_MAX = 256;

/** `coverage` of a manifest, from the closing ledger and the gaps of the range (bundle.md §3). */
export function coverageOf(ledger: Ledger, gapCounts: ReadonlyMap<string, number>): readonly JsonObject[] {
  return [...ledger.guarded.keys()].sort().map((sourceId) => {
    const source = ledger.sources.get(sourceId);
    const guarded = [...(ledger.guarded.get(sourceId) ?? [])].sort();
    return {
      source_id: sourceId,
      observation_id: source?.coverage?.observation_id ?? null,
      scope: source?.coverage?.scope ?? null,
      lsn: source?.coverage?.lsn ?? null,
      guarded: guarded.length,
      uncovered: uncoveredOf(guarded, source).slice(0, UNCOVERED_MAX),
      blind_spots: (source?.blindSpots ?? []).map(({ code, relation }) => ({ code, relation })),
      gaps: gapCounts.get(sourceId) ?? 0,
    };
  });
}

function uncoveredOf(guarded: readonly string[], source: SourceState | undefined): string[] {
  if (source?.coverage?.scope === 'all') {
    return [];
  }
  const covered = new Set(source?.covered);
  return guarded.filter((relation) => !covered.has(relation));
}

/** What the claim `coverage` comes to (verification.md §3.4). */
export function standingOfCoverage(ledger: Ledger, gapCounts: ReadonlyMap<string, number>): Standing {
  const sources = [...ledger.guarded].map(([sourceId, relations]) => {
    const source = ledger.sources.get(sourceId);
    const guarded = [...relations];
    return { sourceId, source, guarded, uncovered: uncoveredOf(guarded, source) };
  });
  const isBlind = ({ source, guarded }: (typeof sources)[number]): boolean =>
    source?.blindSpots.some(({ relation }) => relation !== null && guarded.includes(relation)) === true;
  const rules = [
    { holds: sources.length === 0, status: 'ABSENT', code: 'CLY_COVERAGE_ABSENT', message: 'nothing is guarded' },
    {
      holds: sources.some(({ sourceId }) => (gapCounts.get(sourceId) ?? 0) > 0),
      status: 'FAIL',
      code: 'CLY_COVERAGE_GAP',
      message: 'a guarded source has a gap',
    },
    {
      holds: sources.some(({ source }) => source?.coverage == null),
      status: 'PARTIAL',
      code: 'CLY_COVERAGE_UNKNOWN',
      message: 'a guarded source does not say what it covers',
    },
    {
      holds: sources.some(({ uncovered }) => uncovered.length > 0),
      status: 'PARTIAL',
      code: 'CLY_COVERAGE_UNCOVERED',
      message: 'a guarded relation is not covered',
    },
    {
      holds: sources.some(isBlind),
      status: 'PARTIAL',
      code: 'CLY_COVERAGE_BLIND',
      message: 'a guarded relation has a blind spot',
    },
  ] as const;
  const { status, code, message } = rules.find(({ holds }) => holds) ?? PASSED;
  return { status, code, message };
}

const PASSED = { status: 'PASS', code: null, message: 'holds' } as const;
