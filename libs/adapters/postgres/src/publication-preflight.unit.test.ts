// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import type { PublicationFacts, PublishedRelation } from './publication-facts.ts';
import { createPublicationSql, publicationProblems } from './publication-preflight.ts';

const ORDERS: PublishedRelation = {
  schema: 'shop',
  name: 'orders',
  rootSchema: 'shop',
  rootName: 'orders',
  hasRowFilter: false,
  hasColumnList: false,
};
const PUBLICATION: PublicationFacts = {
  name: 'clyra',
  publishesAllTables: false,
  publishesSchemas: [],
  operations: ['insert', 'update', 'delete', 'truncate'],
  publishesViaRoot: false,
  members: [{ schema: 'shop', name: 'orders' }],
  relations: [ORDERS],
  partitioned: [],
  relationsWithoutIdentity: [],
};
const GUARDED = { tables: [{ schema: 'shop', name: 'orders' }], schemas: [] };

const codes = (publication: Partial<PublicationFacts>, guarded: Parameters<typeof publicationProblems>[1] = GUARDED) =>
  publicationProblems({ ...PUBLICATION, ...publication }, guarded).map(({ code, severity }) => `${severity} ${code}`);

describe('publicationProblems', () => {
  it('finds nothing wrong with a table that has an identity', () => {
    expect(codes({})).toEqual([]);
  });

  it('refuses what would make updates fail, with the statement that repairs it', () => {
    const problems = publicationProblems(
      { ...PUBLICATION, relationsWithoutIdentity: [{ schema: 'shop', name: 'odd"name' }] },
      GUARDED,
    );
    expect(problems).toMatchObject([
      {
        code: 'CLY_SOURCE_REPLICA_IDENTITY_MISSING',
        severity: 'refuse',
        repairSql: 'ALTER TABLE "shop"."odd""name" REPLICA IDENTITY FULL;',
      },
    ]);
  });

  it('needs no identity where neither updates nor deletes are published', () => {
    expect(
      codes({ operations: ['insert', 'truncate'], relationsWithoutIdentity: [{ schema: 'shop', name: 'orders' }] }),
    ).toEqual(['warn CLY_SOURCE_OPERATION_UNPUBLISHED']);
  });

  it.each([{ publishesAllTables: true }, { publishesSchemas: ['shop'] }])('warns of later tables: %j', (facts) => {
    expect(codes(facts)).toEqual(['warn CLY_SOURCE_PUBLICATION_GROWS']);
  });

  it('refuses a guarded table that a rebuild took out of the publication', () => {
    expect(codes({ members: [], relations: [] })).toEqual(['refuse CLY_SOURCE_RELATION_UNPUBLISHED']);
    expect(codes({}, { tables: [], schemas: ['shop'] })).toEqual(['refuse CLY_SOURCE_RELATION_UNPUBLISHED']);
  });

  it('counts a table as published through its schema', () => {
    const facts = { members: [], relations: [], publishesSchemas: ['shop'], operations: ['insert'] as const };
    expect(codes(facts)).toEqual(['warn CLY_SOURCE_OPERATION_UNPUBLISHED']);
  });

  it('refuses row filters and warns of column lists, on leaves of guarded tables too', () => {
    const leaf = { ...ORDERS, name: 'orders_1' };
    expect(codes({ relations: [{ ...leaf, hasRowFilter: true }] })).toEqual(['refuse CLY_SOURCE_PUBLICATION_FILTERED']);
    expect(codes({ relations: [{ ...leaf, hasColumnList: true }] })).toEqual(['warn CLY_SOURCE_PUBLICATION_FILTERED']);
    const other = { ...leaf, rootName: 'elsewhere', hasRowFilter: true };
    expect(codes({ relations: [ORDERS, other] })).toEqual([]);
  });

  it('refuses a guarded table whose partitions would be named instead of it', () => {
    const partitioned = [{ schema: 'shop', name: 'orders' }];
    expect(codes({ partitioned })).toEqual(['refuse CLY_SOURCE_PARTITIONS_APART']);
    const inSchema = { partitioned, publishesSchemas: ['shop'] };
    expect(codes(inSchema, { tables: [], schemas: ['shop'] })).toContain('refuse CLY_SOURCE_PARTITIONS_APART');
    expect(codes({ partitioned: [{ schema: 'shop', name: 'notes' }] })).toEqual([]);
  });

  it('warns that publishing under the root hides the truncate of a partition, where there are any', () => {
    const partitioned = [{ schema: 'shop', name: 'orders' }];
    expect(codes({ publishesViaRoot: true, partitioned })).toEqual(['warn CLY_SOURCE_PARTITION_TRUNCATE_HIDDEN']);
    expect(codes({ publishesViaRoot: true })).toEqual([]);
  });
});

describe('createPublicationSql', () => {
  it('names exactly what is guarded', () => {
    const sql = createPublicationSql({
      name: 'cly"ra',
      guarded: { tables: [{ schema: 'shop', name: "o'rders" }], schemas: ['mart'] },
      operations: ['insert', 'truncate'],
      serverMajor: 15,
    });
    expect(sql).toBe(
      `CREATE PUBLICATION "cly""ra" FOR TABLE "shop"."o'rders", TABLES IN SCHEMA "mart" WITH (publish = 'insert, truncate', publish_via_partition_root = true)`,
    );
  });

  it('never publishes everything', () => {
    const guarded = { tables: [], schemas: [] };
    expect(() => createPublicationSql({ name: 'clyra', guarded, serverMajor: 15 })).toThrow(
      expect.objectContaining({ code: 'CLY_SOURCE_NOTHING_GUARDED' }),
    );
  });

  it('writes one list of tables, which versions before 15 understand, and refuses them whole schemas', () => {
    const tables = ['orders', 'lines'].map((name) => ({ schema: 'shop', name }));
    expect(createPublicationSql({ name: 'clyra', guarded: { tables, schemas: [] }, serverMajor: 13 })).toContain(
      'FOR TABLE "shop"."orders", "shop"."lines" WITH',
    );
    expect(() =>
      createPublicationSql({ name: 'clyra', guarded: { tables, schemas: ['mart'] }, serverMajor: 14 }),
    ).toThrow(expect.objectContaining({ code: 'CLY_SOURCE_SCHEMA_UNSUPPORTED' }));
  });
});
