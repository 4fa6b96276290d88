-- Ingest and reading of raw telemetry.

-- A day's partition, made when the first event of that day comes. Uniqueness of event ids is per day
-- (a parent-wide constraint would need the timestamp in it); stored_nearby looks at the neighbours.
create function rollcall_api.ensure_telemetry_day(p_day date) returns void
language plpgsql set search_path = rollcall, rollcall_api, pg_temp as $$
declare v_name text := 'telemetry_' || to_char(p_day, 'YYYYMMDD');
begin
  if to_regclass('rollcall.' || v_name) is not null then return; end if;
  perform pg_advisory_xact_lock(hashtextextended('rollcall.partitions', 0));
  -- to_regclass would still answer from what this session had cached before it waited.
  if exists (select from pg_class where relnamespace = 'rollcall'::regnamespace and relname = v_name) then return; end if;
  execute format('create table rollcall.%I (like rollcall.telemetry including defaults including constraints)', v_name);
  execute format('create unique index on rollcall.%I (event_id, tenant_id)', v_name);
  execute format('alter table rollcall.%I enable row level security', v_name);
  execute format('alter table rollcall.%I force row level security', v_name);
  execute format('create policy own_tenant on rollcall.%I using (tenant_id = (select rollcall.tenant()))', v_name);
  execute format('alter table rollcall.telemetry attach partition rollcall.%I for values from (%L) to (%L)',
                 v_name, p_day::timestamp at time zone 'UTC', (p_day + 1)::timestamp at time zone 'UTC');
end $$;

-- Which of these ids are stored already on days as many steps from p_days. Each partition is asked by name, so that the
-- index on event ids is the only one that helps: with a time range in the question, a plan made while the day was young
-- would read the whole day for every event.
create function rollcall_api.stored_nearby(p_tenant text, p_ids uuid[], p_days jsonb, p_steps int[]) returns setof uuid
language plpgsql stable set search_path = rollcall, rollcall_api, pg_temp as $$
declare v_name text;
begin
  for v_name in
    select distinct 'telemetry_' || to_char(d::date + step, 'YYYYMMDD')
      from jsonb_array_elements_text(p_days) d, unnest(p_steps) step
  loop
    -- Tomorrow is there from today on, with nothing in it.
    continue when coalesce(pg_relation_size(to_regclass('rollcall.' || v_name)), 0) = 0;
    -- A scalar subquery, not a join: always one probe per id, whatever the statistics say.
    return query execute format(
      'select id from unnest($2) id where (select true from rollcall.%I o where o.tenant_id = $1 and o.event_id = id limit 1)', v_name)
      using p_tenant, p_ids;
  end loop;
end $$;

-- p_events: validated events in order of event_id, none twice, each with timestamp and project_id; p_days: the UTC days
-- they fall on.
-- Answers {"accepted": n, "duplicates": [event_id, ...]}. Events, rollups and activity commit together.
-- Rows are written in key order everywhere (events as they come: sorting them there is cheaper than here), so
-- that two servers wait for each other instead of deadlocking.
create function rollcall_api.ingest_telemetry(p_tenant text, p_events json, p_days jsonb) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  v_accepted   bigint;
  v_duplicates uuid[];
  v_hours      timestamptz[];
  -- The days beside. A day itself has a unique index, which is asked nothing until it objects: nearly all events are new.
  v_steps      int[] := '{-1, 1}';
