-- A check: what is missing now beside what was known. Opens, refreshes, closes, and puts under a gap what it explains.

-- Who changes gaps takes this first, before any row of theirs: a check writes all of them.
create function rollcall_api.lock_gaps(p_tenant text) returns void
language sql as $$
  select pg_advisory_xact_lock(hashtextextended('rollcall.gaps:' || p_tenant, 0));
$$;

-- What an incremental check looks at: whatever was touched since the last one, with its children and dependents; whatever
-- time alone has made a gap since then; and what is open and has given a sign of life. A minute of overlap is for
-- transactions under way. Planned once a session, for lookups by index alone: of each there are few, which a plan made without
-- their number would not expect.
create function rollcall_api.gap_scope(p_tenant text, p_now timestamptz, p_last rollcall.gap_checks) returns text[]
language plpgsql stable set search_path = rollcall, rollcall_api, pg_temp set plan_cache_mode = force_generic_plan
  set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  v_from    timestamptz := p_last.touched_upto - interval '1 minute';
  v_due     timestamptz := coalesce(p_last.checked_at, p_last.touched_upto) - interval '1 minute';
  v_covered text[] := covered_instances(p_tenant, p_now);
begin
  return array(
    with touched as materialized (
      select e.entity_type, e.entity_id from entities e where e.tenant_id = p_tenant and e.updated_at >= v_from
    )
    select t.entity_id from touched t
    union select c.entity_id from touched t join entities c on c.tenant_id = p_tenant and c.parent_type = t.entity_type and c.parent_id = t.entity_id
    union select d.entity_id from touched t join entity_dependencies d on d.tenant_id = p_tenant and d.target_type = t.entity_type and d.target_id = t.entity_id
    union select a.entity_id from activity a where a.tenant_id = p_tenant and a.noted_at >= v_from
    union select w.workflow_id from n8n_workflows w where w.tenant_id = p_tenant and w.changed_at >= v_from
    union select c.entity_id from cadence c where c.tenant_id = p_tenant and (c.look_at = '-infinity' or c.look_at > v_due and c.look_at <= p_now)
    union select e.entity_id from entities e where e.tenant_id = p_tenant and e.current_state in ('created', 'deploying') and e.state_since <= p_now
             and not exists (select from gaps g where g.tenant_id = p_tenant and g.closed_at is null and g.kind = 'stuck' and g.subject = ''
                                                  and g.entity_type = e.entity_type and g.entity_id = e.entity_id)
    union select x.workflow_id from executions x where x.tenant_id = p_tenant and x.status = 'running' and x.began < p_now - interval '5 minutes'
    union select i.instance_id from n8n_instances i where i.tenant_id = p_tenant
    union select c.instance_id from n8n_connections c where c.tenant_id = p_tenant
    -- Heartbeats of the silent touch them.
    union select g.entity_id from gaps g join activity a on a.tenant_id = p_tenant and a.entity_id = g.entity_id
           where g.tenant_id = p_tenant and g.closed_at is null and g.kind = 'silent'
             and a.last_seen > coalesce((g.evidence->>'last_activity')::timestamptz, '-infinity')
    union select g.entity_id from gaps g
           where g.tenant_id = p_tenant and g.closed_at is null
             and (g.kind = 'stuck' and g.subject = 'overrun' or g.kind = 'uninstrumented' and g.evidence->>'instance_id' = any (v_covered)));
end $$;

