-- What is known of connected n8n instances, and how long their events are remembered.

create function rollcall_api.n8n_instance_json(i rollcall.n8n_instances) returns jsonb
language sql stable set search_path = rollcall, rollcall_api, pg_temp as $$
  select jsonb_build_object(
    'instance_id', i.instance_id, 'n8n_version', i.n8n_version, 'first_seen', i.first_seen, 'last_seen', i.last_seen,
    'inventoried_at', i.inventoried_at,
    'workflows', (
      select jsonb_build_object(
               'total', count(*) filter (where w.deleted_at is null),
               'active', count(*) filter (where w.state = 'active'),
               'archived', count(*) filter (where w.state = 'archived'),
               'deleted', count(*) filter (where w.deleted_at is not null))
        from n8n_workflows w where w.tenant_id = i.tenant_id and w.instance_id = i.instance_id),
    'processes', (
      select coalesce(jsonb_agg(jsonb_build_object('role', p.role, 'started_at', p.started_at, 'reported_at', p.reported_at,
               'hooks_version', p.hooks_version, 'n8n_version', p.n8n_version, 'hooks', p.hooks) order by p.reported_at desc, p.role), '[]')
        from n8n_processes p where p.tenant_id = i.tenant_id and p.instance_id = i.instance_id));
$$;

create function rollcall_api.list_instances(p_tenant text, p_limit int, p_after jsonb default null) returns jsonb
language plpgsql stable security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare v_rows jsonb;
begin
  perform enter(p_tenant);
  select jsonb_agg(n8n_instance_json(r) order by r.instance_id) into v_rows
    from (select * from n8n_instances i where i.tenant_id = p_tenant and (p_after is null or i.instance_id > p_after->>0)
           order by i.instance_id limit p_limit + 1) r;
  return page(v_rows, p_limit, array['instance_id']);
end $$;

-- p_filter: {instance_id, workflow_id, active, archived, deleted, text}. What is gone is left out unless `deleted` asks for it; so is
-- what somebody told without an instance once an instance is known to have it.
create function rollcall_api.list_instance_workflows(p_tenant text, p_filter jsonb, p_limit int, p_after jsonb default null) returns jsonb
language plpgsql stable security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  v_text text := '%' || regexp_replace(p_filter->>'text', '([\\%_])', '\\\1', 'g') || '%';
  v_rows jsonb;
begin
  perform enter(p_tenant);
  select jsonb_agg(jsonb_build_object(
           'sort', r.instance_id, 'instance_id', nullif(r.instance_id, ''), 'workflow_id', r.workflow_id, 'name', r.name,
           'state', r.state, 'state_at', r.state_at, 'state_cause', r.state_cause, 'active', coalesce(r.state = 'active', false),
           'archived', coalesce(r.state = 'archived', false), 'deleted_at', r.deleted_at, 'version_id', r.version_id,
           'active_version_id', r.active_version_id, 'definition_hash', r.definition_hash, 'project', r.project,
           'tags', coalesce(to_jsonb(r.tags), '[]'), 'trigger_count', r.trigger_count, 'node_count', r.node_count,
           'inventory_id', r.inventory_id, 'first_seen', r.first_seen, 'seen_at', r.seen_at,
           'registered', exists (select from entities e where e.tenant_id = p_tenant and e.entity_type = 'workflow'
                                   and e.entity_id = r.workflow_id and e.current_state <> 'deleted'))
         order by r.instance_id, r.workflow_id)
    into v_rows
    from (select * from n8n_workflows w
           where w.tenant_id = p_tenant
             and (p_after is null or (w.instance_id, w.workflow_id) > (p_after->>0, p_after->>1))
             and (w.deleted_at is not null) = coalesce((p_filter->>'deleted')::boolean, false)
             and (not p_filter ? 'instance_id' or w.instance_id = p_filter->>'instance_id')
             and (not p_filter ? 'workflow_id' or w.workflow_id = p_filter->>'workflow_id')
             and (not p_filter ? 'active' or coalesce(w.state = 'active', false) = (p_filter->>'active')::boolean)
             and (not p_filter ? 'archived' or coalesce(w.state = 'archived', false) = (p_filter->>'archived')::boolean)
             and (not p_filter ? 'text' or w.name ilike v_text or w.workflow_id ilike v_text)
             and (w.instance_id <> '' or not exists (
               select from n8n_workflows o where o.tenant_id = p_tenant and o.workflow_id = w.workflow_id and o.instance_id <> ''))
           order by w.instance_id, w.workflow_id limit p_limit + 1) r;
  return page(v_rows, p_limit, array['sort', 'workflow_id']);
end $$;

-- p_filter: {instance_id, handling}.
create function rollcall_api.list_lifecycle_events(p_tenant text, p_filter jsonb, p_limit int, p_after jsonb default null) returns jsonb
language plpgsql stable security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare v_rows jsonb;
begin
  perform enter(p_tenant);
  select jsonb_agg(jsonb_build_object('sort', r.instance_id, 'name', r.name, 'instance_id', nullif(r.instance_id, ''), 'handling', r.handling,
           'events', r.events, 'first_seen', r.first_seen, 'last_seen', r.last_seen, 'samples', r.samples)
         order by r.name, r.instance_id)
    into v_rows
    from (select * from n8n_events e
           where e.tenant_id = p_tenant
             and (p_after is null or (e.name, e.instance_id) > (p_after->>0, p_after->>1))
             and (not p_filter ? 'instance_id' or e.instance_id = p_filter->>'instance_id')
             and (not p_filter ? 'handling' or e.handling = p_filter->>'handling')
           order by e.name, e.instance_id limit p_limit + 1) r;
  return page(v_rows, p_limit, array['name', 'sort']);
end $$;

-- Forgets which events were counted before p_before, inventories that began before it, and processes silent for a week more.
create function rollcall_api.forget_lifecycle(p_tenant text, p_before timestamptz) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare v_ids bigint;
begin
  perform enter(p_tenant);
  perform pg_advisory_xact_lock(hashtextextended('rollcall.n8n:' || p_tenant, 0));
  with gone as (delete from n8n_event_ids where tenant_id = p_tenant and seen_at < p_before returning 1)
  select count(*) into v_ids from gone;
  delete from n8n_inventories where tenant_id = p_tenant and started_at < p_before;
  delete from n8n_processes where tenant_id = p_tenant and reported_at < p_before - interval '7 days';
  return jsonb_build_object('forgotten', v_ids);
end $$;
