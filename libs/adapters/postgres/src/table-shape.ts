// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import type { SqlSession } from './sql-client.ts';
import { quoteRelation, type RelationName } from './sql-identifier.ts';

export type TableColumn = { readonly name: string; readonly type: string; readonly isHashable: boolean };

/** What a diff must know of a table before it can compare it. */
export type TableShape = {
  readonly relation: RelationName;
  readonly serverMajor: number;
  /** In their order, generated ones too. */
  readonly columns: readonly TableColumn[];
  /** Names of the primary key's columns; empty where there is none. */
  readonly key: readonly string[];
  readonly estimatedRows: number;
};

/** Types of PostgreSQL whose equal values have equal hashes in every session; the others are hashed as text. */
const HASHABLE = `'bool', 'int2', 'int4', 'int8', 'numeric', 'float4', 'float8', 'text', 'varchar', 'bpchar', 'name', 'uuid',
  'bytea', 'date', 'time', 'timetz', 'timestamp', 'timestamptz', 'interval', 'inet', 'macaddr', 'macaddr8', 'jsonb', 'oid'`;

const SHAPE_SQL = `select current_setting('server_version_num')::int / 10000 as "serverMajor",
    greatest(c.reltuples, 0)::bigint::text as "estimatedRows",
    (select json_agg(json_build_object('name', a.attname, 'type', pg_catalog.format_type(a.atttypid, a.atttypmod),
        'isHashable', t.typnamespace = 'pg_catalog'::regnamespace and t.typname in (${HASHABLE})) order by a.attnum)
      from pg_catalog.pg_attribute a join pg_catalog.pg_type t on t.oid = a.atttypid
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
    coalesce((select json_agg(a.attname order by k.place) from pg_catalog.pg_index i
      cross join lateral unnest(i.indkey) with ordinality k(attnum, place)
      join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
      where i.indrelid = c.oid and i.indisprimary), '[]') as key
  from pg_catalog.pg_class c where c.oid = pg_catalog.to_regclass($1)`;

type ShapeRow = Omit<TableShape, 'relation' | 'estimatedRows'> & { readonly estimatedRows: string };

/** Rejects with CLY_DIFF_RELATION where there is no such relation. */
export async function readTableShape(session: SqlSession, relation: RelationName): Promise<TableShape> {
  const name = quoteRelation(relation);
  const row = (await session.query<ShapeRow>(SHAPE_SQL, [name])).rows[0];
  if (row === undefined) {
    throw new ClyraError('CLY_DIFF_RELATION', `there is no relation ${name}: write schema.table as it is spelled`, {
      retry: 'never',
    });
  }
  return { ...row, relation, estimatedRows: Number(row.estimatedRows) };
}
