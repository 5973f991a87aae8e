// SPDX-License-Identifier: Apache-2.0
import type { SnapshotPart } from '@clyra/core/snapshot/snapshot';

/**
 * One statement for everything, so that one snapshot of the catalogue answers it. Each part is aggregated once over
 * all relations and joined by oid: a subquery for each relation would cost as many plans. `$1` lists schemas taken
 * whole, `$2` names `schema.name`; both null is every user relation. Names are compared in the "C" collation. Members
 * stand in the order of canonical JSON: a digest over thousands of them needs not sort each.
 */
export function catalogueQuery(parts: readonly SnapshotPart[]): string {
  // Only a sample is taken in key order.
  const hasKey = parts.includes('checksums');
  const wanted = PART_CTES.filter(({ part }) => parts.includes(part));
  return `with picked as materialized (${PICKED} ${hasKey ? KEY : ''} ${OF})${wanted.map(({ name, sql }) => `, ${name} as materialized (${sql})`).join('')}
    select p.schema, p.name, p.kind, p.owner, p.replica_identity, p.row_security
      ${hasKey ? ', p.key_columns' : ''}
      ${wanted.map(({ member, name }) => `, coalesce(${name}.list, '[]'::json) as ${member}`).join('')}
      ${parts.includes('estimates') ? ESTIMATE : ''} ${parts.includes('sizes') ? SIZE : ''}
    from picked p ${wanted.map(({ name }) => `left join ${name} on ${name}.oid = p.oid`).join(' ')}
    order by p.schema collate "C", p.name collate "C"`;
}

const PICKED = `select c.oid, n.nspname::text as schema, c.relname::text as name, c.relacl, c.relowner, c.relkind,
    case c.relkind when 'r' then 'table' when 'p' then 'partitioned' when 'v' then 'view'
      when 'm' then 'materialized view' else 'foreign table' end as kind,
    pg_catalog.pg_get_userbyid(c.relowner)::text as owner,
    case c.relreplident when 'd' then 'default' when 'n' then 'nothing' when 'f' then 'full' else 'index' end
      as replica_identity,
    c.relrowsecurity as row_security, c.reltuples, c.relpages`;
const KEY = `, (select array_agg(quote_ident(a.attname) order by k.place) from pg_catalog.pg_index i
      cross join lateral unnest(i.indkey) with ordinality k(attnum, place)
      join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
      where i.indrelid = c.oid and i.indisprimary) as key_columns`;
const OF = ` from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname not in ('pg_catalog', 'information_schema')
    and n.nspname not like 'pg\\_toast%' and n.nspname not like 'pg\\_temp%'
    and ($1::text[] is null or n.nspname = any($1) or n.nspname || '.' || c.relname = any($2))`;

/** A default names no column, so its text needs no relation: with one, the server would build what it knows of each. */
const COLUMNS = `select a.attrelid as oid, json_agg(json_build_object(
      'collation', case when a.attcollation <> t.typcollation then (select collname from pg_catalog.pg_collation
        where oid = a.attcollation) end,
      'default', case when a.attgenerated = '' then pg_catalog.pg_get_expr(d.adbin, 0) end,
      'generated', case when a.attgenerated <> '' then 'stored: ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid)
        when a.attidentity = 'a' then 'always' when a.attidentity = 'd' then 'by default' end,
      'name', a.attname, 'nullable', not a.attnotnull,
      'type', pg_catalog.format_type(a.atttypid, a.atttypmod)) order by a.attnum) as list
  from picked p join pg_catalog.pg_attribute a on a.attrelid = p.oid join pg_catalog.pg_type t on t.oid = a.atttypid
    left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  where a.attnum > 0 and not a.attisdropped group by a.attrelid`;

const CONSTRAINTS = `select c.conrelid as oid, json_agg(json_build_object(
      'definition', pg_catalog.pg_get_constraintdef(c.oid), 'name', c.conname, 'validated', c.convalidated)
      order by c.conname collate "C") as list
  from picked p join pg_catalog.pg_constraint c on c.conrelid = p.oid where c.contype <> 'n' group by c.conrelid`;

const INDEXES = `select i.indrelid as oid, json_agg(json_build_object(
      'definition', pg_catalog.pg_get_indexdef(i.indexrelid), 'name', c.relname, 'valid', i.indisvalid)
      order by c.relname collate "C") as list
  from picked p join pg_catalog.pg_index i on i.indrelid = p.oid join pg_catalog.pg_class c on c.oid = i.indexrelid
  group by i.indrelid`;

const GRANTS = `select p.oid, json_agg(json_build_object(
      'grantable', g.is_grantable, 'grantee', r.name, 'privilege', g.privilege_type) order by r.name collate "C", g.privilege_type collate "C") as list
  from picked p cross join lateral pg_catalog.aclexplode(coalesce(p.relacl, pg_catalog.acldefault('r', p.relowner))) g
    cross join lateral (select case when g.grantee = 0 then 'PUBLIC' else pg_catalog.pg_get_userbyid(g.grantee)::text end as name) r
  group by p.oid`;

const PART_CTES = [
  { part: 'columns', name: 'column_list', member: 'columns', sql: COLUMNS },
  { part: 'constraints', name: 'constraint_list', member: 'constraints', sql: CONSTRAINTS },
  { part: 'indexes', name: 'index_list', member: 'indexes', sql: INDEXES },
  { part: 'grants', name: 'grant_list', member: 'grants', sql: GRANTS },
] as const;

const ESTIMATE = `, json_build_object('rows', p.reltuples::bigint, 'pages', p.relpages) as estimate`;
const SIZE = `, json_build_object('table_bytes', case when p.relkind in ('r', 'm') then pg_catalog.pg_table_size(p.oid) else 0 end,
    'index_bytes', case when p.relkind in ('r', 'm') then pg_catalog.pg_indexes_size(p.oid) else 0 end) as size`;
