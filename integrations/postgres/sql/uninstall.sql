-- SPDX-License-Identifier: Apache-2.0
-- Takes the guard off this database and gives back the privileges it took. Run by a superuser; does nothing where there
-- is no guard. The roles clyra_guard and clyra_writer stay: other databases of the server may use them.
drop event trigger if exists clyra_on_ddl;
drop event trigger if exists clyra_on_drop;

do $uninstall$
declare
  taken record;
  attached record;
  routine regprocedure;
begin
  if to_regclass('clyra.guarded') is null then
    return;
  end if;
  for attached in select t.tgname, t.tgrelid::regclass as relation from pg_catalog.pg_trigger t
    join pg_catalog.pg_proc p on p.oid = t.tgfoid
    where p.pronamespace = 'clyra'::regnamespace and not t.tgisinternal and t.tgparentid = 0
  loop
    execute pg_catalog.format('drop trigger %I on %s', attached.tgname, attached.relation);
  end loop;
  for taken in select r.* from clyra.revoked r join pg_catalog.pg_class c on c.oid = r.relation
    where r.grantee = 0 or exists (select from pg_catalog.pg_roles where oid = r.grantee)
  loop
    execute pg_catalog.format('grant %s%s on table %s to %s%s', taken.privilege,
      case when taken.column_name = '' then '' else pg_catalog.format(' (%I)', taken.column_name) end,
      taken.relation::regclass, case when taken.grantee = 0 then 'public' else taken.grantee::regrole::text end,
      case when taken.is_grantable then ' with grant option' else '' end);
  end loop;
  for taken in select c.oid::regclass as relation from pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) acl
    where acl.grantee = 'clyra_writer'::regrole and c.relkind in ('r', 'p') group by c.oid
  loop
    execute pg_catalog.format('revoke all on table %s from clyra_writer', taken.relation);
  end loop;
  for routine in select p.oid::regprocedure from pg_catalog.pg_proc p
    where p.pronamespace = 'pg_catalog'::regnamespace and p.proname = 'pg_logical_emit_message'
  loop
    execute pg_catalog.format('revoke execute on function %s from clyra_guard', routine);
    execute pg_catalog.format('grant execute on function %s to public', routine);
  end loop;
end
$uninstall$;

drop schema if exists clyra_guard cascade;
drop schema if exists clyra cascade;
