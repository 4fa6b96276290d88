-- Roles and schemas. Runs as the connecting user at every migrate; each statement may run again.
-- rollcall_owner owns everything and cannot bypass row-level security; rollcall_server may only call
-- the functions of rollcall_api. Both are cluster-wide, so another database may have made them first.
do $$
begin
  if not exists (select from pg_roles where rolname = 'rollcall_owner') then
    create role rollcall_owner nologin;
  end if;
exception when duplicate_object or unique_violation then null;
end $$;

do $$
begin
  if not exists (select from pg_roles where rolname = 'rollcall_server') then
    create role rollcall_server nologin;
  end if;
exception when duplicate_object or unique_violation then null;
end $$;

-- People and dashboards that read `public`; which tenant is theirs stands in rollcall.sql_access.
do $$
begin
  if not exists (select from pg_roles where rolname = 'rollcall_reader') then
    create role rollcall_reader nologin;
  end if;
exception when duplicate_object or unique_violation then null;
end $$;

do $$
begin
  if not pg_has_role(current_user, 'rollcall_owner', 'usage') then
    execute format('grant rollcall_owner to %I', current_user);
  end if;
  if not pg_has_role(current_user, 'rollcall_server', 'usage') then
    execute format('grant rollcall_server to %I', current_user);
  end if;
  -- Supabase reaches the database as service_role.
  if exists (select from pg_roles where rolname = 'service_role')
     and not pg_has_role('service_role', 'rollcall_server', 'usage') then
    grant rollcall_server to service_role;
  end if;
end $$;

create schema if not exists rollcall authorization rollcall_owner;
create schema if not exists rollcall_api authorization rollcall_owner;
grant usage, create on schema public to rollcall_owner;