-- What explains a gap goes above it: a silent instance above the silence of its workflows; a silent or missing entity above
-- that of all that is below it; what reports through no channel above its own silence; what is not registered above the loss of
-- its children and dependents. The topmost counts.
-- p_scope: ids whose gaps alone are placed, where nothing has changed above; all of them when null. Answers the gaps that it
-- has placed otherwise, and whether each was shouted before. The scope stands in subqueries: of a list that it sees, the planner
-- would estimate each entry.
create function rollcall_api.inhibit_gaps(p_tenant text, p_now timestamptz, p_scope text[]) returns table (id uuid, was_open boolean)
language plpgsql set search_path = rollcall, rollcall_api, pg_temp set plan_cache_mode = force_custom_plan as $$
#variable_conflict use_column
begin
  return query
  with recursive cause as materialized (
    select g.id, g.entity_type::text as entity_type, g.entity_id from gaps g
     where g.tenant_id = p_tenant and g.closed_at is null and g.kind in ('silent', 'missing') and g.grade <> 'cannot_tell'
  ), hushable as materialized (
    select g.id, g.kind, g.entity_type::text as entity_type, g.entity_id from gaps g
     where g.tenant_id = p_tenant and g.closed_at is null and g.kind in ('silent', 'stuck', 'uninstrumented', 'missing')
       and (p_scope is null or g.entity_id = any (array(select unnest(p_scope))))
  ), above as (
    select h.entity_type, h.entity_id, h.entity_type as above_type, h.entity_id as above_id, 0 as height
      from (select distinct s.entity_type, s.entity_id from hushable s) h
    union all
    select a.entity_type, a.entity_id, e.parent_type::text, e.parent_id, a.height + 1
      from above a join entities e on e.tenant_id = p_tenant and e.entity_type = a.above_type and e.entity_id = a.above_id
     where e.parent_id is not null and a.height < 50
  ), explained as (
    select a.entity_type, a.entity_id, c.id, a.height from above a
      join cause c on c.entity_type = a.above_type and c.entity_id = a.above_id
     where a.height > 0
    union all
    -- An instance explains what no other instance runs.
    select 'workflow', w.workflow_id, c.id, 100
      from cause c join n8n_workflows w on w.tenant_id = p_tenant and w.instance_id = c.entity_id and w.deleted_at is null
     where c.entity_type = 'n8n_instance'
       and not exists (select from n8n_workflows o
                        where o.tenant_id = p_tenant and o.workflow_id = w.workflow_id and o.instance_id not in ('', w.instance_id) and o.deleted_at is null)
    union all
    select h.entity_type, h.entity_id, h.id, -1 from hushable h where h.kind = 'uninstrumented'
  ), top as (
    select distinct on (x.entity_type, x.entity_id) x.entity_type, x.entity_id, x.id from explained x
     order by x.entity_type, x.entity_id, x.height desc, x.id
  ), hushed as materialized (
    select h.id, t.id as by from hushable h
      join top t on t.entity_type = h.entity_type and t.entity_id = h.entity_id and t.id <> h.id
                and (h.kind = 'silent' or t.id in (select c.id from cause c))
    union all
    -- What is not registered explains who is below it, or depends on it.
    (select distinct on (g.id) g.id, c.id from gaps g
       join gaps c on c.tenant_id = p_tenant and c.closed_at is null and c.kind in ('unregistered', 'unreported')
                  and c.entity_type = coalesce(g.evidence->>'parent_type', g.evidence->>'target_type')
                  and c.entity_id = coalesce(g.evidence->>'parent_id', g.evidence->>'target_id')
      where g.tenant_id = p_tenant and g.closed_at is null and g.kind in ('orphaned', 'broken_dependency')
        and (p_scope is null or g.entity_id = any (array(select unnest(p_scope))))
      order by g.id, c.id)
  ), change as materialized (
    select g.id, h.by, gap_state(g, p_now) = 'open' as was_open from gaps g left join hushed h on h.id = g.id
     where g.tenant_id = p_tenant and g.closed_at is null and g.inhibited_by is distinct from h.by
       and (p_scope is null or g.entity_id = any (array(select unnest(p_scope))))
  )
  update gaps g set inhibited_by = c.by, last_seen = p_now from change c where g.tenant_id = p_tenant and g.id = c.id
  returning g.id, c.was_open;
end $$;

