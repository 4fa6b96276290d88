-- Silence: by when the next sign of life is due, and who is overdue.

-- By when each active entity has to answer again. `basis` says what that follows from: `limit`, its own silent_after;
-- `schedule`; `learned`, its history; `history`, which is too little to tell; `rule`, the limit of its type.
-- A schedule's rows count a run that came up to a minute early as the expected one.
create function rollcall_api.silence_deadlines(p_tenant text, p_ids text[])
returns table (entity_type text, entity_id text, entity_name text, state_since timestamptz, last_activity timestamptz,
               basis text, grace interval, deadline timestamptz)
language sql stable as $$
  select e.entity_type::text, e.entity_id, e.entity_name, e.state_since, l.last_activity, b.basis, g.grace,
         case b.basis
           when 'limit' then s.since + e.silent_after
           when 'schedule' then g.grace + case when s.since < c.expected_at - interval '1 minute' then c.expected_at else s.since + c.longest_gap end
           when 'learned' then g.grace + s.since + greatest(c.longest_gap, make_interval(hours => c.patience[
             ((extract(isodow from s.since at time zone 'UTC')::int - 1) * 24 + extract(hour from s.since at time zone 'UTC')::int + 1)]))
           else s.since + coalesce(own.silent_after, every.silent_after) end
    from rollcall.entities e
    join rollcall.gap_rules every on every.tenant_id = p_tenant and every.entity_type = '*'
    left join rollcall.gap_rules own on own.tenant_id = p_tenant and own.entity_type = e.entity_type
    left join rollcall.activity a on a.tenant_id = p_tenant and a.entity_id = e.entity_id
    left join rollcall.cadence c on c.tenant_id = p_tenant and c.entity_type = e.entity_type and c.entity_id = e.entity_id
   cross join lateral (select greatest(e.last_heartbeat, a.last_seen) as last_activity) l
   cross join lateral (select greatest(l.last_activity, e.state_since) as since) s
   cross join lateral (select case when c.source in ('schedule', 'learned') then coalesce(own.grace, every.grace) else interval '0' end as grace) g
   cross join lateral (select case when e.silent_after is not null then 'limit'
                                   when c.source = 'schedule' then 'schedule'
                                   when c.source = 'learned' and c.confidence >= 0.5 then 'learned'
                                   when c.samples > 0 then 'history'
                                   else 'rule' end as basis) b
   where e.tenant_id = p_tenant and e.entity_id = any (p_ids) and e.current_state = 'active';
$$;

-- Who may be silent at a moment: whom time has made due, and who was touched since the last check. Everybody else has a
-- later deadline, as arm_cadence() noted.
create function rollcall_api.silence_candidates(p_tenant text, p_now timestamptz, p_scope text[]) returns text[]
language plpgsql stable set search_path = rollcall, rollcall_api, pg_temp set plan_cache_mode = force_custom_plan as $$
declare v_from timestamptz := coalesce((select g.touched_upto - interval '1 minute' from gap_checks g where g.tenant_id = p_tenant), '-infinity');
begin
  return array(
    select c.entity_id from cadence c where c.tenant_id = p_tenant and c.look_at <= p_now and (p_scope is null or c.entity_id = any (p_scope))
    union
    select e.entity_id from entities e where e.tenant_id = p_tenant and e.updated_at >= v_from and (p_scope is null or e.entity_id = any (p_scope)));
end $$;

-- Instances that tell of themselves: through hooks, or asked through their API.
create function rollcall_api.connected_instances(p_tenant text) returns text[]
language sql stable set search_path = rollcall, rollcall_api, pg_temp as $$
  select array(select i.instance_id from n8n_instances i where i.tenant_id = p_tenant and i.inventoried_at is not null
               union select p.instance_id from n8n_processes p where p.tenant_id = p_tenant
               union select c.instance_id from n8n_connections c where c.tenant_id = p_tenant);
$$;

