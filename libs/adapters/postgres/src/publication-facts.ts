// SPDX-License-Identifier: Apache-2.0
import type { SqlSession } from './sql-client.ts';
import type { RelationName } from './sql-identifier.ts';

export type PublishedOperation = 'insert' | 'update' | 'delete' | 'truncate';

export type PublishedRelation = RelationName & {
  /** The partitioned table it belongs to, at the top; itself when it is not a partition. Changes carry leaf names. */
  readonly rootSchema: string;
  readonly rootName: string;
  /** Some rows of this relation never reach the stream. */
  readonly hasRowFilter: boolean;
  /** Some columns of this relation never reach the stream. */
  readonly hasColumnList: boolean;
};

export type PublicationFacts = {
  readonly name: string;
  readonly publishesAllTables: boolean;
  readonly publishesSchemas: readonly string[];
  readonly operations: readonly PublishedOperation[];
  readonly publishesViaRoot: boolean;
  /** Tables named one by one. A partitioned table is here, and in `relations` its leaves. */
  readonly members: readonly RelationName[];
  readonly relations: readonly PublishedRelation[];
  /** Published tables that have partitions. */
  readonly partitioned: readonly RelationName[];
  /** Published, and without a replica identity: an UPDATE or DELETE of these fails if the publication has it. */
  readonly relationsWithoutIdentity: readonly RelationName[];
};

type PublicationRow = {
  readonly oid: string;
  readonly allTables: boolean;
  readonly viaRoot: boolean;
  readonly insert: boolean;
  readonly update: boolean;
  readonly delete: boolean;
  readonly truncate: boolean;
};

/** Whole schemas are published from this version on; row filters and column lists came with it. */
export const MAJOR_WITH_SCHEMAS = 15;

const PUBLICATION_SQL = `select oid::text as oid, puballtables as "allTables", pubviaroot as "viaRoot",
    pubinsert as insert, pubupdate as update, pubdelete as delete, pubtruncate as truncate
  from pg_catalog.pg_publication where pubname = $1`;

const SCHEMAS_SQL = `select n.nspname::text as schema
  from pg_catalog.pg_publication_namespace pn join pg_catalog.pg_namespace n on n.oid = pn.pnnspid
  where pn.pnpubid = $1::oid order by 1`;

const MEMBERS_SQL = `select n.nspname::text as schema, c.relname::text as name
  from pg_catalog.pg_publication_rel pr join pg_catalog.pg_class c on c.oid = pr.prrelid
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where pr.prpubid = $1::oid order by 1, 2`;

const PARTITIONED_SQL = `select n.nspname::text as schema, c.relname::text as name
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where c.relkind = 'p' and (
    c.oid in (select pr.prrelid from pg_catalog.pg_publication_rel pr where pr.prpubid = $1::oid)
    or c.oid in (select pg_catalog.pg_partition_root(l.oid) from pg_catalog.pg_publication_tables pt
      join pg_catalog.pg_namespace ln on ln.nspname = pt.schemaname
      join pg_catalog.pg_class l on l.relnamespace = ln.oid and l.relname = pt.tablename where pt.pubname = $2))
  order by 1, 2`;

/** pg_partition_root is null for a table that is no partition. */
const ROOTED = `coalesce(rn.nspname, n.nspname)::text as "rootSchema", coalesce(rc.relname, c.relname)::text as "rootName"
  from pg_catalog.pg_publication_tables pt
    join pg_catalog.pg_namespace n on n.nspname = pt.schemaname
    join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = pt.tablename
    left join pg_catalog.pg_class rc on rc.oid = pg_catalog.pg_partition_root(c.oid)
    left join pg_catalog.pg_namespace rn on rn.oid = rc.relnamespace
  where pt.pubname = $1 order by 1, 2`;

const RELATIONS_SQL = `select pt.schemaname::text as schema, pt.tablename::text as name,
    pt.rowfilter is not null as "hasRowFilter",
    exists (select from pg_catalog.pg_attribute a
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
        and a.attname <> all (pt.attnames)) as "hasColumnList",
    ${ROOTED}`;

/** Before 15 there are neither row filters nor column lists nor published schemas. */
const RELATIONS_SQL_BEFORE_15 = `select pt.schemaname::text as schema, pt.tablename::text as name,
    false as "hasRowFilter", false as "hasColumnList", ${ROOTED}`;

/**
 * The server checks the identity of the relation that is written, a leaf of a partitioned table, whether the leaf or
 * its root is published. It uses an index only when it is valid, unique and not deferrable.
 */
const WITHOUT_IDENTITY_SQL = `with published as (
    select c.oid from pg_catalog.pg_publication_tables pt
      join pg_catalog.pg_namespace n on n.nspname = pt.schemaname
      join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = pt.tablename
    where pt.pubname = $1
  ), written as (
    select oid from published
    union select tree.relid from published, pg_catalog.pg_partition_tree(published.oid) tree
  )
  select n.nspname::text as schema, c.relname::text as name
  from written join pg_catalog.pg_class c on c.oid = written.oid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where c.relkind = 'r' and c.relreplident <> 'f' and not exists (
    select from pg_catalog.pg_index i
    where i.indrelid = c.oid and i.indisvalid and i.indisunique and i.indimmediate
      and ((c.relreplident = 'd' and i.indisprimary) or (c.relreplident = 'i' and i.indisreplident)))
  order by 1, 2`;

/** undefined where there is no such publication. One read per catalogue, in the session's transaction if it has one. */
export async function readPublication(
  session: SqlSession,
  options: { readonly name: string; readonly serverMajor: number },
): Promise<PublicationFacts | undefined> {
  const { name, serverMajor } = options;
  const publication = (await session.query<PublicationRow>(PUBLICATION_SQL, [name])).rows[0];
  if (publication === undefined) {
    return undefined;
  }
  const relationsSql = serverMajor < MAJOR_WITH_SCHEMAS ? RELATIONS_SQL_BEFORE_15 : RELATIONS_SQL;
  const relations = await session.query<PublishedRelation>(relationsSql, [name]);
  const members = await session.query<RelationName>(MEMBERS_SQL, [publication.oid]);
  const partitioned = await session.query<RelationName>(PARTITIONED_SQL, [publication.oid, name]);
  const withoutIdentity = await session.query<RelationName>(WITHOUT_IDENTITY_SQL, [name]);
  const schemas =
    serverMajor < MAJOR_WITH_SCHEMAS
      ? []
      : (await session.query<{ schema: string }>(SCHEMAS_SQL, [publication.oid])).rows;
  const operations: readonly PublishedOperation[] = ['insert', 'update', 'delete', 'truncate'];
  return {
    name,
    publishesAllTables: publication.allTables,
    publishesSchemas: schemas.map((row) => row.schema),
    operations: operations.filter((operation) => publication[operation]),
    publishesViaRoot: publication.viaRoot,
    members: members.rows,
    relations: relations.rows,
    partitioned: partitioned.rows,
    relationsWithoutIdentity: withoutIdentity.rows,
  };
}