-- Rows of cadence for what has become active, and from when on each may be silent.
create function rollcall_api.arm_cadence(p_tenant text, p_now timestamptz, p_scope text[]) returns void
language plpgsql set search_path = rollcall, rollcall_api, pg_temp set plan_cache_mode = force_generic_plan as $$
declare v_candidates text[] := silence_candidates(p_tenant, p_now, p_scope);
begin
  with due as materialized (
    select d.entity_type, d.entity_id, d.deadline from silence_deadlines(p_tenant, v_candidates) d
  )
  insert into cadence as c (tenant_id, entity_type, entity_id, source, computed_at, look_at)
  select p_tenant, d.entity_type, d.entity_id, 'configured', '-infinity', d.deadline from due d
    left join cadence k on k.tenant_id = p_tenant and k.entity_type = d.entity_type and k.entity_id = d.entity_id
   -- Only a nearer deadline has to be written, or one that has passed: a later one is found when the time comes.
   where k.entity_id is null or d.deadline < k.look_at or (k.look_at <= p_now and d.deadline > k.look_at)
   order by d.entity_type, d.entity_id
  on conflict (tenant_id, entity_type, entity_id) do update set look_at = excluded.look_at;
  update cadence c set look_at = 'infinity'
    from entities e
   where c.tenant_id = p_tenant and c.look_at <= p_now and c.entity_id in (select unnest(v_candidates))
     and e.tenant_id = p_tenant and e.entity_type = c.entity_type and e.entity_id = c.entity_id and e.current_state <> 'active';
end $$;

-- Answers a GapCheck. A full check compares everything; one that is not, only what may have changed since the last one.
create function rollcall_api.check_gaps(p_tenant text, p_now timestamptz, p_full boolean default true) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  v_started  timestamptz := clock_timestamp();
  v_last     gap_checks;
  v_full     boolean;
  v_scope    text[];
  v_written  uuid[];
  v_placed   uuid[];
  -- Of what a check changes: those that were shouted before.
  v_was_open uuid[];
  v_gone     uuid[];
  v_closed   uuid[];
  v_opened   uuid[];
begin
  perform enter(p_tenant);
  perform lock_gaps(p_tenant);
  select * into v_last from gap_checks where tenant_id = p_tenant;
  -- Now and then everything is compared, whatever was asked for.
  v_full := p_full or coalesce(v_last.full_at <= p_now - interval '10 minutes' or v_last.full_at > p_now, true);
  if not v_full then v_scope := gap_scope(p_tenant, p_now, v_last); end if;
  perform arm_cadence(p_tenant, p_now, v_scope);

  with known as (
    select g.id, g.kind, g.entity_type, g.entity_id, g.subject, g.severity, g.grade, g.summary, g.evidence,
           gap_state(g, p_now) = 'open' as was_open from gaps g
     where g.tenant_id = p_tenant and g.closed_at is null and (v_scope is null or g.entity_id in (select unnest(v_scope)))
  ), difference as materialized (
    select k.id, k.was_open, f.kind is null as is_gone, f.*
      from known k
      full join find_gaps(p_tenant, p_now, v_scope) f
        on f.kind = k.kind and f.entity_type = k.entity_type and f.entity_id = k.entity_id and f.subject = k.subject
     where k.id is null or f.kind is null
        or (k.severity, k.grade, k.summary, k.evidence) is distinct from (f.severity, f.grade, f.summary, f.evidence)
  ), fresh as (
    insert into gaps as g (tenant_id, kind, entity_type, entity_id, subject, severity, summary, evidence, grade, first_seen, last_seen)
    select p_tenant, d.kind, d.entity_type, d.entity_id, d.subject, d.severity, d.summary, d.evidence, d.grade, p_now, p_now
      from difference d where d.id is null
    on conflict (tenant_id, kind, entity_type, entity_id, subject) do update set
      severity = excluded.severity, summary = excluded.summary, evidence = excluded.evidence, grade = excluded.grade,
      first_seen = excluded.first_seen, last_seen = excluded.last_seen, closed_at = null, inhibited_by = null
    returning g.id
  ), refreshed as (
    update gaps g set severity = d.severity, summary = d.summary, evidence = d.evidence, grade = d.grade, last_seen = p_now
      from difference d where g.tenant_id = p_tenant and g.id = d.id and not d.is_gone
    returning g.id, d.was_open
  ), closing as (
    update gaps g set closed_at = p_now, last_seen = greatest(g.last_seen, v_last.checked_at), inhibited_by = null
      from difference d where g.tenant_id = p_tenant and g.id = d.id and d.is_gone
    returning g.id, d.was_open
  )
  select array(select id from fresh union all select id from refreshed), array(select id from refreshed where was_open),
         array(select id from closing), array(select id from closing where was_open)
    into v_written, v_was_open, v_gone, v_closed;
  insert into gap_checks as c (tenant_id, touched_upto, full_at, checked_at) values (p_tenant, v_started, p_now, p_now)
  on conflict (tenant_id) do update set touched_upto = excluded.touched_upto, full_at = case when v_full then p_now else c.full_at end, checked_at = p_now;
  -- Of a table that was empty until now the planner knows nothing, and would compare every gap with every other.
  if v_last.full_at is null then analyze gaps; end if;
  with placed as (
    select * from inhibit_gaps(p_tenant, p_now, case when v_written = '{}' and v_gone = '{}' then v_scope end)
  )
  select array(select id from placed),
         v_was_open || array(select id from placed where was_open and id not in (select unnest(v_written)))
    into v_placed, v_was_open;
  v_opened := array(
    select g.id from gaps g
     where g.tenant_id = p_tenant and g.id in (select unnest(v_written || v_placed)) and gap_state(g, p_now) = 'open'
    except select unnest(v_was_open));
  perform announce_gaps(p_tenant, v_opened, v_closed);
  if v_full then delete from gap_history where tenant_id = p_tenant and at < p_now - interval '400 days'; end if;
  return gap_counts(p_tenant, p_now) || jsonb_build_object(
    'checked_at', p_now, 'mode', case when v_full then 'full' else 'incremental' end,
    'opened', cardinality(v_opened), 'closed', cardinality(v_gone),
    'duration_ms', round(extract(epoch from clock_timestamp() - v_started) * 1000, 1));
