-- When entities usually speak: what their schedules say, which the server works out, and what their history says.

-- Entities whose schedules have to be read again: their definition is new, or the run that was expected has come. Answers
-- [{entity_type, entity_id, definition_at, schedules, timezone, since}]; an empty page says that all are read.
create function rollcall_api.stale_schedules(p_tenant text, p_now timestamptz, p_limit int) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp set plan_cache_mode = force_custom_plan as $$
declare
  v_started timestamptz := clock_timestamp();
  v_from    timestamptz;
  v_items   jsonb;
begin
  perform enter(p_tenant);
  -- A minute of overlap is for transactions that were under way.
  select coalesce(read_upto - interval '1 minute', '-infinity') into v_from from gap_checks where tenant_id = p_tenant;
  v_from := coalesce(v_from, '-infinity');
  update cadence c set source = 'configured', definition_at = e.updated_at, expected_at = null, longest_gap = null, rules = 0, look_at = '-infinity'
    from entities e
   where e.tenant_id = p_tenant and e.updated_at >= v_from and c.tenant_id = p_tenant and c.entity_type = e.entity_type and c.entity_id = e.entity_id
     and c.source = 'schedule' and coalesce(e.metadata #> '{n8n,schedules}', '[]') = '[]';
  with stale as (
    select e.entity_type, e.entity_id from entities e
      left join cadence c on c.tenant_id = p_tenant and c.entity_type = e.entity_type and c.entity_id = e.entity_id
     where e.tenant_id = p_tenant and e.updated_at >= v_from and e.current_state = 'active'
       and coalesce(c.definition_at < e.updated_at, true)
       and jsonb_typeof(e.metadata #> '{n8n,schedules}') = 'array' and e.metadata #> '{n8n,schedules}' <> '[]'
    union
    select c.entity_type, c.entity_id from cadence c
      join entities e on e.tenant_id = p_tenant and e.entity_type = c.entity_type and e.entity_id = c.entity_id
      left join activity a on a.tenant_id = p_tenant and a.entity_id = c.entity_id
     where c.tenant_id = p_tenant and c.source = 'schedule' and c.expected_at <= p_now + interval '1 minute' and e.current_state = 'active'
       and greatest(e.last_heartbeat, a.last_seen, e.state_since) >= c.expected_at - interval '1 minute'
    limit p_limit
  )
  select jsonb_agg(jsonb_build_object('entity_type', e.entity_type, 'entity_id', e.entity_id, 'definition_at', e.updated_at,
           'schedules', e.metadata #> '{n8n,schedules}', 'since', greatest(e.last_heartbeat, a.last_seen, e.state_since),
           'timezone', (select i.timezone from n8n_instances i
                         where i.tenant_id = p_tenant and i.instance_id = e.metadata #>> '{n8n,instance_id}')))
    into v_items
    from stale s
    join entities e on e.tenant_id = p_tenant and e.entity_type = s.entity_type and e.entity_id = s.entity_id
    left join activity a on a.tenant_id = p_tenant and a.entity_id = s.entity_id;
  if v_items is null then
    insert into gap_checks as g (tenant_id, read_upto) values (p_tenant, v_started)
    on conflict (tenant_id) do update set read_upto = excluded.read_upto;
  end if;
  return coalesce(v_items, '[]');
end $$;

-- p_rows: [{entity_type, entity_id, definition_at, anchor_at, expected_at, longest_seconds, timezone, rules}]. Where
-- longest_seconds is null, no rule could be read, and the schedule counts for nothing.
create function rollcall_api.save_schedules(p_tenant text, p_now timestamptz, p_rows json) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
begin
  perform enter(p_tenant);
  insert into cadence as c (tenant_id, entity_type, entity_id, source, definition_at, anchor_at, expected_at, longest_gap, timezone, rules, computed_at)
  select p_tenant, x.entity_type, x.entity_id, case when x.longest_seconds is null then 'configured' else 'schedule' end,
         x.definition_at, x.anchor_at, x.expected_at, make_interval(secs => x.longest_seconds), x.timezone, x.rules, p_now
    from json_to_recordset(p_rows) as x(entity_type text, entity_id text, definition_at timestamptz, anchor_at timestamptz,
                                        expected_at timestamptz, longest_seconds float8, timezone text, rules int)
   where exists (select from entities e where e.tenant_id = p_tenant and e.entity_type = x.entity_type and e.entity_id = x.entity_id)
   order by x.entity_type, x.entity_id
  on conflict (tenant_id, entity_type, entity_id) do update set
    source = excluded.source, definition_at = excluded.definition_at, anchor_at = excluded.anchor_at, expected_at = excluded.expected_at,
    longest_gap = excluded.longest_gap, timezone = excluded.timezone, rules = excluded.rules, computed_at = excluded.computed_at,
    look_at = '-infinity';
  return '{}';
end $$;

-- The zone of schedules whose workflows name none; null: not known. Their schedules are read again.
create function rollcall_api.set_instance_timezone(p_tenant text, p_instance text, p_timezone text) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
begin
  perform enter(p_tenant);
  update n8n_instances set timezone = p_timezone where tenant_id = p_tenant and instance_id = p_instance;
  if not found then
    raise exception using errcode = 'RC404', message = format('There is no n8n instance %s here.', quote_literal(p_instance)),
      hint = 'List the instances: GET /api/v1/n8n/instances.';
  end if;
  update cadence set definition_at = null where tenant_id = p_tenant and source = 'schedule';
  update gap_checks set read_upto = null, full_at = null where tenant_id = p_tenant;
  return jsonb_build_object('instance_id', p_instance, 'timezone', p_timezone);
end $$;

-- What is known of an entity's rhythm, and by when it has to answer: a Cadence.
create function rollcall_api.get_cadence(p_tenant text, p_type text, p_id text) returns jsonb
language plpgsql stable security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare c cadence; d record;
begin
  perform enter(p_tenant);
  perform from entities where tenant_id = p_tenant and entity_type = p_type and entity_id = p_id;
  if not found then perform no_such_entity(p_type, p_id); end if;
  select * into c from cadence where tenant_id = p_tenant and entity_type = p_type and entity_id = p_id;
  select s.* into d from silence_deadlines(p_tenant, array[p_id]) s where s.entity_type = p_type;
  return jsonb_build_object(
    'entity_type', p_type, 'entity_id', p_id, 'basis', d.basis, 'last_activity', d.last_activity,
    'expected_at', d.deadline - d.grace, 'silent_at', d.deadline, 'grace_seconds', extract(epoch from d.grace)::bigint,
    'schedule_rules', coalesce(c.rules, 0), 'timezone', c.timezone, 'longest_gap_seconds', extract(epoch from c.longest_gap)::bigint,
    'samples', coalesce(c.samples, 0), 'p50_seconds', c.p50_seconds, 'p95_seconds', c.p95_seconds, 'p99_seconds', c.p99_seconds,
    'confidence', c.confidence, 'hour_of_week', to_jsonb(c.hour_of_week), 'computed_at', nullif(c.computed_at, '-infinity'));
end $$;
