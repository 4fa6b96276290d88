-- Finding gaps: what the registry says, what exists in n8n and what was observed, compared as whole sets. `since`: the moment
-- at which time alone makes it a gap; null where it takes an event.
--
-- A kind that has (p_whole, p_ids) is one query that folds into its caller, with one plan for the whole fleet and another one
-- for some ids: p_whole is a constant there.

-- In PL/pgSQL, for it is called for every gap: a function in SQL that does not fold into its query is started each time.
create function rollcall_api.duration_text(p interval) returns text
language plpgsql immutable as $$
begin
  return case
    when p >= interval '2 days' then floor(extract(epoch from p) / 86400) || ' days'
    when p >= interval '2 hours' then floor(extract(epoch from p) / 3600) || ' hours'
    when p >= interval '2 minutes' then floor(extract(epoch from p) / 60) || ' minutes'
    else floor(extract(epoch from p)) || ' seconds' end;
end $$;

-- p_scope: ids to look at, everything when null.
create function rollcall_api.find_gaps(p_tenant text, p_now timestamptz, p_scope text[] default null)
returns table (kind text, entity_type text, entity_id text, subject text, severity text, summary text, evidence jsonb, grade text, since timestamptz)
language plpgsql stable set search_path = rollcall, rollcall_api, pg_temp as $$
begin
  if p_scope is null then return query select * from find_all_gaps(p_tenant, p_now);
  else return query select * from find_gaps_of(p_tenant, p_now, p_scope); end if;
  return query select * from find_silent(p_tenant, p_now, p_scope);
  return query select * from find_silent_instances(p_tenant, p_now, p_scope);
  return query select * from find_overruns(p_tenant, p_now, p_scope);
end $$;

-- Without hash joins: both sides come sorted from an index, and a hash of all ids is larger than a processor's caches.
create function rollcall_api.find_all_gaps(p_tenant text, p_now timestamptz)
returns table (kind text, entity_type text, entity_id text, subject text, severity text, summary text, evidence jsonb, grade text, since timestamptz)
language plpgsql stable set search_path = rollcall, rollcall_api, pg_temp set plan_cache_mode = force_custom_plan set enable_hashjoin = off as $$
begin
  return query select * from find_unregistered(p_tenant, true, null);
  return query select * from find_orphaned(p_tenant, true, null);
  return query select * from find_broken_dependencies(p_tenant, true, null);
  return query select * from find_stuck(p_tenant, p_now, true, null);
  return query select * from find_n8n_gaps(p_tenant, p_now, true, null);
end $$;

-- Planned once: however many the ids are, each is looked up.
create function rollcall_api.find_gaps_of(p_tenant text, p_now timestamptz, p_ids text[])
returns table (kind text, entity_type text, entity_id text, subject text, severity text, summary text, evidence jsonb, grade text, since timestamptz)
language plpgsql stable set search_path = rollcall, rollcall_api, pg_temp set plan_cache_mode = force_generic_plan as $$
begin
  return query select * from find_unregistered(p_tenant, false, p_ids);
  return query select * from find_orphaned(p_tenant, false, p_ids);
  return query select * from find_broken_dependencies(p_tenant, false, p_ids);
  return query select * from find_stuck(p_tenant, p_now, false, p_ids);
  return query select * from find_n8n_gaps(p_tenant, p_now, false, p_ids);
end $$;

-- Named by telemetry, unknown to the registry (a deleted entity is known) and to connected instances, whose workflows are
-- `unreported`. What it was first taken for stays while the gap is open, or each other protocol would make another gap of it.
-- Ids alone first: two indexes side by side tell which are unknown, and hardly any is.
create function rollcall_api.find_unregistered(p_tenant text, p_whole boolean, p_ids text[])
returns table (kind text, entity_type text, entity_id text, subject text, severity text, summary text, evidence jsonb, grade text, since timestamptz)
language sql stable as $$
  with stranger as materialized (
    select a.entity_id from rollcall.activity a
     where a.tenant_id = p_tenant and (p_whole or a.entity_id = any (p_ids))
       and not exists (select from rollcall.entities e where e.tenant_id = p_tenant and e.entity_id = a.entity_id)
  )
  select 'unregistered',
         case when k.entity_type is not null then k.entity_type::text
              when a.last_protocol = 'mcp' and a.as_target > 0 then 'mcp_server'
              when a.last_protocol = 'a2a' then 'team'
              when a.last_protocol = 'n8n' and a.as_source > 0 then 'workflow'
              else 'service' end,
         a.entity_id, '', 'warning',
         format('%s is named in telemetry (%s so far) but is not registered.', a.entity_id, case a.as_source + a.as_target when 1 then 'one event' else a.as_source + a.as_target || ' events' end),
         jsonb_build_object('first_seen', a.first_seen, 'last_seen', a.last_seen, 'as_source', a.as_source, 'as_target', a.as_target,
                            'errors', a.errors, 'last_protocol', a.last_protocol, 'last_peer', a.last_peer),
         'certain', null::timestamptz
    from stranger s
    join rollcall.activity a on a.tenant_id = p_tenant and a.entity_id = s.entity_id
    left join rollcall.gaps k
      on k.tenant_id = p_tenant and k.kind = 'unregistered' and k.entity_id = s.entity_id and k.closed_at is null
   where not exists (select from rollcall.n8n_workflows w
                      where w.tenant_id = p_tenant and w.workflow_id = s.entity_id and w.deleted_at is null
                        and w.instance_id = any ((select rollcall_api.connected_instances(p_tenant))::text[]));
