// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '../kernel/error.ts';
import type { CoverageBody, ObservationBody, TransactionBody } from './observation-body.ts';
import { lsnOf } from './position.ts';

/** A log's sources have an end: its readers keep something for each. */
export const SOURCE_COUNT_MAX = 1_024;
export const COVERED_COUNT_MAX = 65_536;
export const SEEN_COUNT_MAX = 4_096;

/** docs/spec/journal.md §4: what a ledger says of one source. */
export type LedgerSource = {
  readonly source_id: string;
  readonly registered: boolean;
  readonly watermark: { readonly lsn: string; readonly covers_until: number } | null;
  readonly newest: { readonly system_id: string; readonly timeline: number; readonly lsn: string } | null;
  readonly coverage: { readonly observation_id: string; readonly scope: 'all' | 'listed'; readonly lsn: string } | null;
};

export type Covered = { readonly source_id: string; readonly relation: string };
export type BlindSpot = { readonly source_id: string; readonly code: string; readonly relation: string | null };
export type Seen = { readonly source_id: string; readonly of: string; readonly observation_id: string };

export type SourceParts = {
  readonly sources: readonly LedgerSource[];
  readonly covered: readonly Covered[];
  readonly blindSpots: readonly BlindSpot[];
  readonly seen: readonly Seen[];
};

/** What the log knows of its sources: horizon, newest commit, coverage; and which observations are repetitions. */
export class SourceBook {
  readonly #sources: Map<string, LedgerSource>;
  readonly #covered = new Map<string, readonly string[]>();
  readonly #blindSpots = new Map<string, readonly BlindSpot[]>();
  readonly #seen: Map<string, Seen>;

  constructor(parts: SourceParts = { sources: [], covered: [], blindSpots: [], seen: [] }) {
    this.#sources = new Map(parts.sources.map((source) => [source.source_id, source]));
    this.#seen = new Map(parts.seen.map((seen) => [seenKey(seen.source_id, seen.of), seen]));
    for (const { source_id: sourceId, relation } of parts.covered) append(this.#covered, sourceId, relation);
    for (const spot of parts.blindSpots) append(this.#blindSpots, spot.source_id, spot);
  }

  get sources(): ReadonlyMap<string, LedgerSource> {
    return this.#sources;
  }

  /**
   * Whether the log has this observation already: a send whose answer was lost is made again (docs/spec/journal.md §2).
   * A source's transactions come in the order of their commits, anything else comes alone.
   */
  isRepetition(body: ObservationBody): boolean {
    if (body.kind === 'watermark') return false;
    if (body.kind !== 'transaction') {
      return this.#seen.get(seenKey(body.source_id, body.kind))?.observation_id === body.observation_id;
    }
    const newest = this.#sources.get(body.source_id)?.newest;
    if (newest?.system_id !== body.system_id || newest.timeline !== body.timeline) return false;
    return lsnOf(body.commit_end_lsn) <= lsnOf(newest.lsn);
  }

  /** Throws CLY_LOG_SOURCES beyond the limit. */
  register(sourceId: string): void {
    this.#set(sourceId, { registered: true });
  }

  observed(body: ObservationBody): void {
    const { source_id: sourceId, kind } = body;
    if (kind === 'transaction') this.#set(sourceId, { newest: positionOf(body) });
    if (kind === 'watermark') this.#set(sourceId, { watermark: { lsn: body.lsn, covers_until: body.covers_until } });
    if (kind === 'gap') this.#set(sourceId, {});
    if (kind === 'coverage') this.#cover(body);
    if (kind === 'transaction' || kind === 'watermark') return;
    const seen = { source_id: sourceId, of: kind, observation_id: body.observation_id };
    const key = seenKey(sourceId, kind);
    if (!this.#seen.has(key) && this.#seen.size >= SEEN_COUNT_MAX)
      throw tooMany(`${SEEN_COUNT_MAX} kinds of observations`, sourceId);
    this.#seen.set(key, seen);
  }

  parts(): SourceParts {
    const ids = [...this.#sources.keys()].sort();
    return {
      sources: ids.map((id) => this.#sources.get(id) as LedgerSource),
      covered: ids.flatMap((id) => (this.#covered.get(id) ?? []).map((relation) => ({ source_id: id, relation }))),
      blindSpots: ids.flatMap((id) => this.#blindSpots.get(id) ?? []),
      seen: [...this.#seen].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, seen]) => seen),
    };
  }

  #cover(body: CoverageBody): void {
    const { source_id: sourceId, observation_id, scope, lsn } = body;
    const others = [...this.#covered].reduce((sum, [id, names]) => sum + (id === sourceId ? 0 : names.length), 0);
    if (others + body.relations.length > COVERED_COUNT_MAX)
      throw tooMany(`${COVERED_COUNT_MAX} covered relations`, sourceId);
    this.#set(sourceId, { coverage: { observation_id, scope, lsn } });
    this.#covered.set(sourceId, body.relations);
    const spots = body.blind_spots.map(({ code, relation }) => ({
      source_id: sourceId,
      code,
      relation: relation ?? null,
    }));
    const unique = new Map(spots.map((spot) => [`${spot.code}\n${spot.relation ?? ''}`, spot]));
    this.#blindSpots.set(
      sourceId,
      [...unique].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, spot]) => spot),
    );
  }

  #set(sourceId: string, known: Partial<LedgerSource>): void {
    const before = this.#sources.get(sourceId) ?? { ...UNKNOWN, source_id: sourceId };
    if (!this.#sources.has(sourceId) && this.#sources.size >= SOURCE_COUNT_MAX) {
      throw tooMany(`${SOURCE_COUNT_MAX} sources`, sourceId);
    }
    this.#sources.set(sourceId, { ...before, ...known });
  }
}

function tooMany(what: string, sourceId: string): ClyraError {
  return new ClyraError(
    'CLY_LOG_SOURCES',
    `the log has room for ${what} and is told of more by ${sourceId}: find out what makes them up, or list fewer`,
    { retry: 'never', context: { source_id: sourceId } },
  );
}

const UNKNOWN = { registered: false, watermark: null, newest: null, coverage: null } as const;

function positionOf({ system_id, timeline, commit_end_lsn: lsn }: TransactionBody): LedgerSource['newest'] {
  return { system_id, timeline, lsn };
}

function seenKey(sourceId: string, kind: string): string {
  return `${sourceId}\n${kind}`;
}

function append<Value>(lists: Map<string, readonly Value[]>, key: string, value: Value): void {
  lists.set(key, [...(lists.get(key) ?? []), value]);
}
