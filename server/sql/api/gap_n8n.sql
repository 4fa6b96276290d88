-- The registry beside what n8n has: unreported, missing, drifted, uninstrumented.

create function rollcall_api.find_n8n_gaps(p_tenant text, p_now timestamptz, p_scope text[])
returns table (kind text, entity_type text, entity_id text, subject text, severity text, summary text, evidence jsonb, grade text, since timestamptz)
language plpgsql stable set search_path = rollcall, rollcall_api, pg_temp set plan_cache_mode = force_custom_plan as $$
#variable_conflict use_column
begin
  -- unreported: a connected instance has it, the registry does not; or has it as deleted, while n8n runs it
  return query
  select 'unreported', 'workflow', w.workflow_id, '', 'warning',
         format('%s is a workflow of the n8n instance %s, but %s.', coalesce(min(w.name), w.workflow_id), min(w.instance_id),
                case when min(e.current_state) is null then 'is not registered' else 'the registry has it as deleted' end),
         jsonb_build_object('workflow_id', w.workflow_id, 'instance_id', min(w.instance_id), 'instances', count(*),
           'name', min(w.name), 'n8n_state', min(w.state), 'n8n_hash', min(w.definition_hash), 'registered_state', min(e.current_state),
           'present_at', max(w.present_at), 'last_activity', (select a.last_seen from activity a where a.tenant_id = p_tenant and a.entity_id = w.workflow_id)),
         'certain', null::timestamptz
    from n8n_workflows w
    left join entities e on e.tenant_id = p_tenant and e.entity_type = 'workflow' and e.entity_id = w.workflow_id
   where w.tenant_id = p_tenant and (p_scope is null or w.workflow_id = any (p_scope))
     and w.deleted_at is null and w.state is distinct from 'archived' and w.instance_id = any (connected_instances(p_tenant))
     and (e.entity_id is null or (e.current_state = 'deleted' and w.state = 'active'))
   group by w.workflow_id;

  -- missing: registered, and every instance that had it has it no longer
  return query
  select 'missing', 'workflow', e.entity_id, '', case when e.current_state = 'active' then 'critical' else 'warning' end,
         format('%s is registered, but n8n no longer has it (%s).', e.entity_name, min(w.state_cause)),
         jsonb_build_object('workflow_id', e.entity_id, 'instance_id', (array_agg(w.instance_id order by w.deleted_at desc, w.instance_id))[1],
           'gone_since', max(w.deleted_at), 'because', min(w.state_cause), 'last_present', max(w.present_at), 'registered_state', e.current_state),
         case when bool_and(w.state_cause = 'inventory without it' and c.sampled) then 'likely' else 'certain' end, null::timestamptz
    from n8n_workflows w
    join entities e on e.tenant_id = p_tenant and e.entity_type = 'workflow' and e.entity_id = w.workflow_id
    left join n8n_connections c on c.tenant_id = p_tenant and c.instance_id = w.instance_id
   where w.tenant_id = p_tenant and (p_scope is null or w.workflow_id = any (p_scope)) and w.instance_id <> ''
     and w.deleted_at is not null and e.current_state not in ('deleted', 'archived')
     and not exists (select from n8n_workflows o
                      where o.tenant_id = p_tenant and o.workflow_id = w.workflow_id and o.instance_id <> '' and o.deleted_at is null)
   group by e.entity_id, e.entity_name, e.current_state;

  -- drifted: another definition than the registered one. What the Register Workflow node registers is the definition of a
  -- run, in which n8n has filled in defaults: its hash is never that of the stored one.
  return query
  select 'drifted', 'workflow', e.entity_id, '', 'warning',
         format('The definition of %s in the n8n instance %s is not the registered one.', e.entity_name, w.instance_id),
         jsonb_build_object('workflow_id', e.entity_id, 'instance_id', w.instance_id, 'n8n_hash', w.definition_hash, 'registered_hash', e.definition_hash,
           'n8n_version_id', w.version_id, 'registered_version', e.version, 'registered_by', e.registered_by),
         case when i.others > 0 then 'likely' else 'certain' end, null::timestamptz
    from entities e
    join n8n_workflows w on w.tenant_id = p_tenant and w.workflow_id = e.entity_id
   cross join lateral (
     select count(*) filter (where o.definition_hash = e.definition_hash) as same, count(*) filter (where o.instance_id <> w.instance_id) as others,
            min(o.instance_id) as first
       from n8n_workflows o
      where o.tenant_id = p_tenant and o.workflow_id = e.entity_id and o.deleted_at is null and o.instance_id <> '') i
   where e.tenant_id = p_tenant and (p_scope is null or e.entity_id = any (p_scope)) and e.entity_type = 'workflow'
     and e.current_state not in ('deleted', 'archived') and w.deleted_at is null and w.instance_id <> ''
     and w.definition_hash like 'sha256:%' and e.definition_hash like 'sha256:%' and w.definition_hash <> e.definition_hash
     and e.registered_by <> 'n8n'
     -- Of several instances, one that has the registered definition is the one that is meant.
     and i.same = 0 and w.instance_id = i.first;

  -- uninstrumented: active, and nothing would tell of its runs
  return query
  with recent as materialized (
    select distinct x.instance_id, s.source
      from (select r.instance_id, r.sources from executions r where r.tenant_id = p_tenant order by r.began desc, r.id desc limit 1000) x,
           unnest(x.sources) s(source)
     where s.source in ('hooks', 'otlp', 'log', 'sync') and x.instance_id is not null
  ), covered as materialized (
    select r.instance_id from recent r
    union select p.instance_id from n8n_processes p where p.tenant_id = p_tenant
    union select v.instance_id from n8n_events v where v.tenant_id = p_tenant and v.last_seen > p_now - interval '1 day'
             and v.name in ('execution.started', 'execution.finished', 'hooks.status', 'inventory')
    -- One that fails is a channel still: that it is silent is a gap of its instance, not of each workflow.
    union select c.instance_id from n8n_connections c where c.tenant_id = p_tenant and not c.paused and c.synced_at is not null
             and not c.saves_no_success
  )
  select 'uninstrumented', 'workflow', e.entity_id, '', 'warning',
         format('%s is active in n8n, but nothing would tell of its runs.', e.entity_name),
         jsonb_build_object('workflow_id', e.entity_id, 'instance_id', w.instance_id, 'n8n_state', w.state, 'last_activity', null,
           'looked_for', array['hooks', 'tracing', 'log', 'connection', 'nodes of Rollcall', 'telemetry', 'heartbeats'],
           'definition_known', w.facts_hash is not null),
         case when w.facts_hash is null then 'likely' else 'certain' end, null::timestamptz
    from n8n_workflows w
    join entities e on e.tenant_id = p_tenant and e.entity_type = 'workflow' and e.entity_id = w.workflow_id
   where w.tenant_id = p_tenant and (p_scope is null or w.workflow_id = any (p_scope))
     and w.state = 'active' and w.deleted_at is null and w.instance_id <> '' and e.current_state = 'active'
     and w.instance_id not in (select c.instance_id from covered c)
     and e.last_heartbeat is null and not 'app:rollcall' = any (e.capabilities)
     and not exists (select from activity a where a.tenant_id = p_tenant and a.entity_id = e.entity_id)
     -- Of several instances, the first that nobody covers.
     and not exists (select from n8n_workflows o
                      where o.tenant_id = p_tenant and o.workflow_id = w.workflow_id and o.instance_id < w.instance_id and o.instance_id <> ''
                        and o.deleted_at is null and o.state = 'active');
end $$;