-- What makes silence prove less. p_hooks: hooks tell of every run whatever n8n itself keeps.
create function rollcall_api.weakening_flags(c rollcall.n8n_connections, p_hooks boolean, p_quiet interval) returns text[]
language sql immutable as $$
  select case when c.id is null or p_hooks then '{}'::text[] else
    array_remove(array[case when c.sampled then 'sampled' end, case when c.production_only then 'production_only' end,
      case when c.saves_no_success then 'saves_no_success' end,
      case when make_interval(hours => c.prunes_after) < p_quiet then 'prunes_after' end], null) end;
$$;

-- silent: active, and quiet for longer than its cadence allows. A workflow that n8n no longer has is `missing` instead.
-- However many the candidates are, each is looked up: one plan does for all.
create function rollcall_api.find_silent(p_tenant text, p_now timestamptz, p_scope text[])
returns table (kind text, entity_type text, entity_id text, subject text, severity text, summary text, evidence jsonb, grade text, since timestamptz)
language plpgsql stable set search_path = rollcall, rollcall_api, pg_temp set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare v_candidates text[] := silence_candidates(p_tenant, p_now, p_scope);
begin
  return query
  with overdue as materialized (
    select d.* from silence_deadlines(p_tenant, v_candidates) d where d.deadline < p_now
  ), known as materialized (
    select o.*, c.expected_at, c.longest_gap, c.timezone, c.rules, c.samples, c.p50_seconds, c.p95_seconds, c.p99_seconds, c.confidence,
           w.instance_id, w.state as n8n_state, w.gone, f.flags,
           o.entity_type = 'workflow' and o.basis = 'rule' and jsonb_typeof(e.metadata #> '{n8n,triggers}') = 'array'
             and not exists (select from jsonb_array_elements(e.metadata #> '{n8n,triggers}') t
                              where t->>'kind' not in ('manual', 'sub-workflow', 'error', 'evaluation', 'chat', 'form')) as on_demand
      from overdue o
      join entities e on e.tenant_id = p_tenant and e.entity_type = o.entity_type and e.entity_id = o.entity_id
      left join cadence c on c.tenant_id = p_tenant and c.entity_type = o.entity_type and c.entity_id = o.entity_id
      left join lateral (
        select (array_agg(n.instance_id order by n.deleted_at is not null, n.state = 'active' desc nulls last, n.instance_id))[1] as instance_id,
               (array_agg(n.state order by n.deleted_at is not null, n.state = 'active' desc nulls last, n.instance_id))[1] as state,
               bool_and(n.deleted_at is not null) as gone
          from n8n_workflows n
         where n.tenant_id = p_tenant and n.workflow_id = o.entity_id and n.instance_id <> '' and o.entity_type = 'workflow') w on true
      left join lateral (
        select weakening_flags(x, exists (select from n8n_processes p where p.tenant_id = p_tenant and p.instance_id = w.instance_id
                                             and p.reported_at > p_now - interval '1 day'), p_now - coalesce(o.last_activity, o.state_since)) as flags
          from n8n_connections x where x.tenant_id = p_tenant and x.instance_id = w.instance_id order by x.created_at limit 1) f on true
  ), graded as (
    select k.*, case
             when k.basis = 'history' or k.on_demand or 'saves_no_success' = any (k.flags) or 'prunes_after' = any (k.flags) then 'cannot_tell'
             when k.basis in ('learned', 'rule') or cardinality(k.flags) > 0 then 'likely'
             else 'certain' end as sure
      from known k
     where not coalesce(k.gone, false)
  )
  select 'silent', k.entity_type, k.entity_id, '',
         case k.sure when 'cannot_tell' then 'info' when 'certain' then 'critical' else 'warning' end,
         case when k.last_activity is null
                then format('%s is active but has never reported; %s since it became active.', k.entity_name, duration_text(p_now - k.state_since))
              else format('%s is active but has been quiet for %s.', k.entity_name, duration_text(p_now - k.last_activity)) end
         || case when k.basis = 'schedule' then format(' Its schedule had it run by %s.', to_char((k.deadline - k.grace) at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'))
                 when k.basis = 'learned' then format(' It never was for so long in %s arrivals.', k.samples)
                 when k.sure = 'cannot_tell' then ' Whether that is unusual cannot be told.' else '' end,
         jsonb_strip_nulls(jsonb_build_object('basis', k.basis, 'deadline', k.deadline, 'grace_seconds', extract(epoch from k.grace)::bigint,
           'expected_at', case when k.basis in ('schedule', 'learned') then k.deadline - k.grace end,
           'longest_gap_seconds', extract(epoch from k.longest_gap)::bigint, 'timezone', k.timezone, 'schedule_rules', nullif(k.rules, 0),
           'samples', nullif(k.samples, 0), 'p50_seconds', k.p50_seconds, 'p95_seconds', k.p95_seconds, 'p99_seconds', k.p99_seconds,
           'confidence', k.confidence, 'instance_id', k.instance_id, 'n8n_state', k.n8n_state,
           'workflow_id', case when k.instance_id is not null then k.entity_id end,
           'weakened_by', case when cardinality(k.flags) > 0 then to_jsonb(k.flags) end,
           'starts_on_demand', nullif(k.on_demand, false)))
         || jsonb_build_object('last_activity', k.last_activity, 'active_since', k.state_since, 'silent_after_seconds',
              extract(epoch from k.deadline - greatest(k.last_activity, k.state_since))::bigint),
         k.sure, k.deadline
    from graded k;
end $$;

-- A connected instance from which nothing is heard any more: hooks tell their inventory hourly, connections are asked at
-- their own interval. What is silent below it is listed under it.
create function rollcall_api.find_silent_instances(p_tenant text, p_now timestamptz, p_scope text[])
returns table (kind text, entity_type text, entity_id text, subject text, severity text, summary text, evidence jsonb, grade text, since timestamptz)
language plpgsql stable set search_path = rollcall, rollcall_api, pg_temp set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
begin
  return query
  with source as (
    select p.instance_id, max(p.reported_at) as heard_at, interval '3 hours' as patience, null::jsonb as connection
      from n8n_processes p where p.tenant_id = p_tenant group by p.instance_id
    union all
    select c.instance_id, max(coalesce(c.synced_at, c.created_at)), greatest(make_interval(secs => min(c.interval_seconds) * 3), interval '15 minutes'),
           (array_agg(jsonb_strip_nulls(jsonb_build_object('connection_id', c.id, 'connection', c.name, 'base_url', c.base_url,
              'interval_seconds', c.interval_seconds, 'last_error', c.last_error)) order by c.updated_at desc))[1]
      from n8n_connections c where c.tenant_id = p_tenant and not c.paused group by c.instance_id
  ), heard as (
    select s.instance_id, greatest(max(s.heard_at), max(i.last_seen)) as heard_at, max(s.patience) as patience,
           (array_agg(s.connection) filter (where s.connection is not null))[1] as connection
      from source s left join n8n_instances i on i.tenant_id = p_tenant and i.instance_id = s.instance_id
     where s.instance_id <> '' and (p_scope is null or s.instance_id = any (p_scope))
     group by s.instance_id
  )
  select 'silent', 'n8n_instance', h.instance_id, '', 'critical',
         format('Nothing has been heard of the n8n %s for %s.',
                coalesce(format('%s (%s)', h.connection->>'connection', h.connection->>'base_url'), 'instance ' || h.instance_id), duration_text(p_now - h.heard_at))
           || coalesce(' ' || (h.connection #>> '{last_error,detail}'), ''),
         coalesce(h.connection, '{}') || jsonb_build_object('instance_id', h.instance_id, 'last_heard', h.heard_at,
           'deadline', h.heard_at + h.patience, 'workflows', (
             select count(*) from n8n_workflows w where w.tenant_id = p_tenant and w.instance_id = h.instance_id and w.deleted_at is null)),
         'certain', h.heard_at + h.patience
    from heard h
   where h.heard_at + h.patience < p_now;
end $$;
