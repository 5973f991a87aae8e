// SPDX-License-Identifier: Apache-2.0
import type { LsnText } from '@clyra/adapter-postgres/lsn';
import type { PublicationFacts } from '@clyra/adapter-postgres/publication-facts';
import type { SourceFacts } from '@clyra/adapter-postgres/source-preflight';
import type { RelationName } from '@clyra/adapter-postgres/sql-identifier';
import { digestOf } from '@clyra/core/canonical/digest';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { encodeRecord } from '@clyra/core/canonical/record';
import { draftOf, type Incarnation, type ObservationDraft, type SourceIdentity } from './observation-draft.ts';
import { printable } from './printable.ts';

export type BlindSpot = { readonly code: string; readonly relation?: string };

/** What of a source its observations show, without the position from which on it holds. */
export type Coverage = {
  readonly scope: 'all' | 'listed';
  readonly relations: readonly string[];
  readonly blindSpots: readonly BlindSpot[];
};

const RELATIONS_MAX = 512;
/** Of all names together, so that the body stays a record. */
const RELATIONS_BYTES_MAX = 48_000;
/** A body has 64: two say that there are more spots, or more relations. */
const NAMED_MAX = 62;
const MAJOR_WITH_MESSAGES = 14;

/** undefined where nothing is published: then nothing is covered and nothing must be said. */
export function coverageOf(facts: SourceFacts): Coverage | undefined {
  const { guarded, publication, server, unrecorded } = facts;
  if (publication === null) return undefined;
  const names = publication.relations.map(nameOf).sort(byText);
  const found: BlindSpot[] = [...blindSpotsOf(publication, names)];
  for (const one of unrecorded) found.push({ code: `${one.kind}_unrecorded`, relation: nameOf(one) });
  if (!server.announcesDdl) found.push({ code: 'ddl_unannounced' });
  if (server.messagesAreOpen) found.push({ code: 'links_open' });
  if (server.versionMajor < MAJOR_WITH_MESSAGES) found.push({ code: 'no_messages' });
  const { spots, unnamed } = namedFirst(found, guarded);
  const isFiltered = publication.relations.some(({ hasRowFilter }) => hasRowFilter);
  const isAll = publication.publishesAllTables && !isFiltered && unnamed.size === 0;
  // What has a blind spot that is not named is not said to be covered either.
  const whole = names.filter((name) => !unnamed.has(name));
  const listed = fitting(whole);
  if (!isAll && listed.length < whole.length) spots.push({ code: 'relations_unlisted' });
  return { scope: isAll ? 'all' : 'listed', relations: isAll ? [] : listed, blindSpots: spots };
}

/** A spot counts against a relation where it names it (docs/spec/verification.md): each is named. */
function blindSpotsOf(publication: PublicationFacts, names: readonly string[]): readonly BlindSpot[] {
  const partitioned = new Set(publication.partitioned.map(nameOf));
  const of = (code: string, relations: readonly string[]): readonly BlindSpot[] =>
    relations.map((relation) => ({ code, relation }));
  const missing = (['insert', 'update', 'delete', 'truncate'] as const)
    .filter((operation) => !publication.operations.includes(operation))
    .map((operation) => `${operation}_unpublished`);
  return [
    ...missing.map((code) => ({ code })),
    ...missing.flatMap((code) => of(code, names)),
    ...(publication.publishesViaRoot
      ? of(
          'partition_truncate_hidden',
          names.filter((name) => partitioned.has(name)),
        )
      : []),
    ...of('column_list', publication.relations.filter(({ hasColumnList }) => hasColumnList).map(nameOf)),
    ...of('row_filter', publication.relations.filter(({ hasRowFilter }) => hasRowFilter).map(nameOf)),
  ];
}

function nameOf({ schema, name }: RelationName): string {
  return `${printable(schema)}.${printable(name)}`;
}

/** As many of the first names as a body may have. */
function fitting(names: readonly string[]): readonly string[] {
  let bytes = 0;
  const end = names.findIndex((name, index) => {
    bytes += Buffer.byteLength(JSON.stringify(name)) + 1;
    return index >= RELATIONS_MAX || bytes > RELATIONS_BYTES_MAX;
  });
  return end < 0 ? names : names.slice(0, end);
}

/**
 * As many as a body may have: those of no relation, then one of each guarded relation, one of each other, then the
 * rest, guarded first. `unnamed` are relations of which none found a place; a spot says that there are more.
 */
function namedFirst(
  found: readonly BlindSpot[],
  guarded: SourceFacts['guarded'],
): { readonly spots: BlindSpot[]; readonly unnamed: ReadonlySet<string> } {
  const tables = new Set(guarded.tables.map(nameOf));
  const schemas = guarded.schemas.map((schema) => `${printable(schema)}.`);
  const isGuarded = (name: string): boolean => tables.has(name) || schemas.some((schema) => name.startsWith(schema));
  const isTooMuch = found.length > NAMED_MAX;
  const seen = new Set<string>();
  const ranked = found.map((spot) => {
    const { relation } = spot;
    if (relation === undefined) return { spot, rank: 0 };
    const isRepeated = isTooMuch && seen.has(relation);
    seen.add(relation);
    return { spot, rank: (isRepeated ? 3 : 1) + (isGuarded(relation) ? 0 : 1) };
  });
  const sorted = ranked.toSorted((left, right) => left.rank - right.rank).map(({ spot }) => spot);
  if (!isTooMuch) return { spots: sorted, unnamed: new Set() };
  const named = sorted.slice(0, NAMED_MAX);
  for (const { relation } of named) if (relation !== undefined) seen.delete(relation);
  return { spots: [...named, { code: 'blind_spots_unlisted' }], unnamed: seen };
}

function byText(left: string, right: string): number {
  return left < right ? -1 : Number(left > right);
}

/** Its id is the digest of everything else, so that the same statement sent twice is one (docs/spec/records.md §6). */
export function coverageDraft(
  identity: SourceIdentity,
  at: Incarnation & { readonly lsn: LsnText },
  coverage: Coverage,
): ObservationDraft {
  const members: JsonObject = {
    system_id: at.systemId,
    timeline: at.timeline,
    lsn: at.lsn,
    scope: coverage.scope,
    relations: [...coverage.relations],
    blind_spots: coverage.blindSpots.map((spot) => ({ ...spot })),
  };
  const { tenant, sourceId } = identity;
  const named = encodeRecord({ v: 0, kind: 'coverage', tenant, source_id: sourceId, ...members });
  return draftOf('coverage', identity, { observationId: digestOf(named).slice(0, 32), members });
}
