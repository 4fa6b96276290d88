-- The registry beside what n8n has: unreported, missing, drifted, uninstrumented.

-- Instances whose runs would be told of: lately they were, or something reports that would.
create function rollcall_api.covered_instances(p_tenant text, p_now timestamptz) returns text[]
language sql stable as $$
  select array(
    select distinct x.instance_id
      from (select r.instance_id, r.sources from rollcall.executions r where r.tenant_id = p_tenant order by r.began desc, r.id desc limit 1000) x
     where x.sources && array['hooks', 'otlp', 'log'] and x.instance_id is not null
    union select p.instance_id from rollcall.n8n_processes p where p.tenant_id = p_tenant
    union select v.instance_id from rollcall.n8n_events v where v.tenant_id = p_tenant and v.last_seen > p_now - interval '1 day'
             and v.name in ('execution.started', 'execution.finished', 'hooks.status', 'inventory')
    -- One that fails for the moment is no reason to instrument anything.
    union select c.instance_id from rollcall.n8n_connections c where c.tenant_id = p_tenant and not c.paused and c.synced_at is not null
             and not c.saves_no_success);
$$;

-- What people call instances, by id: the name of a connection that leads there, the oldest one's where several do.
create function rollcall_api.instance_names(p_tenant text) returns jsonb
language sql stable as $$
  select coalesce(jsonb_object_agg(c.instance_id, c.name order by c.created_at desc, c.id), '{}')
    from rollcall.n8n_connections c where c.tenant_id = p_tenant;
$$;

