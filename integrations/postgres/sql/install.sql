-- SPDX-License-Identifier: Apache-2.0
-- Clyra's guard for one PostgreSQL database. Run by a superuser; running it again brings it up to date and keeps keys,
-- guarded relations and redemptions. Then: select clyra.configure(<source id>, <key>); select clyra.guard(<table>, <roles>);
-- The caller's transaction holds it all: either everything below is there, or nothing.

-- Its own statements are not judged by an older version of itself; a failure brings the old one back.
drop event trigger if exists clyra_on_ddl;
drop event trigger if exists clyra_on_drop;

do $roles$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'clyra_guard') then
    create role clyra_guard nologin;
  end if;
  if not exists (select from pg_catalog.pg_roles where rolname = 'clyra_writer') then
    create role clyra_writer nologin;
  end if;
  if exists (select from pg_catalog.pg_roles where rolname in ('clyra_guard', 'clyra_writer')
      and (rolcanlogin or rolsuper or rolcreaterole or rolbypassrls))
    or exists (select from pg_catalog.pg_auth_members where roleid = 'clyra_guard'::regrole
      and member <> session_user::regrole) then
    raise exception using errcode = 'CLY42', message = 'CLY_GUARD_ROLE: clyra_guard or clyra_writer can do more than they should; drop or repair them first';
  end if;
  if exists (select from pg_catalog.pg_namespace where nspname = 'clyra' and nspowner <> 'clyra_guard'::regrole) then
    raise exception using errcode = 'CLY42', message = 'CLY_GUARD_SCHEMA: a schema clyra of another owner is here; rename it first';
  end if;
end
$roles$;

create schema if not exists clyra authorization clyra_guard;
revoke all on schema clyra from public;
grant usage on schema clyra to clyra_writer;

-- `guard_mode` review lets everything pass: then the log alone tells what happened.
create table if not exists clyra.setting (
  only_one boolean primary key default true check (only_one),
  source_id text not null,
  guard_mode text not null default 'enforce' check (guard_mode in ('enforce', 'review')),
  code_digest text
);
-- A key as the two blocks that HMAC mixes it into; several while a key is being replaced.
create table if not exists clyra.grant_key (
  key_digest bytea primary key,
  inner_block bytea not null,
  outer_block bytea not null,
  added_at timestamptz not null default pg_catalog.now()
);
create table if not exists clyra.guarded (
  schema_name name not null,
  relation_name name not null,
  relation oid not null,
  primary key (schema_name, relation_name)
);
-- Every table that carries the triggers, with the name under which it is guarded: after a DROP nothing else says it.
create table if not exists clyra.part (
  relation oid primary key,
  guarded_name text not null
);
create table if not exists clyra.revoked (
  relation oid not null,
  grantee oid not null,
  privilege text not null,
  -- Empty for the whole table.
  column_name name not null default '',
  is_grantable boolean not null,
  primary key (relation, grantee, privilege, column_name)
);
-- One row for each grant that was used: the primary key makes it single use.
create table if not exists clyra.redemption (
  token_digest bytea primary key,
  xid xid8 not null,
  event_id text not null,
  relations text[] not null,
  operations text[] not null,
  rows_max bigint not null,
  rows_done bigint not null default 0,
  expires_at timestamptz not null,
  redeemed_by name not null
);
create index if not exists redemption_xid on clyra.redemption (xid);
create index if not exists redemption_expiry on clyra.redemption (expires_at);
-- While this backend puts its own triggers on: its DDL is neither judged nor announced.
create table if not exists clyra.attaching (backend integer primary key);

create or replace function clyra.hmac_block(secret bytea, mask integer) returns bytea
language plpgsql immutable strict set search_path = pg_catalog, pg_temp as $body$
declare
  block bytea := secret || decode(repeat('00', 64 - length(secret)), 'hex');
