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
const BLIND_SPOTS_MAX = 64;
const MAJOR_WITH_MESSAGES = 14;

/** undefined where nothing is published: then nothing is covered and nothing must be said. */
export function coverageOf(facts: SourceFacts): Coverage | undefined {
  const { guarded, publication, server } = facts;
  if (publication === null) return undefined;
  const isAll = publication.publishesAllTables && publication.relations.every(({ hasRowFilter }) => !hasRowFilter);
  const names = publication.relations.map(nameOf).sort(byText);
  const spots = [...blindSpotsOf(publication, names)];
  if (!server.announcesDdl) spots.push({ code: 'ddl_unannounced' });
  if (server.messagesAreOpen) spots.push({ code: 'links_open' });
  if (server.versionMajor < MAJOR_WITH_MESSAGES) spots.push({ code: 'no_messages' });
  const listed = fitting(names);
  if (!isAll && listed.length < names.length) spots.push({ code: 'relations_unlisted' });
  return {
    scope: isAll ? 'all' : 'listed',
    relations: isAll ? [] : listed,
    blindSpots: firstOf(spots, new Set(guarded.tables.map(nameOf))),
  };
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

/** Those of no relation first, then those of guarded ones. The last one says that there are more. */
function firstOf(spots: readonly BlindSpot[], guarded: ReadonlySet<string>): readonly BlindSpot[] {
  const rankOf = ({ relation }: BlindSpot): number => (relation === undefined ? 0 : guarded.has(relation) ? 1 : 2);
  const ranked = spots.toSorted((left, right) => rankOf(left) - rankOf(right));
  if (ranked.length <= BLIND_SPOTS_MAX) return ranked;
  return [...ranked.slice(0, BLIND_SPOTS_MAX - 1), { code: 'blind_spots_unlisted' }];
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