$$;

-- Of the types that there are, those whose entities need a parent. Each type takes one step in an index.
create function rollcall_api.types_in_need_of_a_parent(p_tenant text) returns text[]
language sql stable set search_path = rollcall, rollcall_api, pg_temp as $$
  with recursive known as (
    (select e.entity_type from entities e where e.tenant_id = p_tenant order by e.entity_type limit 1)
    union all
    select (select e.entity_type from entities e where e.tenant_id = p_tenant and e.entity_type > k.entity_type order by e.entity_type limit 1)
      from known k where k.entity_type is not null
  )
  select array(
    select k.entity_type::text from known k
      join gap_rules every on every.tenant_id = p_tenant and every.entity_type = '*'
      left join gap_rules own on own.tenant_id = p_tenant and own.entity_type = k.entity_type
     where k.entity_type is not null and coalesce(own.needs_parent, every.needs_parent));
$$;

-- orphaned: without the parent its type needs, or below one that is gone. Each parent is looked up once.
create function rollcall_api.find_orphaned(p_tenant text, p_whole boolean, p_ids text[])
returns table (kind text, entity_type text, entity_id text, subject text, severity text, summary text, evidence jsonb, grade text, since timestamptz)
language sql stable as $$
  with named as (
    select e.parent_type, e.parent_id from rollcall.entities e
     where e.tenant_id = p_tenant and e.parent_id is not null and (p_whole or e.entity_id = any (p_ids))
     group by e.parent_type, e.parent_id
  ), gone as materialized (
    select n.parent_type, n.parent_id, p.current_state
      from named n left join rollcall.entities p on p.tenant_id = p_tenant and p.entity_type = n.parent_type and p.entity_id = n.parent_id
     where coalesce(p.current_state, 'deleted') = 'deleted'
  ), orphan as (
    select e.entity_type, e.entity_id, e.entity_name, e.parent_type, e.parent_id, e.current_state, g.current_state as parent_state
      from gone g join rollcall.entities e on e.tenant_id = p_tenant and e.parent_type = g.parent_type and e.parent_id = g.parent_id
     where p_whole or e.entity_id = any (p_ids)
    union all
    select e.entity_type, e.entity_id, e.entity_name, null, null, e.current_state, null
      from rollcall.entities e
     where e.tenant_id = p_tenant and e.parent_id is null and (p_whole or e.entity_id = any (p_ids))
       and e.entity_type = any ((select rollcall_api.types_in_need_of_a_parent(p_tenant))::text[])
  )
  select 'orphaned', o.entity_type::text, o.entity_id, '', 'warning',
         case when o.parent_id is null then format('%s has no parent, and every %s needs one.', o.entity_name, o.entity_type)
              when o.parent_state is null then format('%s is below %s %s, which is not registered.', o.entity_name, o.parent_type, o.parent_id)
              else format('%s is below %s %s, which is deleted.', o.entity_name, o.parent_type, o.parent_id) end,
         jsonb_build_object('parent_type', o.parent_type, 'parent_id', o.parent_id, 'parent_state', o.parent_state,
                            'needs_parent', coalesce(own.needs_parent, every.needs_parent)),
         'certain', null::timestamptz
    from orphan o
    join rollcall.gap_rules every on every.tenant_id = p_tenant and every.entity_type = '*'
    left join rollcall.gap_rules own on own.tenant_id = p_tenant and own.entity_type = o.entity_type
   where o.current_state not in ('deleted', 'archived');
$$;

