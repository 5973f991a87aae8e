// SPDX-License-Identifier: Apache-2.0
import { quoteIdentifier, quoteLiteral, quoteRelation, type RelationName } from './sql-identifier.ts';

/** Made first and renamed last, as dbt does, since a query may read the relation that it replaces. */
const TEMPORARY = 'clyra_dbt_tmp';
/** What dbt names the temporary table of an incremental model. */
const DBT_TEMPORARY = /"(?:[^"\u0000]|""){0,80}__dbt_tmp[0-9]{1,20}"/g;
const ROWS_AT_ONCE = 1_000;

/** One text is one transaction. Whatever the query ends with, a comment too, the parenthesis closes it. */
export function replaceSql(relation: RelationName, does: 'table' | 'view', query: string): string {
  const made = { schema: relation.schema, name: TEMPORARY };
  return `create ${does} ${quoteRelation(made)} as (\n${query}\n);
${dropSql(relation)};
alter ${does} ${quoteRelation(made)} rename to ${quoteIdentifier(relation.name)}`;
}

/** As dbt drops what it replaces: with all that depends on it. */
function dropSql(relation: RelationName): string {
  const name = quoteRelation(relation);
  return `do ${quoteLiteral(`declare kind "char"; begin
  select relkind into kind from pg_catalog.pg_class where oid = pg_catalog.to_regclass(${quoteLiteral(name)});
  if kind = 'v' then drop view ${name} cascade;
  elsif kind = 'm' then drop materialized view ${name} cascade;
  elsif kind is not null then drop table ${name} cascade;
  end if;
end`)}`;
}

/** The recorded statement, with the temporary table that it reads. undefined where it reads none, or several. */
export function appendSql(query: string, recorded: string): string | undefined {
  const [temporary, ...more] = new Set(recorded.match(DBT_TEMPORARY) ?? []);
  if (temporary === undefined || more.length > 0) return undefined;
  return `create temporary table ${temporary} as (\n${query}\n);\n${recorded}\n;\ndrop table pg_temp.${temporary}`;
}

export type Seed = {
  readonly relation: RelationName;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly (readonly (string | null)[])[];
};

/** dbt empties the table of a seed that is there, and makes it where it is not. */
export function seedSql({ relation, columns, rows }: Seed): readonly string[] {
  const name = quoteRelation(relation);
  const texts = [
    `create table if not exists ${name} (${columns.map((column) => `${quoteIdentifier(column.name)} ${column.type}`).join(', ')});
truncate table ${name}`,
  ];
  for (let at = 0; at < rows.length; at += ROWS_AT_ONCE) {
    const values = rows.slice(at, at + ROWS_AT_ONCE).map((row) => `(${row.map(literalOrNull).join(', ')})`);
    texts.push(`insert into ${name} values ${values.join(',\n')}`);
  }
  return texts;
}

function literalOrNull(value: string | null): string {
  return value === null ? 'null' : quoteLiteral(value);
}

/** What dbt asks of a test: how many rows its query finds, or what its `fail_calc` says of them. */
export function countSql(query: string, { failCalc, limit }: { failCalc: string; limit: number | undefined }): string {
  const end = limit === undefined ? '' : `limit ${limit}`;
  return `select (${failCalc})::pg_catalog.text as failures from (\n${query}\n${end}\n) dbt_internal_test`;
}
