-- Taking executions in: who is meant, what is known now, and the rows below.

create function rollcall_api.is_end(p_status text) returns boolean
language sql immutable as $$ select p_status in ('success', 'error', 'cancelled') $$;

-- The best word on every field, of an array of what was said. Words are [rank, microseconds, value] and compare as such,
-- so that the order of merging never matters. The rank of a status is 1 where it is an end, and less where only the end of
-- a branch was seen.
create function rollcall_api.best_said(p_said jsonb) returns jsonb
-- PL/pgSQL keeps its plan, where SQL would plan it anew in every statement.
language plpgsql immutable as $$
begin
  if jsonb_array_length(p_said) = 1 then return p_said->0; end if;
  return (select jsonb_object_agg(w.key, w.value)
            from (select distinct on (t.key) t.key, t.value from jsonb_array_elements(p_said) s, jsonb_each(s) t
                   order by t.key, t.value desc) w);
end $$;

-- A day's partition of spans, made when the first span of that day comes.
create function rollcall_api.ensure_span_day(p_day date) returns void
language plpgsql set search_path = rollcall, rollcall_api, pg_temp as $$
declare v_name text := 'telemetry_spans_' || to_char(p_day, 'YYYYMMDD');
begin
  if to_regclass('rollcall.' || v_name) is not null then return; end if;
  perform pg_advisory_xact_lock(hashtextextended('rollcall.partitions', 0));
  if exists (select from pg_class where relnamespace = 'rollcall'::regnamespace and relname = v_name) then return; end if;
  execute format('create table rollcall.%I (like rollcall.telemetry_spans including defaults including constraints)', v_name);
  execute format('create unique index on rollcall.%I (tenant_id, trace_id, span_id)', v_name);
  execute format('alter table rollcall.%I enable row level security', v_name);
  execute format('alter table rollcall.%I force row level security', v_name);
  execute format('create policy own_tenant on rollcall.%I using (tenant_id = (select rollcall.tenant()))', v_name);
  execute format('alter table rollcall.telemetry_spans attach partition rollcall.%I for values from (%L) to (%L)',
                 v_name, p_day::timestamp at time zone 'UTC', (p_day + 1)::timestamp at time zone 'UTC');
end $$;

-- For each run, the executions that it may be, oldest first: [{n, ids}], and no row for runs that nobody has told of. A
-- workflow's number that another instance gave does not count, and a trace, which may hold many executions, counts only
-- for who knows no other name; so there is always one key that counts, and a report told again finds its run. Scalar subqueries, not joins: always one probe a key, whatever the statistics say.
create function rollcall_api.executions_meant(p_tenant text, p_runs json) returns table (n int, ids uuid[])
language plpgsql stable set search_path = rollcall, rollcall_api, pg_temp as $$
begin
  return query
  with key as materialized (
    select r.n, r.instance_id, r.execution_id, k.key,
           (select x.id from execution_keys x where x.tenant_id = p_tenant and x.key = k.key) as id
      from json_to_recordset(p_runs) as r(n int, keys jsonb, instance_id text, execution_id text),
           jsonb_array_elements_text(r.keys) as k(key)
  ), hit as materialized (
    select k.n, k.id,
           (select e.first_reported_at from executions e
             where e.tenant_id = p_tenant and e.id = k.id
               and (not starts_with(k.key, 'any:') or e.instance_id is null or k.instance_id is null or e.instance_id = k.instance_id)
               and (not starts_with(k.key, 'trace:') or e.execution_id is null or k.execution_id is null)) as since
      from key k where k.id is not null
  )
  select h.n, array_agg(h.id order by h.since, h.id) from (select distinct hit.n, hit.id, hit.since from hit where since is not null) h group by h.n;
end $$;

