-- SPDX-License-Identifier: Apache-2.0
-- Convenient ways in to guarded tables: each builds one statement from its arguments, and runs it under a grant. Run after
-- install.sql, by the same superuser, in the same transaction; running it again brings it up to date. They have no right of
-- their own: everything runs as the caller, under its search path, and the guard judges it like any other statement.
-- `…_statement` gives the very text that the function beside it runs. Its SHA-256 is what a change set names.

do $schema$
begin
  if exists (select from pg_catalog.pg_namespace where nspname = 'clyra_guard' and nspowner <> 'clyra_guard'::regrole) then
    raise exception using errcode = 'CLY42', message = 'CLY_GUARD_SCHEMA: a schema clyra_guard of another owner is here; rename it first';
  end if;
end
$schema$;
create schema if not exists clyra_guard authorization clyra_guard;
revoke all on schema clyra_guard from public;
grant usage on schema clyra_guard to clyra_writer;

create or replace function clyra_guard.refuse(code text, advice text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $body$
begin
  raise exception using errcode = 'CLY42', message = code || ': ' || advice;
end
$body$;

-- Refuses names that are no column of the table, and lists without one. What is generated cannot be written.
create or replace function clyra_guard.check_columns(target regclass, names text[], what text) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $body$
declare
  stray text;
begin
  if coalesce(cardinality(names), 0) = 0 then
    perform clyra_guard.refuse('CLY_GUARD_COLUMNS', format('name at least one of the %s', what));
  end if;
  select name into stray from unnest(names) name where not exists (select from pg_attribute
    where attrelid = target and attname = name and attnum > 0 and not attisdropped) limit 1;
  if found then
    perform clyra_guard.refuse('CLY_GUARD_COLUMNS', format('%s has no column %I', target, stray));
  end if;
end
$body$;

-- With its schema, whatever the search path of the caller is.
create or replace function clyra_guard.qualified(target regclass) returns text
language sql stable strict set search_path = pg_catalog, pg_temp as $body$
  select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = target
$body$;

-- MERGE of all rows of `source` into `target` by `keys`. `columns` null: all columns of the source that the target has.
create or replace function clyra_guard.merge_statement(target regclass, source regclass, keys name[], columns name[] default null) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $body$
declare
  written text[];
  changed text[];
begin
  if columns is null then
    select array_agg(t.attname::text order by t.attnum) into written from pg_attribute t join pg_attribute s
      on s.attrelid = source and s.attname = t.attname and s.attnum > 0 and not s.attisdropped
      where t.attrelid = target and t.attnum > 0 and not t.attisdropped and t.attgenerated = '';
  else
    written := columns::text[];
  end if;
  perform clyra_guard.check_columns(target, keys::text[], 'keys');
  perform clyra_guard.check_columns(source, keys::text[], 'keys');
  perform clyra_guard.check_columns(target, written, 'columns');
  perform clyra_guard.check_columns(source, written, 'columns');
  select array_agg(name order by position) into changed from unnest(written) with ordinality w(name, position)
    where name <> all (keys::text[]);
  select array_agg(name order by position) into written from (
    select key as name, position from unnest(keys::text[]) with ordinality k(key, position)
    union all select name, position + cardinality(keys) from unnest(changed) with ordinality c(name, position)) named;
  return format('merge into %s as t using %s as s on %s%s when not matched then insert (%s) values (%s)',
    clyra_guard.qualified(target), clyra_guard.qualified(source),
    (select string_agg(format('t.%I = s.%I', key, key), ' and ' order by position) from unnest(keys) with ordinality k(key, position)),
    (select coalesce(' when matched then update set ' || string_agg(format('%I = s.%I', name, name), ', ' order by position), '')
      from unnest(changed) with ordinality c(name, position)),
    (select string_agg(format('%I', name), ', ' order by position) from unnest(written) with ordinality w(name, position)),
    (select string_agg(format('s.%I', name), ', ' order by position) from unnest(written) with ordinality w(name, position)));
end
$body$;

-- Merges under a grant; returns the number of rows. Refuses a source in which a key is null or stands twice: which of two
-- rows wins would be chance, and a null key would be inserted at each repetition.
create or replace function clyra_guard.merge_with_cert(grant_text text, target regclass, source regclass, keys name[], columns name[] default null) returns bigint
language plpgsql volatile as $body$
declare
  statement text := clyra_guard.merge_statement(target, source, keys, columns);
  list text := (select pg_catalog.string_agg(pg_catalog.format('%I', key), ', ' order by position) from pg_catalog.unnest(keys) with ordinality k(key, position));
  is_wrong boolean;
begin
  execute pg_catalog.format('select exists (select from %s where pg_catalog.num_nulls(%s) > 0) or exists (select from %1$s group by %2$s having pg_catalog.count(*) > 1)',
    clyra_guard.qualified(source), list) into is_wrong;
  if is_wrong then
    perform clyra_guard.refuse('CLY_GUARD_KEYS', pg_catalog.format('a key (%s) of %s is null or stands twice; correct the source first', list, source));
  end if;
  return clyra.execute(grant_text, statement);
end
$body$;

-- UPDATE of the row or rows that have these keys. `assignments` and `keys`: objects from column to value; a key is never null.
create or replace function clyra_guard.update_statement(target regclass, assignments jsonb, keys jsonb) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $body$
begin
  if jsonb_typeof(assignments) is distinct from 'object' or jsonb_typeof(keys) is distinct from 'object' then
    perform clyra_guard.refuse('CLY_GUARD_COLUMNS', 'assignments and keys are JSON objects from column to value');
  end if;
  perform clyra_guard.check_columns(target, array(select jsonb_object_keys(assignments)), 'assignments');
  perform clyra_guard.check_columns(target, array(select jsonb_object_keys(keys)), 'keys');
  if exists (select from jsonb_each(keys) where jsonb_typeof(value) = 'null') then
    perform clyra_guard.refuse('CLY_GUARD_KEYS', 'a key is null: no row would have it');
  end if;
  return format('update %s set %s where %s', clyra_guard.qualified(target),
    (select string_agg(format('%I = %L', key, value), ', ' order by key collate "C") from jsonb_each_text(assignments)),
    (select string_agg(format('%I = %L', key, value), ' and ' order by key collate "C") from jsonb_each_text(keys)));
end
$body$;

-- Updates under a grant, exactly as many rows as are expected; any other number is refused, and nothing is committed.
create or replace function clyra_guard.safe_update(grant_text text, target regclass, assignments jsonb, keys jsonb, rows_expected bigint default 1) returns bigint
language plpgsql volatile as $body$
declare
  row_count bigint := clyra.execute(grant_text, clyra_guard.update_statement(target, assignments, keys));
begin
  if row_count is distinct from rows_expected then
    perform clyra_guard.refuse('CLY_GUARD_ROWS', pg_catalog.format('%s rows instead of the %s that were expected; nothing is committed', row_count, rows_expected));
  end if;
  return row_count;
end
$body$;

do $owners$
declare
  routine regprocedure;
begin
  for routine in select p.oid::regprocedure from pg_catalog.pg_proc p where p.pronamespace = 'clyra_guard'::regnamespace loop
    execute pg_catalog.format('revoke all on function %s from public', routine);
    execute pg_catalog.format('alter function %s owner to clyra_guard', routine);
    execute pg_catalog.format('grant execute on function %s to clyra_writer', routine);
  end loop;
end
$owners$;