end $$;

-- Open gaps by state and kind, as a GapCheck tells them.
create function rollcall_api.gap_counts(p_tenant text, p_now timestamptz) returns jsonb
language sql stable set search_path = rollcall, rollcall_api, pg_temp as $$
  select jsonb_build_object(
           'open', coalesce(sum(s.n) filter (where s.state = 'open'), 0), 'muted', coalesce(sum(s.n) filter (where s.state = 'muted'), 0),
           'inhibited', coalesce(sum(s.n) filter (where s.state = 'inhibited'), 0),
           'cannot_tell', coalesce(sum(s.n) filter (where s.state = 'cannot_tell'), 0),
           'by_kind', coalesce(jsonb_object_agg(s.kind, s.n) filter (where s.state = 'open'), '{}'))
    from (select g.kind, gap_state(g, p_now) as state, count(*) as n from gaps g
           where g.tenant_id = p_tenant and g.closed_at is null group by 1, 2) s;
$$;

-- A hundred changes an announcement.
create function rollcall_api.announce_gaps(p_tenant text, p_opened uuid[], p_closed uuid[]) returns void
language plpgsql set search_path = rollcall, rollcall_api, pg_temp as $$
begin
  perform announce(p_tenant, 'gaps', page.body) from (
  with change as (
    select 'opened' as change, g.* from gaps g where g.tenant_id = p_tenant and g.id = any (p_opened)
    union all
    select 'closed', g.* from gaps g where g.tenant_id = p_tenant and g.id = any (p_closed)
  )
  select jsonb_build_object('gaps', jsonb_agg(jsonb_build_object('id', c.id, 'change', c.change, 'kind', c.kind,
           'severity', c.severity, 'entity_type', c.entity_type, 'entity_id', c.entity_id))) as body
    from (select *, row_number() over (order by id) - 1 as n from change) c
   group by c.n / 100) page;
end $$;