begin
  for position in 0..63 loop
    block := set_byte(block, position, get_byte(block, position) # mask);
  end loop;
  return block;
end
$body$;

-- The key is 32 to 64 bytes; it is kept as HMAC blocks, readable by clyra_guard and superusers only.
create or replace function clyra.configure(source text, secret bytea, review boolean default false) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $body$
begin
  if source is null or source !~ '^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,127}$' then
    raise exception using errcode = 'CLY42', message = 'CLY_GUARD_SOURCE: the source id is not of the form that policies use';
  end if;
  if secret is null or length(secret) not between 32 and 64 then
    raise exception using errcode = 'CLY42', message = 'CLY_GUARD_KEY: the grant key must have 32 to 64 bytes';
  end if;
  insert into clyra.setting (source_id, guard_mode, code_digest)
    values (source, case when review then 'review' else 'enforce' end, clyra.code_digest())
    on conflict (only_one) do update set source_id = excluded.source_id, guard_mode = excluded.guard_mode;
  insert into clyra.grant_key (key_digest, inner_block, outer_block)
    values (sha256(secret), clyra.hmac_block(secret, 54), clyra.hmac_block(secret, 92))
    on conflict (key_digest) do nothing;
end
$body$;

create or replace function clyra.refuse(code text, advice text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $body$
begin
  raise exception using errcode = 'CLY42', message = code || ': ' || advice;
end
$body$;

-- The payload of a grant whose MAC is right, else an error.
create or replace function clyra.open_grant(grant_text text) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp as $body$
declare
  payload bytea;
  mac bytea;
  is_right boolean;
begin
  if grant_text is null or length(grant_text) > 65536
    or grant_text !~ '^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\.[0-9a-f]{64}$' then
    perform clyra.refuse('CLY_GUARD_GRANT_MALFORMED', 'this is not a grant; take it from the answer that allowed the change');
  end if;
  payload := decode(split_part(grant_text, '.', 1), 'base64');
  mac := decode(split_part(grant_text, '.', 2), 'hex');
  -- Digests are compared, so that the time of the comparison says nothing about the MAC.
  select coalesce(bool_or(sha256(mac) = sha256(sha256(outer_block || sha256(inner_block || 'clyra/grant/v0'::bytea || '\x0a'::bytea || payload)))), false)
    into is_right from clyra.grant_key;
  if not is_right then
    perform clyra.refuse('CLY_GUARD_GRANT_FORGED', 'no key of this database made this grant');
  end if;
  return convert_from(payload, 'UTF8')::jsonb;
end
$body$;

-- `place` has source_id, database, role, member and now_ms: schemas/vectors/grants puts its cases to it.
create or replace function clyra.check_grant(permit jsonb, place jsonb) returns void
language plpgsql immutable set search_path = pg_catalog, pg_temp as $body$
begin
  if permit ->> 'v' is distinct from '0' or not permit ?& array['token', 'event_id', 'source_id', 'database', 'not_before',
      'expires_at', 'relations', 'operations', 'rows_max'] then
    perform clyra.refuse('CLY_GUARD_GRANT_VERSION', 'this guard reads version 0 of grants; install the guard again');
  end if;
  if permit ->> 'source_id' is distinct from place ->> 'source_id' or permit ->> 'database' is distinct from place ->> 'database' then
    perform clyra.refuse('CLY_GUARD_GRANT_ELSEWHERE', 'the grant is for another database');
  end if;
  if permit ->> 'role' is not null and permit ->> 'role' is distinct from place ->> 'role' then
    perform clyra.refuse('CLY_GUARD_GRANT_ROLE', 'the grant is for another role; log in as that one');
  end if;
  -- Five seconds for a clock that is behind; none for one that is ahead of the end.
  if (place ->> 'now_ms')::numeric < (permit ->> 'not_before')::numeric - 5000 or (place ->> 'now_ms')::numeric > (permit ->> 'expires_at')::numeric then
    perform clyra.refuse('CLY_GUARD_GRANT_EXPIRED', 'the grant is not valid now; ask for the change again');
  end if;
  if permit ->> 'member' is not null and permit ->> 'member' is distinct from place ->> 'member' then
    perform clyra.refuse('CLY_GUARD_GRANT_MEMBER', 'the grant is for another statement; use clyra.execute with the approved text');
  end if;
end
$body$;

-- Uses a grant up in the present transaction. Returns the event id of the change that it belongs to.
create or replace function clyra.redeem(grant_text text, member_digest text default null) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $body$
declare
  permit jsonb := clyra.open_grant(grant_text);
  config clyra.setting%rowtype;
  digest bytea;
begin
  select * into config from clyra.setting;
  perform clyra.check_grant(permit, jsonb_build_object('source_id', config.source_id, 'database', current_database(),
    'role', session_user, 'member', member_digest, 'now_ms', extract(epoch from clock_timestamp()) * 1000));
  digest := sha256(convert_to(permit ->> 'token', 'UTF8'));
  delete from clyra.redemption where token_digest in (
    select token_digest from clyra.redemption
    where expires_at < clock_timestamp() - interval '1 day' order by expires_at limit 100 for update skip locked);
  insert into clyra.redemption (token_digest, xid, event_id, relations, operations, rows_max, expires_at, redeemed_by)
    values (digest, pg_current_xact_id(), permit ->> 'event_id',
      array(select jsonb_array_elements_text(permit -> 'relations')),
      array(select jsonb_array_elements_text(permit -> 'operations')),
      (permit ->> 'rows_max')::bigint, to_timestamp((permit ->> 'expires_at')::numeric / 1000), session_user)
    on conflict (token_digest) do nothing;
  if not found then
    perform clyra.refuse('CLY_GUARD_GRANT_USED', 'the grant was used before; each is for one use');
  end if;
  -- Transactional: the log names the receipt exactly when this transaction commits.
  perform pg_logical_emit_message(true, 'clyra', permit ->> 'token');
  return permit ->> 'event_id';
end
$body$;

-- Redeems a grant for exactly this text and runs it with the caller's own rights. Returns the rows of its last command.
create or replace function clyra.execute(grant_text text, statement text) returns bigint
language plpgsql volatile as $body$
declare
  row_count bigint;
begin
  perform clyra.redeem(grant_text, pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(statement, 'UTF8')), 'hex'));
  execute statement;
  get diagnostics row_count = row_count;
  return row_count;
