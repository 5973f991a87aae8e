// SPDX-License-Identifier: Apache-2.0
import { MAJOR_WITH_SCHEMAS } from './publication-facts.ts';
import type { GuardedRelations } from './publication-preflight.ts';
import type { SqlSession } from './sql-client.ts';

/**
 * A digest of the catalogue's rows by which a publication shows what is guarded: each has the transaction that wrote it,
 * and a row that was taken out and put in again has another oid. Two equal answers therefore say that nothing of it was
 * altered in between, not even for a moment.
 */
const stateSql = (serverMajor: number): string => `with publication as (
    select oid, xmin from pg_catalog.pg_publication where pubname = $1
  ), guarded as (
    select * from unnest($2::text[], $3::text[]) g(schema_name, table_name)
  ), entries as (
    select pg_catalog.concat_ws(' ', 'p', oid, xmin) as entry from publication
    union all
    select pg_catalog.concat_ws(' ', 'r', pr.oid, pr.xmin)
    from publication p
      join pg_catalog.pg_publication_rel pr on pr.prpubid = p.oid
      join pg_catalog.pg_class c on c.oid in (pr.prrelid, pg_catalog.pg_partition_root(pr.prrelid))
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where n.nspname = any($4::text[])
      or exists (select from guarded g where g.schema_name = n.nspname and g.table_name = c.relname)${
        serverMajor < MAJOR_WITH_SCHEMAS
          ? ''
          : `
    union all
    select pg_catalog.concat_ws(' ', 'n', pn.oid, pn.xmin)
    from publication p
      join pg_catalog.pg_publication_namespace pn on pn.pnpubid = p.oid
      join pg_catalog.pg_namespace n on n.oid = pn.pnnspid
    where n.nspname = any($4::text[]) or exists (select from guarded g where g.schema_name = n.nspname)`
      }
  )
  select pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(
    coalesce(pg_catalog.string_agg(entry, ',' order by entry), ''), 'UTF8')), 'hex') as state from entries`;

export type PublicationStateRequest = {
  readonly name: string;
  readonly guarded: GuardedRelations;
  readonly serverMajor: number;
};

/** Lower-case hex; a missing publication has a state too. */
export async function readPublicationState(session: SqlSession, request: PublicationStateRequest): Promise<string> {
  const { tables, schemas } = request.guarded;
  const result = await session.query<{ state: string }>(stateSql(request.serverMajor), [
    request.name,
    tables.map(({ schema }) => schema),
    tables.map(({ name }) => name),
    schemas,
  ]);
  return result.rows[0]?.state ?? '';
}
