-- Tenants, projects and keys.

create function rollcall_api.create_tenant(p_tenant text, p_name text) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
begin
  insert into tenants (tenant_id, name) values (p_tenant, p_name) on conflict do nothing;
  perform enter(p_tenant);
  insert into projects (tenant_id, project_id, name) values (p_tenant, 'default', 'Default') on conflict do nothing;
  insert into gap_rules (tenant_id, entity_type, needs_parent, silent_after, stuck_after)
  values (p_tenant, '*', false, '24 hours', '30 minutes'),
         (p_tenant, 'agent', true, '24 hours', '30 minutes')
  on conflict do nothing;
  return jsonb_build_object('tenant_id', p_tenant, 'name', p_name);
end $$;

create function rollcall_api.list_tenants() returns jsonb
language sql stable security definer set search_path = rollcall, rollcall_api, pg_temp as $$
  select coalesce(jsonb_agg(t.tenant_id order by t.tenant_id), '[]') from tenants t;
$$;

create function rollcall_api.project_json(p rollcall.projects) returns jsonb
language sql stable as $$
  select jsonb_build_object('project_id', p.project_id, 'name', p.name, 'created_at', p.created_at);
$$;

-- Creating a project twice is a success; a name that is null keeps the one it has.
create function rollcall_api.create_project(p_tenant text, p_project text, p_name text) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  v_project projects;
  v_created boolean;
begin
  perform enter(p_tenant);
  insert into projects (tenant_id, project_id, name) values (p_tenant, p_project, coalesce(p_name, p_project))
  on conflict do nothing;
  v_created := found;
  update projects set name = coalesce(p_name, name) where tenant_id = p_tenant and project_id = p_project
  returning * into v_project;
  return jsonb_build_object('outcome', case when v_created then 'created' else 'updated' end, 'project', project_json(v_project));
end $$;

create function rollcall_api.list_projects(p_tenant text, p_limit int, p_after jsonb default null) returns jsonb
language plpgsql stable security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare v_rows jsonb;
begin
  perform enter(p_tenant);
  select jsonb_agg(project_json(p) order by p.project_id) into v_rows
    from (select * from projects r
           where r.tenant_id = p_tenant and (p_after is null or r.project_id > p_after->>0)
           order by r.project_id limit p_limit + 1) p;
  return page(v_rows, p_limit, array['project_id']);
end $$;

-- Which of these projects there are.
create function rollcall_api.known_projects(p_tenant text, p_projects jsonb) returns jsonb
language plpgsql stable security definer set search_path = rollcall, rollcall_api, pg_temp as $$
begin
  perform enter(p_tenant);
  return (select coalesce(jsonb_agg(p.project_id), '[]') from projects p
           where p.tenant_id = p_tenant and p.project_id = any (array(select jsonb_array_elements_text(p_projects))));
end $$;

create function rollcall_api.key_json(k rollcall.api_keys) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'id', k.id, 'name', k.name, 'prefix', k.prefix, 'scopes', k.scopes, 'project_id', k.project_id,
    'created_at', k.created_at, 'created_by', k.created_by, 'expires_at', k.expires_at,
    'revoked_at', k.revoked_at, 'last_used_at', k.last_used_at);
$$;

-- p_hash: hex of the SHA-256 of the key. Creating the same key twice is a success (the bootstrap key).
create function rollcall_api.create_key(
  p_tenant text, p_project text, p_name text, p_prefix text, p_hash text, p_scopes jsonb,
  p_created_by text, p_expires_at timestamptz default null
) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare v_key api_keys;
begin
  perform enter(p_tenant);
  insert into api_keys (tenant_id, project_id, name, prefix, key_hash, scopes, created_by, expires_at)
  values (p_tenant, p_project, p_name, p_prefix, decode(p_hash, 'hex'),
          array(select jsonb_array_elements_text(p_scopes)), p_created_by, p_expires_at)
  on conflict (key_hash) do nothing
  returning * into v_key;
  if not found then
    select * into v_key from api_keys where tenant_id = p_tenant and key_hash = decode(p_hash, 'hex');
    if not found then
      raise exception using errcode = 'RC409', message = 'Another tenant has this key.', detail = '{"code": "key_taken"}',
        hint = 'Make a new one.';
    end if;
  end if;
  return key_json(v_key);
end $$;

-- null when no such key, or it is revoked or expired.
create function rollcall_api.verify_key(p_hash text, p_now timestamptz) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare v_result jsonb;
begin
  perform set_config('rollcall.shown_key', p_hash, true);
  select jsonb_build_object('key_id', k.id, 'tenant_id', k.tenant_id, 'project_id', k.project_id,
                            'name', k.name, 'scopes', k.scopes, 'expires_at', k.expires_at)
    into v_result
    from api_keys k
   where k.key_hash = decode(p_hash, 'hex')
     and k.revoked_at is null
     and (k.expires_at is null or k.expires_at > p_now);
  perform set_config('rollcall.shown_key', '', true);
  return v_result;
end $$;

create function rollcall_api.touch_key(p_tenant text, p_key uuid, p_used_at timestamptz) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
begin
  perform enter(p_tenant);
  update api_keys set last_used_at = greatest(last_used_at, p_used_at) where tenant_id = p_tenant and id = p_key;
  return 'true';
end $$;

create function rollcall_api.list_keys(p_tenant text, p_limit int, p_after jsonb default null) returns jsonb
language plpgsql stable security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare v_rows jsonb;
begin
  perform enter(p_tenant);
  select jsonb_agg(key_json(k) order by k.created_at, k.id) into v_rows
    from (select * from api_keys a
           where a.tenant_id = p_tenant
             and (p_after is null or (a.created_at, a.id) > ((p_after->>0)::timestamptz, (p_after->>1)::uuid))
           order by a.created_at, a.id
           limit p_limit + 1) k;
  return page(v_rows, p_limit, array['created_at', 'id']);
end $$;

create function rollcall_api.revoke_key(p_tenant text, p_key uuid, p_now timestamptz) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare v_key api_keys;
begin
  perform enter(p_tenant);
  update api_keys set revoked_at = coalesce(revoked_at, p_now)
   where tenant_id = p_tenant and id = p_key
  returning * into v_key;
  if not found then
    raise exception using errcode = 'RC404', message = format('There is no key %s.', p_key),
      hint = 'List the keys to see their ids.';
  end if;
  return key_json(v_key);
end $$;

-- One page of rows that were read with one more than asked for. The cursor holds the last row's sort
-- fields; a field named `sort` is for that alone.
create function rollcall_api.page(p_rows jsonb, p_limit int, p_sort text[]) returns jsonb
language plpgsql immutable as $$
begin
  return jsonb_build_object(
    'items', (select coalesce(jsonb_agg(r - 'sort' order by n), '[]')
                from jsonb_array_elements(coalesce(p_rows, '[]')) with ordinality e(r, n) where n <= p_limit),
    'next', case when jsonb_array_length(p_rows) > p_limit
      then (select jsonb_agg(p_rows -> (p_limit - 1) -> f order by i) from unnest(p_sort) with ordinality s(f, i)) end);
end $$;

-- For /readyz and for a server that may not migrate: which text of the schema is installed.
create function rollcall_api.schema_version() returns jsonb
language sql stable security definer set search_path = rollcall, rollcall_api, pg_temp as $$
  select jsonb_object_agg(m.name, m.checksum) from schema_migrations m;
$$;