-- Dependencies on what is unregistered, or unfit: of some ids, each is looked up; of a fleet, first what is lost or unfit,
-- which is little, and then who leans on it.
create function rollcall_api.broken_dependencies(p_tenant text, p_ids text[]) returns setof rollcall.entity_dependencies
language plpgsql stable set search_path = rollcall, rollcall_api, pg_temp set plan_cache_mode = force_generic_plan set enable_hashjoin = off as $$
begin
  if p_ids is not null then
    return query
    select d.* from entities e
      join entity_dependencies d on d.tenant_id = p_tenant and d.entity_type = e.entity_type and d.entity_id = e.entity_id
      left join entities t on t.tenant_id = p_tenant and t.entity_type = d.target_type and t.entity_id = d.target_id
     where e.tenant_id = p_tenant and e.entity_id = any (p_ids)
       and (t.entity_id is null or t.current_state in ('deleted', 'archived', 'inactive', 'error') or t.health_status = 'unhealthy');
    return;
  end if;
  return query
  select d.* from entities t
    join entity_dependencies d on d.tenant_id = p_tenant and d.target_type = t.entity_type and d.target_id = t.entity_id
   where t.tenant_id = p_tenant and (t.current_state in ('deleted', 'archived', 'inactive', 'error') or t.health_status = 'unhealthy');
  return query
  with lost as materialized (
    select d.target_type, d.target_id from entity_dependencies d
     where d.tenant_id = p_tenant
       and not exists (select from entities t where t.tenant_id = p_tenant and t.entity_type = d.target_type and t.entity_id = d.target_id)
     group by d.target_type, d.target_id
  )
  select d.* from lost l
    join entity_dependencies d on d.tenant_id = p_tenant and d.target_type = l.target_type and d.target_id = l.target_id;
end $$;

-- broken_dependency: leans on something unregistered, deleted, inactive or unhealthy
create function rollcall_api.find_broken_dependencies(p_tenant text, p_whole boolean, p_ids text[])
returns table (kind text, entity_type text, entity_id text, subject text, severity text, summary text, evidence jsonb, grade text, since timestamptz)
language sql stable as $$
  select 'broken_dependency', e.entity_type::text, e.entity_id, d.target_type || '/' || d.target_id,
         case when t.entity_id is null or t.current_state in ('deleted', 'archived') or t.health_status = 'unhealthy' then 'critical' else 'warning' end,
         format('%s depends on %s %s, which is %s.', e.entity_name, d.target_type, coalesce(t.entity_name, d.target_id),
                case when t.entity_id is null then 'not registered'
                     when t.current_state in ('deleted', 'archived', 'inactive', 'error') then t.current_state::text else t.health_status::text end),
         jsonb_build_object('target_type', d.target_type, 'target_id', d.target_id, 'origin', d.origin,
                            'target_registered', t.entity_id is not null, 'target_state', t.current_state, 'target_health', t.health_status),
         'certain', null::timestamptz
    from rollcall_api.broken_dependencies(p_tenant, case when not p_whole then p_ids end) d
    join rollcall.entities e on e.tenant_id = p_tenant and e.entity_type = d.entity_type and e.entity_id = d.entity_id
    left join rollcall.entities t on t.tenant_id = p_tenant and t.entity_type = d.target_type and t.entity_id = d.target_id
   where e.current_state not in ('deleted', 'archived', 'inactive');
$$;

-- stuck: in a transitional state for too long
create function rollcall_api.find_stuck(p_tenant text, p_now timestamptz, p_whole boolean, p_ids text[])
returns table (kind text, entity_type text, entity_id text, subject text, severity text, summary text, evidence jsonb, grade text, since timestamptz)
language sql stable as $$
  select 'stuck', e.entity_type::text, e.entity_id, '', 'warning',
         format('%s has been %s for %s.', e.entity_name, e.current_state, rollcall_api.duration_text(p_now - e.state_since)),
         jsonb_build_object('current_state', e.current_state, 'state_since', e.state_since,
                            'last_activity', greatest(e.last_heartbeat, a.last_seen),
                            'stuck_after_seconds', extract(epoch from coalesce(own.stuck_after, every.stuck_after))::bigint),
         'certain', e.state_since + coalesce(own.stuck_after, every.stuck_after)
    from rollcall.entities e
    join rollcall.gap_rules every on every.tenant_id = p_tenant and every.entity_type = '*'
    left join rollcall.gap_rules own on own.tenant_id = p_tenant and own.entity_type = e.entity_type
    left join rollcall.activity a on a.tenant_id = p_tenant and a.entity_id = e.entity_id
   where e.tenant_id = p_tenant and (p_whole or e.entity_id = any (p_ids))
     and e.current_state in ('created', 'deploying') and e.state_since < p_now - coalesce(own.stuck_after, every.stuck_after);