begin
  perform enter(p_tenant);
  perform ensure_telemetry_day(d) from (select distinct d::date as d from jsonb_array_elements_text(p_days) d order by 1) days;

  for v_try in 1..20 loop begin
    with item as materialized (
      select * from json_to_recordset(p_events) as x(
        event_id uuid, "timestamp" timestamptz, protocol text, source_id text, target_id text, operation text,
        status text, duration_ms double precision, tokens_used bigint, cost_micros bigint, currency text, model text,
        correlation_id text, trace_id text, workflow_id text, execution_id text, user_id text, project_id text,
        error_type text, error_message text, metadata jsonb)
    ), fresh as (
      insert into telemetry as t (
        tenant_id, event_id, "timestamp", protocol, source_id, target_id, operation, status, duration_ms, tokens_used,
        cost_micros, currency, model, correlation_id, trace_id, workflow_id, execution_id, user_id, project_id,
        error_type, error_message, metadata)
      select p_tenant, i.event_id, i."timestamp", i.protocol, i.source_id, i.target_id, i.operation, i.status, i.duration_ms,
             i.tokens_used, i.cost_micros, i.currency, i.model, i.correlation_id, i.trace_id, i.workflow_id, i.execution_id,
             i.user_id, i.project_id, i.error_type, i.error_message, i.metadata
        from item i
       where i.event_id not in (select stored_nearby(p_tenant, (select array_agg(event_id) from item), p_days, v_steps))
      returning t.event_id, t."timestamp", date_bin('1 minute', t."timestamp", '2000-01-01 00:00Z') as minute, t.protocol, t.source_id,
                t.target_id, t.workflow_id, (t.status in ('error', 'timeout'))::int as failed, (t.status = 'cancelled')::int as cancelled,
                t.duration_ms, latency_bucket(t.duration_ms) as bucket, t.tokens_used, t.cost_micros
    ), minutes as (
      insert into telemetry_minutes as r
      select p_tenant, minute, protocol, sum(calls), sum(errors), sum(cancelled), sum(timed), sum(duration_sum), max(duration_max),
             sum(tokens_used), sum(cost_micros),
             coalesce(array_agg(latency_entry(bucket, timed)) filter (where bucket is not null), '{}')
        from (select minute, protocol, bucket, count(*)::int as calls, sum(failed)::int as errors, sum(cancelled)::int as cancelled,
                     count(duration_ms)::int as timed, coalesce(sum(duration_ms), 0) as duration_sum, max(duration_ms) as duration_max,
                     coalesce(sum(tokens_used), 0) as tokens_used, coalesce(sum(cost_micros), 0) as cost_micros
                from fresh group by minute, protocol, bucket) b
       group by minute, protocol
       order by minute, protocol
      on conflict (tenant_id, minute, protocol) do update set
        calls = r.calls + excluded.calls,
        errors = r.errors + excluded.errors,
        cancelled = r.cancelled + excluded.cancelled,
        timed = r.timed + excluded.timed,
        duration_sum = r.duration_sum + excluded.duration_sum,
        duration_max = greatest(r.duration_max, excluded.duration_max),
        tokens_used = r.tokens_used + excluded.tokens_used,
        cost_micros = r.cost_micros + excluded.cost_micros,
        latency = case when cardinality(r.latency) + cardinality(excluded.latency) > 200
                       then latency_fold(r.latency || excluded.latency) else r.latency || excluded.latency end
    ), pair as materialized (
      select date_bin('1 hour', minute, '2000-01-01 00:00Z') as hour, protocol, source_id, target_id, count(*) as calls,
             sum(failed) as errors, sum(cancelled) as cancelled, count(duration_ms) as timed,
             coalesce(sum(duration_ms), 0) as duration_sum, max(duration_ms) as duration_max,
             coalesce(sum(tokens_used), 0) as tokens_used, coalesce(sum(cost_micros), 0) as cost_micros,
             min("timestamp") as first_seen, max("timestamp") as last_seen,
             coalesce(array_agg(latency_entry(bucket, 1)) filter (where bucket is not null), '{}') as latency
        from fresh
       group by 1, protocol, source_id, target_id
    ), pairs as (
      insert into telemetry_pairs as r
      select p_tenant, hour, protocol, source_id, target_id, calls, errors, cancelled, timed, duration_sum, duration_max, tokens_used,
             cost_micros, last_seen, latency
        from pair
       order by hour, protocol, source_id, target_id
      on conflict (tenant_id, hour, protocol, source_id, target_id) do update set
        calls = r.calls + excluded.calls,
        errors = r.errors + excluded.errors,
        cancelled = r.cancelled + excluded.cancelled,
        timed = r.timed + excluded.timed,
        duration_sum = r.duration_sum + excluded.duration_sum,
        duration_max = greatest(r.duration_max, excluded.duration_max),
        tokens_used = r.tokens_used + excluded.tokens_used,
        cost_micros = r.cost_micros + excluded.cost_micros,
        last_seen = greatest(r.last_seen, excluded.last_seen),
        latency = case when cardinality(r.latency) + cardinality(excluded.latency) > 200
                       then latency_fold(r.latency || excluded.latency) else r.latency || excluded.latency end
    ), seen as (
      insert into activity as a
      select p_tenant, s.id, min(s.first_seen), max(s.last_seen), sum(s.as_source), sum(s.as_target), sum(s.errors),
             (array_agg(s.protocol order by s.last_seen desc))[1], (array_agg(s.peer order by s.last_seen desc))[1]
        from (
          select source_id as id, first_seen, last_seen, calls as as_source, 0 as as_target, errors, protocol, target_id as peer from pair
          union all
          select target_id, first_seen, last_seen, 0, calls, errors, protocol, source_id from pair where target_id <> source_id
          union all
          select workflow_id, min("timestamp"), max("timestamp"), count(*), 0, sum(failed), 'n8n', null
            from fresh where workflow_id <> source_id and workflow_id <> target_id group by workflow_id
        ) s
       group by s.id
       order by s.id
      on conflict (tenant_id, entity_id) do update set
        first_seen = least(a.first_seen, excluded.first_seen),
        last_seen = greatest(a.last_seen, excluded.last_seen),
        as_source = a.as_source + excluded.as_source,
        as_target = a.as_target + excluded.as_target,
        errors = a.errors + excluded.errors,
        last_protocol = case when excluded.last_seen >= a.last_seen then excluded.last_protocol else a.last_protocol end,
        last_peer = case when excluded.last_seen >= a.last_seen then excluded.last_peer else a.last_peer end
    )
    select (select count(*) from fresh),
           case when (select count(*) from fresh) < (select count(*) from item)
                then array(select event_id from item except all select event_id from fresh) end,
           array(select distinct hour from pair order by 1)
      into v_accepted, v_duplicates, v_hours;
    exit;
  exception when unique_violation then
    -- Sent before; or by another server at this moment, which may happen again.
    if v_try = 20 then raise; end if;
    v_steps := '{-1, 0, 1}';
  end; end loop;

  perform unfold_hours(p_tenant, v_hours);
  return jsonb_build_object('accepted', v_accepted, 'duplicates', coalesce(to_jsonb(v_duplicates), '[]'));