-- Two executions turn out to be one: p_other goes into p_kept, and is still found by its id. The columns that follow from
-- what was said are left to write_executions.
create function rollcall_api.unite_executions(p_tenant text, p_kept uuid, p_other uuid) returns void
language plpgsql set search_path = rollcall, rollcall_api, pg_temp as $$
begin
  update executions k set
    said = best_said(jsonb_build_array(k.said, o.said)),
    status_at = '-infinity',
    sources = array(select distinct unnest(k.sources || o.sources) order by 1),
    began = least(k.began, o.began),
    instance_id = coalesce(k.instance_id, o.instance_id),
    lost_at = least(k.lost_at, o.lost_at),
    late_end = k.late_end or o.late_end
    from executions o
   where k.tenant_id = p_tenant and k.id = p_kept and o.tenant_id = p_tenant and o.id = p_other;
  update execution_keys set id = p_kept where tenant_id = p_tenant and id = p_other;
  insert into execution_keys (tenant_id, key, id) values (p_tenant, 'id:' || p_other, p_kept);
  delete from node_executions o using node_executions k
   where o.tenant_id = p_tenant and o.id = p_other and k.tenant_id = p_tenant and k.id = p_kept
     and (k.node_name, k.run_index, k.retry_index, k.source) = (o.node_name, o.run_index, o.retry_index, o.source)
     and (is_end(k.status), k.at, k.status::text collate "C") >= (is_end(o.status), o.at, o.status::text collate "C");
  delete from node_executions k using node_executions o
   where o.tenant_id = p_tenant and o.id = p_other and k.tenant_id = p_tenant and k.id = p_kept
     and (k.node_name, k.run_index, k.retry_index, k.source) = (o.node_name, o.run_index, o.retry_index, o.source);
  update node_executions set id = p_kept where tenant_id = p_tenant and id = p_other;
  perform move_node_marks(p_tenant, p_other, p_kept);
  update telemetry_spans set id = p_kept where tenant_id = p_tenant and id = p_other;
  delete from telemetry_events o where o.tenant_id = p_tenant and o.id = p_other
     and exists (select from telemetry_events k where k.tenant_id = p_tenant and k.id = p_kept and k.event_id = o.event_id);
  update telemetry_events set id = p_kept where tenant_id = p_tenant and id = p_other;
  delete from shared_state_snapshots o where o.tenant_id = p_tenant and o.id = p_other
     and exists (select from shared_state_snapshots k where k.tenant_id = p_tenant and k.id = p_kept and k.sequence = o.sequence);
  update shared_state_snapshots set id = p_kept where tenant_id = p_tenant and id = p_other;
  delete from executions where tenant_id = p_tenant and id = p_other;
end $$;