$$;

-- Started, not ended, and under way for longer than three times what its workflow usually takes at most (the 99th
-- percentile of its latest 200 ends), five minutes at least. Fewer than five ends prove nothing; nor does a run that was
-- lost where n8n's record keeps no success, or not for so long. What only Emit nodes told of has no true start: it neither
-- overruns nor says what is usual.
create function rollcall_api.find_overruns(p_tenant text, p_now timestamptz, p_scope text[])
returns table (kind text, entity_type text, entity_id text, subject text, severity text, summary text, evidence jsonb, grade text, since timestamptz)
language plpgsql stable set search_path = rollcall, rollcall_api, pg_temp set plan_cache_mode = force_custom_plan as $$
#variable_conflict use_column
begin
  return query
  with running as materialized (
    select x.workflow_id, x.execution_id, x.id, x.status, coalesce(x.started_at, x.began) as began, false as untold from executions x
     where x.tenant_id = p_tenant and x.status = 'running' and x.sources <> '{emit}' and (p_scope is null or x.workflow_id = any (p_scope))
       and x.began < p_now - interval '5 minutes'
    union all
    -- Given up as lost, as long as no later run went well.
    select x.workflow_id, x.execution_id, x.id, x.status, coalesce(x.started_at, x.began),
           exists (select from n8n_connections c
                    where c.tenant_id = p_tenant and c.instance_id = x.instance_id and x.sources <@ '{sync,emit}'
                      and (c.saves_no_success or make_interval(hours => c.prunes_after) < p_now - x.began)) from executions x
     where x.tenant_id = p_tenant and x.status = 'lost' and x.sources <> '{emit}' and (p_scope is null or x.workflow_id = any (p_scope))
       and x.lost_at > p_now - interval '1 day' and x.began > p_now - interval '30 days'
       and not exists (select from executions later
                        where later.tenant_id = p_tenant and later.workflow_id = x.workflow_id and later.began > x.began and later.status = 'success')
  ), usual as materialized (
    select w.workflow_id, count(d.duration_ms) as ends, percentile_disc(0.99) within group (order by d.duration_ms) as p99_ms
      from (select distinct r.workflow_id from running r) w
      left join lateral (select x.duration_ms from executions x
             where x.tenant_id = p_tenant and x.workflow_id = w.workflow_id and x.duration_ms is not null and x.sources <> '{emit}'
             order by x.began desc, x.id desc limit 200) d on true
     group by w.workflow_id
  ), late as (
    select r.*, r.untold or u.ends < 5 as unsure, u.ends, u.p99_ms, limits.longest, r.began + limits.longest as since,
           row_number() over (partition by r.workflow_id order by r.began, r.id) as n
      from running r join usual u using (workflow_id)
     cross join lateral (select case when u.ends < 5 then interval '1 hour'
                                     else greatest(make_interval(secs => u.p99_ms * 3 / 1000), interval '5 minutes') end as longest) limits
     where r.began < p_now - limits.longest
  )
  select 'stuck', 'workflow', e.entity_id, 'overrun', case when bool_and(l.unsure) then 'info' else 'warning' end,
         case when bool_and(l.untold) then format('The end of a run of %s was never told, and its n8n need not have kept it.', e.entity_name)
              when min(l.ends) < 5
           then format('A run of %s has been under way for %s; it has ended too seldom to say whether that is long.', e.entity_name, duration_text(p_now - min(l.began)))
           else format('A run of %s has been under way for %s; nearly all end within %s.', e.entity_name, duration_text(p_now - min(l.began)),
                       duration_text(make_interval(secs => min(l.p99_ms) / 1000))) end,
         jsonb_build_object('overrunning', count(*), 'usual_p99_seconds', round((min(l.p99_ms) / 1000)::numeric, 3), 'ended_runs', min(l.ends),
           'longest_expected_seconds', extract(epoch from min(l.longest))::bigint,
           'executions', jsonb_agg(jsonb_build_object('id', l.id, 'execution_id', l.execution_id, 'status', l.status, 'started_at', l.began)
                                   order by l.began, l.id) filter (where l.n <= 5)),
         case when bool_and(l.unsure) then 'cannot_tell' else 'likely' end, min(l.since)
    from late l
    join entities e on e.tenant_id = p_tenant and e.entity_type = 'workflow' and e.entity_id = l.workflow_id
   where e.current_state not in ('deleted', 'archived')
   group by e.entity_id, e.entity_name;
end $$;
