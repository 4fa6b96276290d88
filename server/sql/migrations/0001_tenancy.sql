-- Who a row belongs to, and how the database knows it.

create table rollcall.tenants (
  tenant_id  text collate "C" primary key check (tenant_id ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
  name       text not null,
  created_at timestamptz not null default now()
);

create table rollcall.projects (
  tenant_id  text collate "C" not null references rollcall.tenants,
  project_id text collate "C" not null check (project_id ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$'),
  name       text not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, project_id)
);

-- Database roles of people and dashboards (psql, Grafana) that may read one tenant through `public`.
create table rollcall.sql_access (
  role_name  name primary key,
  tenant_id  text collate "C" not null references rollcall.tenants
);

create table rollcall.api_keys (
  id           uuid primary key default gen_random_uuid(),
  tenant_id    text collate "C" not null,
  project_id   text collate "C" not null,
  name         text not null check (length(name) between 1 and 200),
  prefix       text not null,
  key_hash     bytea not null unique check (octet_length(key_hash) = 32),
  scopes       text[] not null check (cardinality(scopes) > 0),
  created_at   timestamptz not null default now(),
  created_by   text not null,
  expires_at   timestamptz,
  revoked_at   timestamptz,
  last_used_at timestamptz,
  foreign key (tenant_id, project_id) references rollcall.projects
);
create index api_keys_by_tenant on rollcall.api_keys (tenant_id, created_at, id);

-- The role that asked. Inside a security definer function current_user is the owner, so the
-- session's own role has to be read where SET ROLE left it.
create function rollcall.caller() returns name
language sql stable
return case current_setting('role') when 'none' then session_user else current_setting('role')::name end;

create function rollcall.tenant_of_role(p_role name) returns text
language sql stable security definer set search_path = rollcall, pg_temp
return (select a.tenant_id from rollcall.sql_access a where a.role_name = p_role);

-- The tenant of someone who speaks SQL to `public`: servers choose it by a setting, mapped roles have
-- one, and on Supabase a signed-in user's token names it.
create function rollcall.caller_tenant() returns text
language sql stable
return case
  when pg_has_role(rollcall.caller(), 'rollcall_server', 'member')
    then coalesce(nullif(current_setting('rollcall.tenant_id', true), ''), 'default')
  when rollcall.caller() = 'authenticated'
    then nullif(current_setting('request.jwt.claims', true), '')::json #>> '{app_metadata,tenant_id}'
  else rollcall.tenant_of_role(rollcall.caller())
end;

-- What every row-level policy compares with: in our own functions the tenant they entered, else the caller's.
create function rollcall.tenant() returns text
language sql stable
return case
  when current_user = 'rollcall_owner' then nullif(current_setting('rollcall.tenant_id', true), '')
  else rollcall.caller_tenant()
end;

create function rollcall.enter(p_tenant text) returns void
language plpgsql set search_path = rollcall, pg_temp as $$
begin
  if p_tenant is null or not exists (select from rollcall.tenants t where t.tenant_id = p_tenant) then
    raise exception using errcode = 'RC404', message = format('There is no tenant %s.', coalesce(quote_literal(p_tenant), 'here'));
  end if;
  perform set_config('rollcall.tenant_id', p_tenant, true);
  -- Times leave as UTC, wherever the database stands.
  perform set_config('timezone', 'UTC', true);
end $$;

alter table rollcall.tenants enable row level security;
alter table rollcall.tenants force row level security;
create policy owner_lists_tenants on rollcall.tenants using (current_user = 'rollcall_owner');

alter table rollcall.sql_access enable row level security;
alter table rollcall.sql_access force row level security;
create policy owner_maps_roles on rollcall.sql_access using (current_user = 'rollcall_owner');

alter table rollcall.projects enable row level security;
alter table rollcall.projects force row level security;
create policy own_tenant on rollcall.projects using (tenant_id = (select rollcall.tenant()));

-- A key is looked up before its tenant is known: whoever shows its hash may see that one row.
alter table rollcall.api_keys enable row level security;
alter table rollcall.api_keys force row level security;
create policy own_tenant on rollcall.api_keys using (tenant_id = (select rollcall.tenant()));
create policy shown_key on rollcall.api_keys
  using (current_user = 'rollcall_owner'
         and key_hash = decode(nullif(current_setting('rollcall.shown_key', true), ''), 'hex'));

alter table rollcall.schema_migrations enable row level security;
alter table rollcall.schema_migrations force row level security;
create policy owner_keeps_history on rollcall.schema_migrations using (current_user = 'rollcall_owner');
