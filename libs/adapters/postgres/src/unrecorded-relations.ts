// SPDX-License-Identifier: Apache-2.0
import type { SqlSession } from './sql-client.ts';
import type { RelationName } from './sql-identifier.ts';

type UnrecordedKind = 'unlogged' | 'materialized_view' | 'foreign_table';

/** A relation whose writes no publication can show; for a partition, the partitioned table at the top. */
export type UnrecordedRelation = RelationName & { readonly kind: UnrecordedKind };

/** More of them than a coverage could name is no use to anybody. */
const COUNT_MAX = 2_000;

const SQL = `select distinct coalesce(rn.nspname, n.nspname)::text as schema, coalesce(rc.relname, c.relname)::text as name,
    case c.relkind when 'm' then 'materialized_view' when 'f' then 'foreign_table' else 'unlogged' end as kind
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    left join pg_catalog.pg_class rc on rc.oid = pg_catalog.pg_partition_root(c.oid)
    left join pg_catalog.pg_namespace rn on rn.oid = rc.relnamespace
  where (c.relkind in ('m', 'f') or (c.relkind = 'r' and c.relpersistence = 'u'))
    and coalesce(rn.nspname, n.nspname) !~ '^pg_' and coalesce(rn.nspname, n.nspname) <> 'information_schema'
    and ($1::boolean or coalesce(rn.nspname, n.nspname)::text = any ($2::text[])
      or exists (select from pg_catalog.generate_subscripts($3::text[], 1) at
        where rn.nspname::text = ($3::text[])[at] and rc.relname::text = ($4::text[])[at]))
  order by 1, 2, 3 limit ${COUNT_MAX}`;

/** In these schemas (in all of them with `isAll`), and below these tables. */
export async function readUnrecorded(
  session: SqlSession,
  place: { readonly isAll: boolean; readonly schemas: readonly string[]; readonly tables: readonly RelationName[] },
): Promise<readonly UnrecordedRelation[]> {
  const { isAll, schemas, tables } = place;
  const parents = [tables.map(({ schema }) => schema), tables.map(({ name }) => name)];
  return (await session.query<UnrecordedRelation>(SQL, [isAll, schemas, ...parents])).rows;
}
