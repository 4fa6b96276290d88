-- Inventories through n8n's API: asked for, taken by one server, told of while they run, and ended.

create function rollcall_api.sync_json(c rollcall.n8n_connections) returns jsonb
language sql immutable as $$
  select jsonb_build_object('id', c.sync_id, 'connection_id', c.id, 'state', c.sync_state, 'requested_at', c.requested_at);
$$;

-- Asks for an inventory; one that waits or runs already is answered as it is.
create function rollcall_api.request_sync(p_tenant text, p_id uuid, p_now timestamptz) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare c n8n_connections;
begin
  perform enter(p_tenant);
  c := the_connection(p_tenant, p_id);
  if c.sync_state = 'idle' then
    update n8n_connections n set sync_id = gen_random_uuid(), sync_state = 'queued', requested_at = p_now, started_at = null, progress = null
     where n.tenant_id = p_tenant and n.id = p_id returning * into c;
  end if;
  return sync_json(c);
end $$;

-- Whose inventory is due: by the interval, or because whoever took it is gone. Each is answered to one caller: the next
-- one sees it queued just now.
create function rollcall_api.due_syncs(p_tenant text, p_now timestamptz, p_lost_before timestamptz) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare v_due jsonb;
begin
  perform enter(p_tenant);
  with due as materialized (
    select n.id from n8n_connections n
     where n.tenant_id = p_tenant
       and (n.sync_state = 'idle' and not n.paused and n.next_sync_at <= p_now
         or n.sync_state = 'queued' and n.requested_at < p_lost_before
         or n.sync_state = 'running' and n.leased_until < p_now)
     order by n.id for update skip locked
  ), taken as (
    update n8n_connections n set sync_id = gen_random_uuid(), sync_state = 'queued', requested_at = p_now, started_at = null, progress = null
      from due where n.tenant_id = p_tenant and n.id = due.id returning n.id
  ) select coalesce(jsonb_agg(id order by id), '[]') into v_due from taken;
  return v_due;
end $$;

-- Takes an inventory that waits; null when there is none, so that of several servers one does it.
create function rollcall_api.begin_sync(p_tenant text, p_id uuid, p_now timestamptz, p_leased_until timestamptz) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare c n8n_connections;
begin
  perform enter(p_tenant);
  update n8n_connections n set sync_state = 'running', started_at = p_now, leased_until = p_leased_until
   where n.tenant_id = p_tenant and n.id = p_id and n.sync_state = 'queued' returning * into c;
  if not found then return null; end if;
  return jsonb_build_object('sync_id', c.sync_id, 'name', c.name, 'base_url', c.base_url, 'sealed_key', c.sealed_key,
    'project_id', c.project_id, 'instance_id', c.instance_id, 'instance_by', c.instance_by,
    -- What was registered since it was read is read again: the registry has nothing yet of what its definition says.
    'seen', c.seen || coalesce((select jsonb_object_agg(w.workflow_id, '')
       from n8n_workflows w join entities e on e.tenant_id = p_tenant and e.entity_type = 'workflow' and e.entity_id = w.workflow_id
      where w.tenant_id = p_tenant and w.instance_id = c.instance_id and w.deleted_at is null and c.seen ? w.workflow_id
        and e.current_state <> 'deleted' and not coalesce(e.metadata->'n8n' ? 'definition_hash', false)), '{}'),
    'executions_from', c.executions_from, 'full_at', c.full_at);
end $$;

-- Answers whether the caller still has the inventory; if not, it was given to somebody else, or the connection is gone.
create function rollcall_api.progress_sync(p_tenant text, p_id uuid, p_sync uuid, p_leased_until timestamptz, p_progress jsonb) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
begin
  perform enter(p_tenant);
  update n8n_connections n set leased_until = p_leased_until, progress = p_progress
   where n.tenant_id = p_tenant and n.id = p_id and n.sync_id = p_sync and n.sync_state = 'running';
  return to_jsonb(found);
end $$;

-- p_end: {result, seen, executions_from, full_at} of an inventory that came to its end, {error: {code, detail}} of one
-- that did not: what was known then stays. What it changed is compared with it: whoever sees that it has ended finds its gaps.
create function rollcall_api.finish_sync(p_tenant text, p_id uuid, p_sync uuid, p_now timestamptz, p_end jsonb) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  v_changes boolean := coalesce((p_end #>> '{result,applied}')::int > 0, false);
  v_ended   boolean;
begin
  perform enter(p_tenant);
  if v_changes then perform lock_gaps(p_tenant); end if;
  update n8n_connections n set
    sync_state = 'idle', leased_until = null, progress = null, next_sync_at = p_now + n.interval_seconds * interval '1 second',
    last_error = nullif(p_end->'error', 'null') || jsonb_build_object('at', p_now),
    synced_at = case when p_end ? 'error' then n.synced_at else p_now end,
    last_result = coalesce(p_end->'result', n.last_result), seen = coalesce(p_end->'seen', n.seen),
    executions_from = coalesce((p_end->>'executions_from')::bigint, n.executions_from),
    full_at = coalesce((p_end->>'full_at')::timestamptz, n.full_at)
   where n.tenant_id = p_tenant and n.id = p_id and n.sync_id = p_sync and n.sync_state = 'running';
  v_ended := found;
  if v_ended and v_changes then perform check_gaps(p_tenant, p_now, false); end if;
  return to_jsonb(v_ended);
end $$;