-- The columns of executions, from what was said of each: p_runs rows are (n, said, sources, first_at), where said is an
-- array; p_ids: their ids.
-- Answers [{n, workflow_id, status, created, changed}].
create function rollcall_api.write_executions(p_tenant text, p_runs json, p_ids uuid[]) returns jsonb
language plpgsql set search_path = rollcall, rollcall_api, pg_temp as $$
declare v_written jsonb;
begin
  with found as materialized (
    select r.*, p_ids[r.n] as id,
           -- A scalar subquery, not a join: one probe a run, whatever the statistics say.
           (select e from executions e where e.tenant_id = p_tenant and e.id = p_ids[r.n]) as e
      from json_to_recordset(p_runs) as r(n int, said jsonb, sources jsonb, first_at timestamptz)
  ), run as materialized (
    select f.n, f.id, (f.e).said as was, (f.e).lost_at, coalesce((f.e).late_end, false) as late_end,
           best_said(case when f.e is null then f.said else f.said || (f.e).said end) as s,
           case when f.e is null then array(select jsonb_array_elements_text(f.sources) order by 1)
                else array(select distinct unnest((f.e).sources || array(select jsonb_array_elements_text(f.sources))) order by 1) end as sources,
           least((f.e).began, f.first_at) as first_at, (f.e).status_at is distinct from '-infinity' as kept
      from found f
  ), fact as materialized (
    select n, id, was, s, sources, lost_at, late_end, first_at, kept,
           s #>> '{status,2}' as status, is_end(s #>> '{status,2}') as ended,
           (s #>> '{started_at,2}')::timestamptz as started_at, (s #>> '{completed_at,2}')::timestamptz as completed_at
      from run
  ), written as (
    insert into executions as e (
      tenant_id, id, project_id, workflow_id, workflow_name, workflow_version, definition_hash, instance_id, execution_id, session_id,
      trace_id, status, status_at, mode, began, started_at, completed_at, duration_ms, wait_till, retry_of, parent_execution_id,
      parent_workflow_id, last_node, error_type, error_message, error_stack, error_node, tokens_used, cost_micros, currency, sources,
      lost_at, late_end, metadata, said)
    select p_tenant, id, s #>> '{project_id,2}', s #>> '{workflow_id,2}', s #>> '{workflow_name,2}', s #>> '{workflow_version,2}',
           s #>> '{definition_hash,2}', s #>> '{instance_id,2}', s #>> '{execution_id,2}', s #>> '{session_id,2}', s #>> '{trace_id,2}',
           status, to_timestamp((s #>> '{status,1}')::numeric / 1000000), s #>> '{mode,2}',
           coalesce(started_at, first_at), started_at, case when ended then completed_at end,
           -- What is told of a run that waited is how long its last stretch took.
           case when ended then coalesce(case when not s ? 'waited' then (s #>> '{duration_ms,2}')::float8 end,
                                         case when completed_at >= started_at then extract(epoch from completed_at - started_at) * 1000 end,
                                         (s #>> '{duration_ms,2}')::float8) end,
           case when status = 'waiting' then (s #>> '{wait_till,2}')::timestamptz end,
           s #>> '{retry_of,2}', s #>> '{parent_execution_id,2}', s #>> '{parent_workflow_id,2}', s #>> '{last_node,2}',
           case when status <> 'success' then s #>> '{error_type,2}' end, case when status <> 'success' then s #>> '{error_message,2}' end,
           case when status <> 'success' then s #>> '{error_stack,2}' end, case when status <> 'success' then s #>> '{error_node,2}' end,
           (s #>> '{tokens_used,2}')::bigint, (s #>> '{cost_micros,2}')::bigint, s #>> '{currency,2}',
           sources, case when status not in ('queued', 'running', 'waiting') then lost_at end, late_end or (ended and lost_at is not null),
           (select coalesce(jsonb_object_agg(substr(key, 10), value->2), '{}') from jsonb_each(s) where starts_with(key, 'metadata.')), s
      from fact
     order by id
    on conflict (tenant_id, id) do update set
      project_id = excluded.project_id, workflow_id = excluded.workflow_id, workflow_name = excluded.workflow_name,
      workflow_version = excluded.workflow_version, definition_hash = excluded.definition_hash, instance_id = excluded.instance_id,
      execution_id = excluded.execution_id, session_id = excluded.session_id, trace_id = excluded.trace_id, status = excluded.status,
      status_at = excluded.status_at, mode = excluded.mode, began = excluded.began, started_at = excluded.started_at,
      completed_at = excluded.completed_at, duration_ms = excluded.duration_ms, wait_till = excluded.wait_till, retry_of = excluded.retry_of,
      parent_execution_id = excluded.parent_execution_id, parent_workflow_id = excluded.parent_workflow_id, last_node = excluded.last_node,
      error_type = excluded.error_type, error_message = excluded.error_message, error_stack = excluded.error_stack,
      error_node = excluded.error_node, cost_micros = excluded.cost_micros,
      -- What nobody said may have been summed up.
      tokens_used = case when excluded.said ? 'tokens_used' then excluded.tokens_used else e.tokens_used end,
      currency = excluded.currency, sources = excluded.sources, lost_at = excluded.lost_at, late_end = excluded.late_end, metadata = excluded.metadata,
      said = excluded.said, updated_at = clock_timestamp()
    where (e.said, e.sources, e.status_at) is distinct from (excluded.said, excluded.sources, excluded.status_at)
  )
  select jsonb_agg(jsonb_build_object('n', n, 'workflow_id', s #> '{workflow_id,2}', 'status', status, 'created', was is null, 'changed', was is distinct from s or not kept)) into v_written from fact;
  return v_written;
end $$;

-- Who unites, gives up or forgets executions holds a tenant's alone. Who adds to them does so beside others, each under
-- the keys of its runs, so that no run is made twice; locks are taken in one order everywhere: this, spans, keys, rows.
create function rollcall_api.lock_executions(p_tenant text, p_alone boolean) returns void
language plpgsql as $$
declare v_key bigint := hashtextextended('rollcall.executions:' || p_tenant, 0);
begin
  if p_alone then perform pg_advisory_xact_lock(v_key); else perform pg_advisory_xact_lock_shared(v_key); end if;
end $$;

-- Spans that are bound to executions here and spans that look for their parents do not pass each other unseen.
create function rollcall_api.lock_spans(p_tenant text, p_alone boolean) returns void
language plpgsql as $$
declare v_key bigint := hashtextextended('rollcall.spans:' || p_tenant, 0);
begin
  if p_alone then perform pg_advisory_xact_lock(v_key); else perform pg_advisory_xact_lock_shared(v_key); end if;
end $$;

-- p_runs: [{n: 1.., keys, instance_id, execution_id, workflow_id, said, sources, first_at, last_at, node_tokens: whether a node told
-- of some}], no two of which share a key; p_nodes, p_marks, p_spans, p_events, p_states: their rows, each with its run's n,
-- none twice; p_names: the [{workflow_id, node_name, node_id}] that were told; p_days: the UTC days of the spans.
-- Answers [{n, id, status, created, changed, nodes, spans, events, states}] with the numbers of new rows; or {"same":
-- [[n, ...], ...]}, nothing being written, when several runs turn out to be one and are to be sent as one; or {"alone":
-- true} when executions have to be united, which only a call with p_alone does. Everything commits together.
create function rollcall_api.ingest_executions(
  p_tenant text, p_runs json, p_nodes json, p_marks json, p_names json, p_spans json, p_events json, p_states json, p_days jsonb,
  p_alone boolean
) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  v_meant  jsonb;
  v_same   jsonb;
  v_run    record;
  v_other  uuid;
  v_ids    uuid[];
  v_written jsonb;
  v_nodes  jsonb;
  v_marked jsonb;
  v_spans  jsonb;
  v_events jsonb;
  v_states jsonb;
begin
  perform enter(p_tenant);
  perform ensure_span_day(d) from (select distinct d::date as d from jsonb_array_elements_text(p_days) d order by 1) days;
  perform lock_executions(p_tenant, p_alone);
  if json_array_length(p_spans) > 0 then perform lock_spans(p_tenant, false); end if;
  if not p_alone then
    perform pg_advisory_xact_lock(key)
       from (select distinct hashtextextended('rollcall.execution:' || p_tenant || ' ' || k, 0) as key
               from json_to_recordset(p_runs) as r(keys jsonb), jsonb_array_elements_text(r.keys) k order by 1) keys;
  end if;

  select jsonb_agg(to_jsonb(m)) into v_meant from executions_meant(p_tenant, p_runs) m;
  select jsonb_agg(s.runs) into v_same
    from (select jsonb_agg(m.n order by m.n) as runs
            from jsonb_to_recordset(v_meant) as m(n int, ids jsonb), jsonb_array_elements(m.ids) i
           group by i having count(*) > 1) s;
  if v_same is not null then return jsonb_build_object('same', v_same); end if;
  if not p_alone then
    if exists (select from jsonb_to_recordset(v_meant) as m(ids jsonb) where jsonb_array_length(m.ids) > 1) then
      return '{"alone": true}';
    end if;
    -- Another call may mean one of these by another key.
    perform from executions e
      where e.tenant_id = p_tenant and e.id in (select i::uuid from jsonb_to_recordset(v_meant) as m(ids jsonb), jsonb_array_elements_text(m.ids) i)
      order by e.id for update;
  end if;
  v_ids := array(select gen_random_uuid() from generate_series(1, json_array_length(p_runs)));
  for v_run in select m.n, m.ids from jsonb_to_recordset(v_meant) as m(n int, ids uuid[]) loop
    v_ids[v_run.n] := v_run.ids[1];
    foreach v_other in array v_run.ids[2:] loop
      perform unite_executions(p_tenant, v_ids[v_run.n], v_other);
    end loop;
  end loop;

  v_written := write_executions(p_tenant, p_runs, v_ids);
  insert into execution_keys (tenant_id, key, id)
  select p_tenant, k, v_ids[r.n] from json_to_recordset(p_runs) as r(n int, keys jsonb), jsonb_array_elements_text(r.keys) k
   order by k
  on conflict do nothing;

  perform write_node_names(p_tenant, p_names);
  v_nodes := write_node_executions(p_tenant, p_nodes, v_ids);
  v_marked := write_node_marks(p_tenant, p_marks, v_ids);
  perform sum_tokens(p_tenant, array(
    select v_ids[r.n] from json_to_recordset(p_runs) as r(n int, node_tokens boolean) where r.node_tokens
    union select v_ids[m.n] from jsonb_to_recordset(v_meant) as m(n int, ids jsonb) where jsonb_array_length(m.ids) > 1));
  v_spans := write_spans(p_tenant, p_spans, v_ids);
  with fresh as (
    insert into telemetry_events (tenant_id, id, event_id, at, name, level, message, node_name, span_id, data)
    select p_tenant, v_ids[x.n], x.event_id, x.at, x.name, x.level, x.message, x.node_name, x.span_id, x.data
      from json_to_recordset(p_events) as x(n int, event_id uuid, at timestamptz, name text, level text, message text, node_name text,
                                            span_id text, data jsonb)
    on conflict do nothing
    returning id
  ) select coalesce(jsonb_object_agg(id, rows), '{}') into v_events from (select id, count(*) as rows from fresh group by id) c;
  with fresh as (
    insert into shared_state_snapshots (tenant_id, id, sequence, at, node_name, phase, state)
    select p_tenant, v_ids[x.n], x.sequence, x.at, x.node_name, x.phase, coalesce(x.state, 'null')
      from json_to_recordset(p_states) as x(n int, sequence int, at timestamptz, node_name text, phase text, state jsonb)
    on conflict do nothing
    returning id
  ) select coalesce(jsonb_object_agg(id, rows), '{}') into v_states from (select id, count(*) as rows from fresh group by id) c;

  insert into activity as a (tenant_id, entity_id, first_seen, last_seen, as_source, as_target, errors, last_protocol, last_peer)
  select p_tenant, r.workflow_id, min(r.first_at), max(r.last_at), count(*) filter (where (w->>'created')::boolean), 0, 0, 'n8n', null
    from json_to_recordset(p_runs) as r(n int, workflow_id text, first_at timestamptz, last_at timestamptz)
    join jsonb_array_elements(v_written) w on (w->>'n')::int = r.n
   group by r.workflow_id
   order by r.workflow_id
  on conflict (tenant_id, entity_id) do update set
    first_seen = least(a.first_seen, excluded.first_seen),
    last_seen = greatest(a.last_seen, excluded.last_seen),
    as_source = a.as_source + excluded.as_source;

  -- Whoever watches one that went into another is told of it by the old id.
  perform announce_executions(p_tenant, (
    select jsonb_agg(jsonb_build_object('id', i.id, 'workflow_id', w->'workflow_id', 'status', w->'status'))
      from jsonb_array_elements(v_written) w
      join (select (x->>'n')::int as n, v_ids[(x->>'n')::int] as id from jsonb_array_elements(v_written) x
            union
            select m.n, unnest(m.ids) from jsonb_to_recordset(v_meant) as m(n int, ids uuid[])) i on i.n = (w->>'n')::int));

  return (select jsonb_agg(w || jsonb_build_object(
            'id', i, 'nodes', coalesce((v_nodes->i->>0)::bigint, 0) + coalesce((v_marked->i->>0)::bigint, 0),
            'changed', (w->>'changed')::boolean or v_nodes ? i or v_marked ? i, 'spans', coalesce(v_spans->i, '0'),
            'events', coalesce(v_events->i, '0'), 'states', coalesce(v_states->i, '0')) order by (w->>'n')::int)
            from jsonb_array_elements(v_written) w, lateral (select v_ids[(w->>'n')::int]::text as i) id);
end $$;
