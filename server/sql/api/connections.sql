-- Connections to n8n instances: what the operator decides of them.

create function rollcall_api.connection_json(c rollcall.n8n_connections) returns jsonb
language sql stable set search_path = rollcall, rollcall_api, pg_temp as $$
  select jsonb_build_object(
    'id', c.id, 'name', c.name, 'base_url', c.base_url, 'key_hint', c.key_hint, 'labels', to_jsonb(c.labels),
    'interval_seconds', c.interval_seconds, 'paused', c.paused, 'sampled', c.sampled, 'production_only', c.production_only,
    'saves_no_success', c.saves_no_success, 'prunes_after', c.prunes_after,
    'instance_id', c.instance_id, 'instance_by', c.instance_by, 'project_id', c.project_id,
    'created_at', c.created_at, 'created_by', c.created_by, 'updated_at', c.updated_at,
    'sync', jsonb_build_object(
      'id', c.sync_id, 'state', c.sync_state, 'requested_at', c.requested_at,
      'started_at', c.started_at, 'progress', c.progress),
    'synced_at', c.synced_at, 'next_sync_at', case when not c.paused then c.next_sync_at end,
    'last_result', c.last_result, 'last_error', c.last_error,
    'workflows', (
      select jsonb_build_object('total', count(*) filter (where w.deleted_at is null),
               'active', count(*) filter (where w.state = 'active'), 'gone', count(*) filter (where w.deleted_at is not null))
        from n8n_workflows w where w.tenant_id = c.tenant_id and w.instance_id = c.instance_id));
$$;

create function rollcall_api.the_connection(p_tenant text, p_id uuid) returns rollcall.n8n_connections
language plpgsql set search_path = rollcall, rollcall_api, pg_temp as $$
declare c n8n_connections;
begin
  select * into c from n8n_connections where tenant_id = p_tenant and id = p_id for update;
  if not found then
    raise exception using errcode = 'RC404', message = format('There is no n8n connection %s.', p_id);
  end if;
  return c;
end $$;

-- One instance, one connection that speaks for it: two would tell of each other's executions.
create function rollcall_api.refuse_second_connection(p_tenant text, p_id uuid, p_base_url text, p_instance text) returns void
language plpgsql set search_path = rollcall, rollcall_api, pg_temp as $$
declare c n8n_connections;
begin
  select * into c from n8n_connections o
   where o.tenant_id = p_tenant and o.id is distinct from p_id and (o.base_url = p_base_url or o.instance_id = p_instance)
   order by o.created_at limit 1;
  if found then
    raise exception using errcode = 'RC409', message = format('The connection %s (%s) is to the same n8n. Change that one, or delete it first.', c.name, c.id);
  end if;
end $$;

-- p_connection: the fields of a connection as its creator gave them, sealed_key and key_hint in place of the key.
create function rollcall_api.create_connection(
  p_tenant text, p_project text, p_actor text, p_connection jsonb, p_now timestamptz
) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  c n8n_connections;
  v_id uuid := gen_random_uuid();
  v_instance text := p_connection->>'instance_id';
begin
  perform enter(p_tenant);
  perform pg_advisory_xact_lock(hashtextextended('rollcall.n8n:' || p_tenant, 0));
  perform refuse_second_connection(p_tenant, null, p_connection->>'base_url', v_instance);
  insert into n8n_connections (tenant_id, id, project_id, name, base_url, sealed_key, key_hint, labels, interval_seconds, paused, sampled,
    production_only, saves_no_success, prunes_after, instance_id, instance_by, created_at, created_by, updated_at, next_sync_at)
  values (p_tenant, v_id, p_project, p_connection->>'name', p_connection->>'base_url', p_connection->>'sealed_key', p_connection->>'key_hint',
    array(select jsonb_array_elements_text(p_connection->'labels')), (p_connection->>'interval_seconds')::int,
    (p_connection->>'paused')::boolean, (p_connection->>'sampled')::boolean, (p_connection->>'production_only')::boolean,
    (p_connection->>'saves_no_success')::boolean, (p_connection->>'prunes_after')::int,
    coalesce(v_instance, 'connection:' || v_id), case when v_instance is null then 'unknown' else 'operator' end,
    p_now, p_actor, p_now, p_now)
  returning * into c;
  return connection_json(c);
end $$;

-- p_changes: only what is to change. A new instance_id takes along what stood under the old one.
create function rollcall_api.update_connection(p_tenant text, p_id uuid, p_changes jsonb, p_now timestamptz) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  c n8n_connections;
  v_from text;