-- Both sides are read and joined once; each kind is a choice among the pairs that differ.
create function rollcall_api.find_n8n_gaps(p_tenant text, p_now timestamptz, p_whole boolean, p_ids text[])
returns table (kind text, entity_type text, entity_id text, subject text, severity text, summary text, evidence jsonb, grade text, since timestamptz)
language sql stable as $$
  with pair as materialized (
    select * from (
    select w.workflow_id, w.instance_id, w.name, w.state, w.state_cause, w.present_at, w.deleted_at, w.version_id, w.definition_hash, w.facts_hash,
           e.entity_id, e.entity_name, e.current_state, e.version, e.registered_by, e.definition_hash as registered_hash,
           -- The Register Workflow node registers the definition of a run, in which n8n has filled in defaults: its hash is
           -- never that of the stored one.
           w.definition_hash like 'sha256:%' and e.definition_hash like 'sha256:%' and w.definition_hash <> e.definition_hash
             and e.registered_by <> 'n8n' and e.current_state not in ('deleted', 'archived') as differs,
           w.state = 'active' and e.current_state = 'active' and w.instance_id <> all ((select rollcall_api.covered_instances(p_tenant, p_now))::text[])
             and e.last_heartbeat is null and a.entity_id is null and not 'app:rollcall' = any (e.capabilities) as is_unheard
      from rollcall.n8n_workflows w
      left join rollcall.entities e on e.tenant_id = p_tenant and e.entity_type = 'workflow' and e.entity_id = w.workflow_id
      left join rollcall.activity a on a.tenant_id = p_tenant and a.entity_id = w.workflow_id
     where w.tenant_id = p_tenant and (p_whole or w.workflow_id = any (p_ids)) and w.instance_id <> '') p
     where p.differs or p.is_unheard or p.deleted_at is not null or p.entity_id is null or p.current_state = 'deleted'
  )
  -- unreported: a connected instance has it, the registry does not; or has it as deleted, while n8n runs it
  select 'unreported', 'workflow', w.workflow_id, '', 'warning',
         format('%s is a workflow of the n8n instance %s, but %s.', coalesce(min(w.name), w.workflow_id),
                coalesce((select rollcall_api.instance_names(p_tenant)) ->> min(w.instance_id), min(w.instance_id)),
                case when min(w.current_state) is null then 'is not registered' else 'the registry has it as deleted' end),
         jsonb_build_object('workflow_id', w.workflow_id, 'instance_id', min(w.instance_id), 'instances', count(*),
           'name', min(w.name), 'n8n_state', min(w.state), 'n8n_hash', min(w.definition_hash), 'registered_state', min(w.current_state),
           'present_at', max(w.present_at), 'last_activity', (select a.last_seen from rollcall.activity a where a.tenant_id = p_tenant and a.entity_id = w.workflow_id)),
         'certain', null::timestamptz
    from pair w
   where w.deleted_at is null and w.state is distinct from 'archived' and w.instance_id = any ((select rollcall_api.connected_instances(p_tenant))::text[])
     and (w.entity_id is null or (w.current_state = 'deleted' and w.state = 'active'))
   group by w.workflow_id

  union all
  -- missing: registered, and every instance that had it has it no longer
  select 'missing', 'workflow', w.entity_id, '', case when w.current_state = 'active' then 'critical' else 'warning' end,
         format('%s is registered, but n8n no longer has it (%s).', w.entity_name, min(w.state_cause)),
         jsonb_build_object('workflow_id', w.entity_id, 'instance_id', (array_agg(w.instance_id order by w.deleted_at desc, w.instance_id))[1],
           'gone_since', max(w.deleted_at), 'because', min(w.state_cause), 'last_present', max(w.present_at), 'registered_state', w.current_state),
         case when bool_and(w.state_cause = 'inventory without it' and c.sampled) then 'likely' else 'certain' end, null::timestamptz
    from pair w
    left join rollcall.n8n_connections c on c.tenant_id = p_tenant and c.instance_id = w.instance_id
   where w.deleted_at is not null and w.entity_id is not null and w.current_state not in ('deleted', 'archived')
     and not exists (select from rollcall.n8n_workflows o
                      where o.tenant_id = p_tenant and o.workflow_id = w.workflow_id and o.instance_id <> '' and o.deleted_at is null)
   group by w.entity_id, w.entity_name, w.current_state

  union all
  -- drifted: another definition than the registered one. Of several instances, one that has the registered definition is
  -- the one that is meant.
  select 'drifted', 'workflow', w.entity_id, '', 'warning',
         format('The definition of %s in the n8n instance %s is not the registered one.', w.entity_name,
                coalesce((select rollcall_api.instance_names(p_tenant)) ->> w.instance_id, w.instance_id)),
         jsonb_build_object('workflow_id', w.entity_id, 'instance_id', w.instance_id, 'n8n_hash', w.definition_hash, 'registered_hash', w.registered_hash,
           'n8n_version_id', w.version_id, 'registered_version', w.version, 'registered_by', w.registered_by),
         case when i.others > 0 then 'likely' else 'certain' end, null::timestamptz
    from pair w
   cross join lateral (
     select count(*) filter (where o.definition_hash = w.registered_hash) as same, count(*) filter (where o.instance_id <> w.instance_id) as others,
            min(o.instance_id) as first
       from rollcall.n8n_workflows o
      where o.tenant_id = p_tenant and o.workflow_id = w.entity_id and o.deleted_at is null and o.instance_id <> '') i
   where w.differs and w.deleted_at is null and i.same = 0 and w.instance_id = i.first

  union all
  -- uninstrumented: active, and nothing would tell of its runs. Of several instances, the first that nobody covers.
  select 'uninstrumented', 'workflow', w.entity_id, '', 'warning',
         format('%s is active in n8n, but nothing would tell of its runs.', w.entity_name),
         jsonb_build_object('workflow_id', w.entity_id, 'instance_id', w.instance_id, 'n8n_state', w.state, 'last_activity', null,
           'looked_for', array['hooks', 'tracing', 'log', 'connection', 'nodes of Rollcall', 'telemetry', 'heartbeats'],
           'definition_known', w.facts_hash is not null),
         case when w.facts_hash is null then 'likely' else 'certain' end, null::timestamptz
    from pair w
   where w.is_unheard and w.deleted_at is null
     and w.instance_id = (select min(o.instance_id) from rollcall.n8n_workflows o
                           where o.tenant_id = p_tenant and o.workflow_id = w.workflow_id and o.instance_id <> '' and o.deleted_at is null
                             and o.state = 'active');
$$;