end
$body$;

-- `schema.name` of a relation and, for a partition, of the tables above it; and the name under which it is guarded,
-- which it keeps when it is renamed or moved.
create or replace function clyra.names_of(target oid) returns text[]
language sql stable strict set search_path = pg_catalog, pg_temp as $body$
  with tree as (select target as relid union select a.relid::oid from pg_partition_ancestors(target::regclass) a)
  select array_agg(name) from (
    select n.nspname || '.' || c.relname as name from tree
      join pg_class c on c.oid = tree.relid join pg_namespace n on n.oid = c.relnamespace
    union select g.schema_name || '.' || g.relation_name from tree join clyra.guarded g on g.relation = tree.relid) named
$body$;

create or replace function clyra.is_guarded(names text[]) returns boolean
language sql stable set search_path = pg_catalog, pg_temp as $body$
  select exists (select from clyra.guarded where schema_name || '.' || relation_name = any(names))
$body$;

create or replace function clyra.permits(names text[], operation text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp as $body$
  select exists (select from clyra.redemption
    where xid = pg_current_xact_id_if_assigned() and operation = any(operations) and relations && names)
$body$;

create or replace function clyra.enforces() returns boolean
language sql stable set search_path = pg_catalog, pg_temp as $body$
  select coalesce((select guard_mode from clyra.setting), 'enforce') = 'enforce'
$body$;

create or replace function clyra.check_write() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
begin
  if clyra.enforces() and not clyra.permits(clyra.names_of(tg_relid), lower(tg_op)) then
    perform clyra.refuse('CLY_GUARD_NO_GRANT', format('no grant of this transaction allows %s on %s; send the change through the gateway and redeem its grant first',
      lower(tg_op), tg_relid::regclass));
  end if;
  return null;
end
$body$;

-- The rows of all guarded relations that the transaction wrote, against the sum of what its grants allow.
create or replace function clyra.count_rows() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
declare
  row_count bigint;
  done bigint;
  allowed bigint;
begin
  if tg_op = 'DELETE' then
    select count(*) into row_count from old_rows;
  else
    select count(*) into row_count from new_rows;
  end if;
  if row_count = 0 or not clyra.enforces() then
    return null;
  end if;
  update clyra.redemption set rows_done = rows_done + row_count
    where token_digest = (select token_digest from clyra.redemption
      where xid = pg_current_xact_id_if_assigned() order by token_digest limit 1);
  select sum(rows_done), sum(rows_max) into done, allowed from clyra.redemption
    where xid = pg_current_xact_id_if_assigned();
  if done is null or done > allowed then
    perform clyra.refuse('CLY_GUARD_ROWS', format('%s rows are more than the %s that were allowed; nothing is committed', done, allowed));
  end if;
  return null;
end
$body$;

create or replace function clyra.attach(target oid) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $body$
declare
  member oid;
  operation text;
  trigger_name text;
begin
  insert into clyra.attaching values (pg_backend_pid()) on conflict do nothing;
  for member in select relid::oid from pg_partition_tree(target::regclass) union select target loop
    insert into clyra.part select member, g.schema_name || '.' || g.relation_name from clyra.guarded g where g.relation = target
      on conflict (relation) do update set guarded_name = excluded.guarded_name;
    foreach operation in array array['insert', 'update', 'delete', 'truncate'] loop
      trigger_name := 'clyra_check_' || operation;
      if not exists (select from pg_trigger where tgrelid = member and tgname = trigger_name) then
        execute format('create trigger %I before %s on %s for each statement execute function clyra.check_write()',
          trigger_name, operation, member::regclass);
      end if;
      execute format('alter table %s enable always trigger %I', member::regclass, trigger_name);
      continue when operation = 'truncate';
      trigger_name := 'clyra_rows_' || operation;
      if not exists (select from pg_trigger where tgrelid = member and tgname = trigger_name) then
        execute format('create trigger %I after %s on %s referencing %s for each statement execute function clyra.count_rows()',
          trigger_name, operation, member::regclass,
          case operation when 'delete' then 'old table as old_rows' else 'new table as new_rows' end);
      end if;
      execute format('alter table %s enable always trigger %I', member::regclass, trigger_name);
    end loop;
  end loop;
  delete from clyra.attaching where backend = pg_backend_pid();
end
$body$;

-- What was taken off a guarded table, or renamed away from a guarded name, is guarded no longer: no policy names it.
create or replace function clyra.release(former oid) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $body$
declare
  attached name;
begin
  insert into clyra.attaching values (pg_backend_pid()) on conflict do nothing;
  for attached in select t.tgname from pg_trigger t join pg_proc p on p.oid = t.tgfoid
    where t.tgrelid = former and p.pronamespace = 'clyra'::regnamespace and not t.tgisinternal
  loop
    execute format('drop trigger %I on %s', attached, former::regclass);
  end loop;
  delete from clyra.part where relation = former;
  delete from clyra.attaching where backend = pg_backend_pid();
end
$body$;

-- Guards a table: triggers, no write privilege for anybody but clyra_writer, which the roles named are made members of.
-- What is taken away is written down, and uninstall.sql gives it back. The owner keeps its privileges; triggers bind it too.
create or replace function clyra.guard(target regclass, writers name[] default '{}') returns void
language plpgsql set search_path = pg_catalog, pg_temp as $body$
declare
  taken record;
  writer name;
begin
  if not exists (select from pg_class where oid = target and relkind in ('r', 'p')) then
    raise exception using errcode = 'CLY42', message = format('CLY_GUARD_KIND: %s is not a table', target);
  end if;
  insert into clyra.guarded (schema_name, relation_name, relation)
    select n.nspname, c.relname, c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = target
    on conflict (schema_name, relation_name) do update set relation = excluded.relation;
  perform clyra.attach(target);
  insert into clyra.attaching values (pg_backend_pid()) on conflict do nothing;
  for taken in
    select c.oid as relation, acl.grantee, acl.privilege_type as privilege, ''::name as column_name, acl.is_grantable
      from pg_class c, aclexplode(c.relacl) acl where c.oid in (select relid from pg_partition_tree(target) union select target)
        and acl.grantee <> c.relowner and acl.privilege_type in ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER')
    union all
    select a.attrelid, acl.grantee, acl.privilege_type, a.attname, acl.is_grantable
      from pg_attribute a join pg_class c on c.oid = a.attrelid, aclexplode(a.attacl) acl
      where a.attrelid in (select relid from pg_partition_tree(target) union select target)
        and acl.grantee <> c.relowner and acl.privilege_type in ('INSERT', 'UPDATE')
  loop
    continue when taken.grantee = 'clyra_writer'::regrole;
    insert into clyra.revoked values (taken.relation, taken.grantee, taken.privilege, taken.column_name, taken.is_grantable)
      on conflict do nothing;
    execute format('revoke %s%s on table %s from %s cascade', taken.privilege,
      case when taken.column_name = '' then '' else format(' (%I)', taken.column_name) end, taken.relation::regclass,
      case when taken.grantee = 0 then 'public' else taken.grantee::regrole::text end);
  end loop;
  execute format('grant select, insert, update, delete, truncate on table %s to clyra_writer', target);
  delete from clyra.attaching where backend = pg_backend_pid();
  foreach writer in array writers loop
    execute format('grant clyra_writer to %I', writer);
  end loop;
end
$body$;

-- The table that an object of the catalogue belongs to: itself, or what its index, trigger, rule, policy or default is on.
create or replace function clyra.relation_of(class oid, object oid) returns oid
language sql stable set search_path = pg_catalog, pg_temp as $body$
  select case class
    when 'pg_class'::regclass then (select case when c.relkind in ('r', 'p', 'v', 'm', 'f') then c.oid
      when c.relkind in ('i', 'I') then (select i.indrelid from pg_index i where i.indexrelid = c.oid) end
      from pg_class c where c.oid = object)
    when 'pg_trigger'::regclass then (select tgrelid from pg_trigger where oid = object)
    when 'pg_policy'::regclass then (select polrelid from pg_policy where oid = object)
    when 'pg_rewrite'::regclass then (select ev_class from pg_rewrite where oid = object)
    when 'pg_constraint'::regclass then (select nullif(conrelid, 0) from pg_constraint where oid = object)
    when 'pg_attrdef'::regclass then (select adrelid from pg_attrdef where oid = object)
  end
$body$;

create or replace function clyra.announce(tag text, objects jsonb) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $body$
begin
  perform pg_logical_emit_message(true, 'clyra.ddl', jsonb_build_object('tag', tag,
    'statement', encode(sha256(convert_to(coalesce(current_query(), ''), 'UTF8')), 'hex'), 'objects', objects)::text);
end
$body$;

create or replace function clyra.judge_ddl(names text[], what text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $body$
begin
  if clyra.enforces() and clyra.is_guarded(names) and not clyra.permits(names, 'ddl') then
    perform clyra.refuse('CLY_GUARD_DDL', format('no grant of this transaction allows schema changes of %s', what));
  end if;
end
$body$;

create or replace function clyra.on_ddl() returns event_trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
declare
  command record;
  target oid;
  named oid;
  objects jsonb := '[]';
  entry clyra.guarded%rowtype;
begin
  if exists (select from clyra.attaching where backend = pg_backend_pid()) then
    return;
  end if;
  for command in select classid, objid, object_type, object_identity from pg_event_trigger_ddl_commands() loop
    target := clyra.relation_of(command.classid, command.objid);
    if target is not null then
      perform clyra.judge_ddl(clyra.names_of(target), command.object_identity);
    end if;
    -- Judged are all; the message has a limit.
    continue when jsonb_array_length(objects) >= 1000;
    -- As what is written to a partition is named after the partitioned table at the top.
    named := coalesce(pg_partition_root(target), target);
    objects := objects || jsonb_build_object('type', command.object_type, 'identity', command.object_identity,
      'schema', (select n.nspname from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = named),
      'name', (select relname from pg_class where oid = named));
  end loop;
  if objects = '[]' and tg_tag like 'DROP %' then
    return;
  end if;
  perform clyra.announce(tg_tag, objects);
  -- A table made anew under a guarded name, as dbt makes them, and a new partition, are guarded from their first row on.
  for entry in select * from clyra.guarded loop
    if exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = entry.relation
        and (n.nspname, c.relname) is distinct from (entry.schema_name, entry.relation_name)) then
      -- Renamed, or its schema was: the log would call its changes by a name that nobody guards.
      perform clyra.judge_ddl(array[entry.schema_name || '.' || entry.relation_name], entry.relation::regclass::text);
    end if;
    target := to_regclass(format('%I.%I', entry.schema_name, entry.relation_name));
    if target is not null and exists (select from (select relid::oid as relid from pg_partition_tree(target::regclass) union select target) tree
        where not exists (select from pg_trigger where tgrelid = tree.relid and tgname = 'clyra_check_insert')) then
      perform clyra.guard(target);
    end if;
  end loop;
  for target in select p.relation from clyra.part p join pg_class c on c.oid = p.relation
    where not exists (select from clyra.guarded g where g.relation = p.relation
      or g.relation in (select a.relid::oid from pg_partition_ancestors(p.relation::regclass) a))
  loop
    perform clyra.release(target);
  end loop;
end
$body$;

create or replace function clyra.on_drop() returns event_trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
declare
  dropped record;
  objects jsonb := '[]';
  names text[];
  owners text[];
  formers jsonb;
  former jsonb;
  top regclass;
begin
  if exists (select from clyra.attaching where backend = pg_backend_pid()) then
    return;
  end if;
  select coalesce(jsonb_object_agg(d.schema_name || '.' || d.object_name, jsonb_build_array(g.schema_name, g.relation_name)), '{}') into formers
    from pg_event_trigger_dropped_objects() d join clyra.part p on p.relation = d.objid and d.classid = 'pg_class'::regclass and d.objsubid = 0
      join clyra.guarded g on g.schema_name || '.' || g.relation_name = p.guarded_name;
  for dropped in select object_type, objid, schema_name, object_name, object_identity, address_names
    from pg_event_trigger_dropped_objects() where not is_temporary
  loop
    if dropped.object_type in ('table', 'view', 'materialized view', 'foreign table') then
      names := array[dropped.schema_name, dropped.object_name];
    elsif dropped.object_type in ('table column', 'trigger', 'policy', 'rule', 'default value', 'table constraint') then
      names := dropped.address_names[1:2];
    else
      names := null;
    end if;
    if names is not null then
      -- Of a table that is still there, also what it is a partition of; of one that is gone, what it was.
      owners := array[names[1] || '.' || names[2]] || clyra.names_of(to_regclass(format('%I.%I', names[1], names[2])))
        || array(select guarded_name from clyra.part where relation = dropped.objid);
      perform clyra.judge_ddl(owners, dropped.object_identity);
      -- Named as in clyra_on_ddl; of a table that is gone, with all that went with it, as it was guarded.
      former := formers -> (names[1] || '.' || names[2]);
      top := pg_partition_root(to_regclass(format('%I.%I', names[1], names[2])));
      if former is not null then
        names := array[former ->> 0, former ->> 1];
      elsif top is not null then
        select array[n.nspname, c.relname] into names from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = top;
      end if;
      delete from clyra.part where relation = dropped.objid and dropped.object_type in ('table', 'foreign table');
    end if;
    if jsonb_array_length(objects) < 1000 then
      objects := objects || jsonb_build_object('type', dropped.object_type, 'identity', dropped.object_identity,
        'schema', names[1], 'name', names[2]);
    end if;
  end loop;
  -- What ALTER TABLE drops is announced by its own command.
  if tg_tag like 'DROP %' and objects <> '[]' then
    perform clyra.announce(tg_tag, objects);
  end if;
end
$body$;

-- Everything that a person or a program must know about the guard; `problems` empty means that it is whole.
create or replace function clyra.code_digest() returns text
language sql stable set search_path = pg_catalog, pg_temp as $body$
  select encode(sha256(convert_to(string_agg(concat_ws('|', p.proname, pg_get_function_identity_arguments(p.oid), p.prosecdef,
    array_to_string(p.proconfig, ','), p.prosrc), E'\n' order by p.proname, p.oid::regprocedure::text), 'UTF8')), 'hex')
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = 'clyra'
$body$;

create or replace function clyra.status() returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp as $body$
  with wanted as (
    select g.schema_name || '.' || g.relation_name as relation, tree.relid, t.tgname, t.tgenabled, w.name
    from clyra.guarded g
      cross join lateral (select to_regclass(format('%I.%I', g.schema_name, g.relation_name)) as oid) r
      left join lateral (select relid::oid as relid from pg_partition_tree(r.oid) union select r.oid::oid) tree on true
      cross join unnest(array['clyra_check_insert', 'clyra_check_update', 'clyra_check_delete', 'clyra_check_truncate',
        'clyra_rows_insert', 'clyra_rows_update', 'clyra_rows_delete']) w(name)
      left join pg_trigger t on t.tgrelid = tree.relid and t.tgname = w.name
  ), problems as (
    select 'CLY_GUARD_RELATION_MISSING: ' || relation || ' is guarded and not there' as problem from wanted where relid is null
    union select 'CLY_GUARD_TRIGGER_MISSING: ' || relid::regclass || ' lacks ' || name from wanted where relid is not null and tgname is null
    union select 'CLY_GUARD_TRIGGER_OFF: ' || relid::regclass || ' has ' || name || ' not enabled always' from wanted where tgenabled <> 'A'
    union select 'CLY_GUARD_EVENT_TRIGGER: ' || e.name || ' is missing or off'
      from unnest(array['clyra_on_ddl', 'clyra_on_drop']) e(name)
      where not exists (select from pg_event_trigger where evtname = e.name and evtenabled = 'A')
    union select 'CLY_GUARD_CODE: the functions of the guard are not those that were installed'
      where (select code_digest from clyra.setting) is distinct from clyra.code_digest()
    union select 'CLY_GUARD_KEY: no grant key is configured' where not exists (select from clyra.grant_key)
    union select 'CLY_GUARD_REVIEW: the guard only watches' where not clyra.enforces()
    union select 'CLY_GUARD_MESSAGES_OPEN: anybody may write logical messages, so a link in the log could be forged'
      where exists (select from pg_proc p where p.proname = 'pg_logical_emit_message'
        and p.pronamespace = 'pg_catalog'::regnamespace and has_function_privilege('public', p.oid, 'execute'))
  )
  select jsonb_build_object(
    'source_id', (select source_id from clyra.setting), 'mode', (select guard_mode from clyra.setting),
    'code_digest', clyra.code_digest(),
    'guarded', coalesce((select jsonb_agg(schema_name || '.' || relation_name order by 1) from clyra.guarded), '[]'),
    'redemptions', (select count(*) from clyra.redemption),
    'problems', coalesce((select jsonb_agg(problem order by problem) from problems), '[]'))
$body$;

-- Of tables that an older version of this guard attached.
insert into clyra.part select tree.relid, g.schema_name || '.' || g.relation_name
  from clyra.guarded g join pg_catalog.pg_class c on c.oid = g.relation
    cross join lateral (select relid::oid as relid from pg_catalog.pg_partition_tree(c.oid::regclass) union select c.oid) tree
  on conflict (relation) do nothing;

do $owners$
declare
  routine regprocedure;
  relation regclass;
begin
  for relation in select c.oid::regclass from pg_catalog.pg_class c where c.relnamespace = 'clyra'::regnamespace and c.relkind = 'r' loop
    execute pg_catalog.format('alter table %s owner to clyra_guard', relation);
  end loop;
  for routine in select p.oid::regprocedure from pg_catalog.pg_proc p where p.pronamespace = 'clyra'::regnamespace loop
    execute pg_catalog.format('revoke all on function %s from public', routine);
    -- The event triggers put triggers on tables of any owner, which only the installing superuser may.
    if routine::text not like 'clyra.on\_%' and routine::text not like 'clyra.attach%' then
      execute pg_catalog.format('alter function %s owner to clyra_guard', routine);
    end if;
  end loop;
  for routine in select p.oid::regprocedure from pg_catalog.pg_proc p
    where p.pronamespace = 'pg_catalog'::regnamespace and p.proname = 'pg_logical_emit_message'
  loop
    execute pg_catalog.format('revoke execute on function %s from public', routine);
    execute pg_catalog.format('grant execute on function %s to clyra_guard', routine);
  end loop;
end
$owners$;
update clyra.setting set code_digest = clyra.code_digest();
grant execute on function clyra.redeem(text, text), clyra.execute(text, text) to clyra_writer;

create event trigger clyra_on_ddl on ddl_command_end execute function clyra.on_ddl();
create event trigger clyra_on_drop on sql_drop execute function clyra.on_drop();
-- Also while session_replication_role is replica, as logical replication and restores set it.
alter event trigger clyra_on_ddl enable always;
alter event trigger clyra_on_drop enable always;