end $$;

create function rollcall_api.event_json(t rollcall.telemetry) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'event_id', t.event_id, 'timestamp', t."timestamp", 'received_at', t.received_at, 'protocol', t.protocol,
    'source_id', t.source_id, 'target_id', t.target_id, 'operation', t.operation, 'status', t.status,
    'duration_ms', t.duration_ms, 'tokens_used', t.tokens_used, 'cost_micros', t.cost_micros, 'currency', t.currency,
    'model', t.model, 'correlation_id', t.correlation_id, 'trace_id', t.trace_id, 'workflow_id', t.workflow_id,
    'execution_id', t.execution_id, 'user_id', t.user_id, 'project_id', t.project_id, 'error_type', t.error_type,
    'error_message', t.error_message, 'metadata', t.metadata);
$$;

-- Newest first. p_filter: a TelemetryFilter.
create function rollcall_api.list_telemetry(p_tenant text, p_filter jsonb, p_limit int, p_after jsonb default null) returns jsonb
language plpgsql stable security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  v_field text;
  v_where text := 't.tenant_id = $1';
  v_rows  jsonb;
begin
  perform enter(p_tenant);
  foreach v_field in array array['correlation_id', 'source_id', 'target_id', 'protocol', 'status', 'workflow_id', 'execution_id', 'trace_id'] loop
    if p_filter ? v_field then v_where := v_where || format(' and t.%I = %L', v_field, p_filter->>v_field); end if;
  end loop;
  if p_filter ? 'from' then v_where := v_where || format(' and t."timestamp" >= %L::timestamptz', p_filter->>'from'); end if;
  if p_filter ? 'to'   then v_where := v_where || format(' and t."timestamp" < %L::timestamptz', p_filter->>'to'); end if;
  if p_filter ? 'received_from' then v_where := v_where || format(' and t.received_at >= %L::timestamptz', p_filter->>'received_from'); end if;
  if p_after is not null then
    v_where := v_where || format(' and (t."timestamp", t.event_id) < (%L::timestamptz, %L::uuid)', p_after->>0, p_after->>1);
  end if;
  execute format($q$
    select jsonb_agg(event_json(r) order by r."timestamp" desc, r.event_id desc)
      from (select t.* from telemetry t where %s order by t."timestamp" desc, t.event_id desc limit $2 + 1) r
    $q$, v_where)
    into v_rows using p_tenant, p_limit;
  return page(v_rows, p_limit, array['timestamp', 'event_id']);
end $$;

-- Keeps what retention says: drops whole days, and rollup rows older than their own limits. Also makes
-- tomorrow's partition ahead of its first event. Days are counted in UTC.
create function rollcall_api.enforce_retention(p_now timestamptz, p_telemetry_days int, p_rollup_days int) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  v_oldest text := 'telemetry_' || to_char(p_now at time zone 'UTC' - make_interval(days => p_telemetry_days), 'YYYYMMDD');
  v_name text;
  v_dropped jsonb := '[]';
  v_tenant text;
begin
  perform ensure_telemetry_day((p_now at time zone 'UTC')::date);
  perform ensure_telemetry_day((p_now at time zone 'UTC')::date + 1);
  for v_tenant in select tenant_id from tenants loop
    perform enter(v_tenant);
    delete from telemetry_minutes where tenant_id = v_tenant and minute < p_now - make_interval(days => p_rollup_days);
    delete from telemetry_pairs where tenant_id = v_tenant and hour < p_now - make_interval(days => p_rollup_days);
    delete from telemetry_hours where tenant_id = v_tenant and hour < p_now - make_interval(days => p_rollup_days);
    delete from telemetry_folded where tenant_id = v_tenant and hour < p_now - make_interval(days => p_rollup_days);
    delete from telemetry_pair_days
     where tenant_id = v_tenant and day < (p_now at time zone 'UTC')::date - p_rollup_days;
    delete from telemetry_pair_latency
     where tenant_id = v_tenant and day < (p_now at time zone 'UTC')::date - p_rollup_days;
  end loop;
  -- Last and impatient, for a drop waits until nobody reads telemetry, and whoever comes meanwhile waits behind it.
  -- What does not go now goes the next time.
  begin
    perform set_config('lock_timeout', '30ms', true);
    for v_name in
      select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
       where i.inhparent = 'rollcall.telemetry'::regclass and c.relname < v_oldest order by 1
    loop
      execute format('drop table rollcall.%I', v_name);
      v_dropped := v_dropped || to_jsonb(v_name);
    end loop;
  exception when lock_not_available then
    v_dropped := '[]';
  end;
  return jsonb_build_object('dropped', v_dropped);
end $$;
