// SPDX-License-Identifier: Apache-2.0
import type { PublicationFacts, PublishedRelation } from '@clyra/adapter-postgres/publication-facts';
import type { SourceFacts } from '@clyra/adapter-postgres/source-preflight';
import { describe, expect, it } from '@jest/globals';
import { coverageDraft, coverageOf } from './coverage-body.ts';

const relation = (name: string, more: Partial<PublishedRelation> = {}): PublishedRelation => ({
  schema: 'public',
  name,
  rootSchema: 'public',
  rootName: name,
  hasRowFilter: false,
  hasColumnList: false,
  ...more,
});
const WHOLE = { versionMajor: 15, announcesDdl: true, messagesAreOpen: false } as SourceFacts['server'];

function facts(publication: Partial<PublicationFacts>, server: Partial<SourceFacts['server']> = {}): SourceFacts {
  return {
    system: { systemId: '7', timeline: 1, currentLsn: '0/1' },
    server: { ...WHOLE, ...server },
    slot: null,
    unrecorded: [],
    guarded: { tables: [{ schema: 'public', name: 'b' }], schemas: [] },
    publicationState: '',
    problems: [],
    publication: {
      name: 'clyra',
      publishesAllTables: false,
      publishesSchemas: [],
      operations: ['insert', 'update', 'delete', 'truncate'],
      publishesViaRoot: false,
      members: [],
      relations: [],
      partitioned: [],
      relationsWithoutIdentity: [],
      ...publication,
    },
  };
}

describe('coverageOf', () => {
  it('lists what is published, in order, and nothing where nothing is', () => {
    const { scope, relations, blindSpots } = coverageOf(facts({ relations: [relation('b'), relation('a')] })) ?? {};
    expect({ scope, relations, blindSpots }).toEqual({
      scope: 'listed',
      relations: ['public.a', 'public.b'],
      blindSpots: [],
    });
    expect(coverageOf({ ...facts({}), publication: null })).toBeUndefined();
  });

  it('is everything only where no row is filtered away', () => {
    expect(coverageOf(facts({ publishesAllTables: true }))).toMatchObject({ scope: 'all', relations: [] });
    const filtered = facts({ publishesAllTables: true, relations: [relation('a', { hasRowFilter: true })] });
    expect(coverageOf(filtered)).toMatchObject({
      scope: 'listed',
      blindSpots: [{ code: 'row_filter', relation: 'public.a' }],
    });
  });

  it('says what the source cannot show, and of which relations, the guarded ones first', () => {
    const poor = facts(
      {
        operations: ['insert', 'truncate'],
        publishesViaRoot: true,
        partitioned: [{ schema: 'public', name: 'a' }],
        relations: [relation('a', { hasColumnList: true }), relation('b')],
      },
      { versionMajor: 13, announcesDdl: false, messagesAreOpen: true },
    );
    expect(coverageOf(poor)?.blindSpots).toEqual([
      { code: 'update_unpublished' },
      { code: 'delete_unpublished' },
      { code: 'ddl_unannounced' },
      { code: 'links_open' },
      { code: 'no_messages' },
      { code: 'update_unpublished', relation: 'public.b' },
      { code: 'delete_unpublished', relation: 'public.b' },
      { code: 'update_unpublished', relation: 'public.a' },
      { code: 'delete_unpublished', relation: 'public.a' },
      { code: 'partition_truncate_hidden', relation: 'public.a' },
      { code: 'column_list', relation: 'public.a' },
    ]);
  });

  it('names what no publication can show', () => {
    const unrecorded: SourceFacts['unrecorded'] = [
      { schema: 'public', name: 'totals', kind: 'materialized_view' },
      { schema: 'public', name: 'b', kind: 'unlogged' },
      { schema: 'public', name: 'far', kind: 'foreign_table' },
    ];
    expect(coverageOf({ ...facts({ relations: [relation('b')] }), unrecorded })?.blindSpots).toEqual([
      { code: 'unlogged_unrecorded', relation: 'public.b' },
      { code: 'materialized_view_unrecorded', relation: 'public.totals' },
      { code: 'foreign_table_unrecorded', relation: 'public.far' },
    ]);
  });

  it.each([false, true])('covers nothing of which a blind spot is not named (all tables: %s)', (publishesAllTables) => {
    const names = Array.from({ length: 100 }, (_, index) => `t${String(index).padStart(2, '0')}`);
    const relations = names.map((name) => relation(name));
    const publication = { publishesAllTables, relations, operations: ['insert'] as const };
    const guarded = { tables: [{ schema: 'public', name: 't99' }], schemas: [] };
    const coverage = coverageOf({ ...facts(publication), guarded });
    const named = new Set(coverage?.blindSpots.flatMap(({ relation: name }) => (name === undefined ? [] : [name])));
    expect(coverage?.scope).toBe('listed');
    expect(named.has('public.t99')).toBe(true);
    expect(named.size).toBeGreaterThan(50);
    expect(coverage?.relations).toEqual([...named].sort());
    expect(coverage?.blindSpots.at(-1)).toEqual({ code: 'blind_spots_unlisted' });
  });

  it('fits into a record whatever a source has, and says that it does not list everything', () => {
    const relations = Array.from({ length: 2_000 }, (_, index) =>
      relation(`${'x'.repeat(59)}${String(index).padStart(4, '0')}`, { schema: 's'.repeat(63), hasColumnList: true }),
    );
    const coverage = coverageOf(facts({ relations }));
    expect(coverage?.relations.length).toBeLessThanOrEqual(512);
    expect(coverage?.blindSpots).toHaveLength(63);
    expect(coverage?.blindSpots.at(-1)).toEqual({ code: 'blind_spots_unlisted' });
    if (coverage === undefined) throw new Error('there is a publication');
    const at = { systemId: '18446744073709551615', timeline: 4_294_967_295, lsn: 'FFFFFFFF/FFFFFFFF' };
    expect(() => coverageDraft({ tenant: 'a'.repeat(63), sourceId: 'crm' }, at, coverage)).not.toThrow();
  });
});