begin
  perform enter(p_tenant);
  perform pg_advisory_xact_lock(hashtextextended('rollcall.n8n:' || p_tenant, 0));
  c := the_connection(p_tenant, p_id);
  v_from := c.instance_id;
  perform refuse_second_connection(p_tenant, p_id, p_changes->>'base_url', p_changes->>'instance_id');
  update n8n_connections n set
    name = coalesce(p_changes->>'name', n.name), base_url = coalesce(p_changes->>'base_url', n.base_url),
    sealed_key = coalesce(p_changes->>'sealed_key', n.sealed_key), key_hint = coalesce(p_changes->>'key_hint', n.key_hint),
    labels = case when p_changes ? 'labels' then array(select jsonb_array_elements_text(p_changes->'labels')) else n.labels end,
    interval_seconds = coalesce((p_changes->>'interval_seconds')::int, n.interval_seconds),
    next_sync_at = case when p_changes ? 'interval_seconds' and n.synced_at is not null
      then n.synced_at + (p_changes->>'interval_seconds')::int * interval '1 second' else n.next_sync_at end,
    paused = coalesce((p_changes->>'paused')::boolean, n.paused),
    sampled = coalesce((p_changes->>'sampled')::boolean, n.sampled),
    production_only = coalesce((p_changes->>'production_only')::boolean, n.production_only),
    saves_no_success = coalesce((p_changes->>'saves_no_success')::boolean, n.saves_no_success),
    prunes_after = case when p_changes ? 'prunes_after' then (p_changes->>'prunes_after')::int else n.prunes_after end,
    instance_id = coalesce(p_changes->>'instance_id', n.instance_id),
    instance_by = case when p_changes ? 'instance_id' then 'operator' else n.instance_by end,
    -- Another n8n may stand behind another address: all of it is looked at anew.
    seen = case when p_changes ? 'base_url' then '{}' else n.seen end,
    executions_from = case when p_changes ? 'base_url' then null else n.executions_from end,
    updated_at = p_now
   where n.tenant_id = p_tenant and n.id = p_id returning * into c;
  if c.instance_id <> v_from and v_from = 'connection:' || p_id then
    perform move_instance(p_tenant, v_from, c.instance_id);
  end if;
  return connection_json(c);
end $$;

-- What only this connection knew goes with it; executions stay.
create function rollcall_api.delete_connection(p_tenant text, p_id uuid) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  c n8n_connections;
  v_own text := 'connection:' || p_id;
begin
  perform enter(p_tenant);
  perform pg_advisory_xact_lock(hashtextextended('rollcall.n8n:' || p_tenant, 0));
  c := the_connection(p_tenant, p_id);
  delete from n8n_connections where tenant_id = p_tenant and id = p_id;
  delete from n8n_workflows where tenant_id = p_tenant and instance_id = v_own;
  delete from n8n_events where tenant_id = p_tenant and instance_id = v_own;
  delete from n8n_instances where tenant_id = p_tenant and instance_id = v_own;
  return connection_json(c);
end $$;

create function rollcall_api.get_connection(p_tenant text, p_id uuid) returns jsonb
language plpgsql stable security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare c n8n_connections;
begin
  perform enter(p_tenant);
  select * into c from n8n_connections where tenant_id = p_tenant and id = p_id;
  if not found then
    raise exception using errcode = 'RC404', message = format('There is no n8n connection %s.', p_id);
  end if;
  return connection_json(c);
end $$;

create function rollcall_api.list_connections(p_tenant text, p_limit int, p_after jsonb default null) returns jsonb
language plpgsql stable security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare v_rows jsonb;
begin
  perform enter(p_tenant);
  select jsonb_agg(connection_json(c) order by c.created_at, c.id) into v_rows
    from (select * from n8n_connections n
           where n.tenant_id = p_tenant
             and (p_after is null or (n.created_at, n.id) > ((p_after->>0)::timestamptz, (p_after->>1)::uuid))
           order by n.created_at, n.id limit p_limit + 1) c;
  return page(v_rows, p_limit, array['created_at', 'id']);
end $$;

-- Where n8n is asked, and the sealed key: for the server alone. p_which: the id of a connection, or of an n8n instance.
create function rollcall_api.connection_target(p_tenant text, p_which text) returns jsonb
language plpgsql stable security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare v_target jsonb;
begin
  perform enter(p_tenant);
  select jsonb_build_object('id', c.id, 'name', c.name, 'base_url', c.base_url, 'sealed_key', c.sealed_key) into v_target
    from n8n_connections c
   where c.tenant_id = p_tenant and (c.id::text = p_which or c.instance_id = p_which)
   order by c.id::text = p_which desc limit 1;
  if not found then
    raise exception using errcode = 'RC404', message = format(
      'No connection leads to the n8n %s. Make one with POST /api/v1/n8n/connections, or give an existing one this instance_id.', p_which);
  end if;
  return v_target;
end $$;
