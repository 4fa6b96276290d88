-- What time does to executions: given up as lost, and forgotten.

-- Marks what started and never ended: quiet for longer than p_after_seconds, and than five times what its workflow
-- usually takes (the 95th percentile of its latest 200 ends). What waits, or has yet to start, is not lost; nor is what
-- only Emit nodes told of, which need not tell of an end. A late end corrects it.
create function rollcall_api.mark_lost_executions(p_tenant text, p_now timestamptz, p_after_seconds int) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare v_lost jsonb;
begin
  perform enter(p_tenant);
  perform lock_executions(p_tenant, true);
  with quiet as (
    select e.id, e.workflow_id, greatest(e.began, e.status_at) as since from executions e
     where e.tenant_id = p_tenant and e.status = 'running' and e.sources <> '{emit}'
       and greatest(e.began, e.status_at) < p_now - make_interval(secs => p_after_seconds)
  ), usual as (
    select w.workflow_id, percentile_disc(0.95) within group (order by d.duration_ms) as p95
      from (select distinct workflow_id from quiet) w,
           lateral (select e.duration_ms from executions e
                     where e.tenant_id = p_tenant and e.workflow_id = w.workflow_id and e.duration_ms is not null and e.sources <> '{emit}'
                     order by e.began desc, e.id desc limit 200) d
     group by w.workflow_id
  ), lost as (
    update executions e set
      status = 'lost', status_at = p_now, lost_at = p_now, updated_at = clock_timestamp(),
      said = e.said || jsonb_build_object('status', jsonb_build_array(0, (extract(epoch from p_now) * 1000000)::bigint, 'lost'))
      from quiet q left join usual u using (workflow_id)
     where e.tenant_id = p_tenant and e.id = q.id
       and q.since < p_now - make_interval(secs => coalesce(u.p95, 0) * 5 / 1000)
    returning e.id, e.workflow_id
  ) select coalesce(jsonb_agg(jsonb_build_object('id', id, 'workflow_id', workflow_id)), '[]') into v_lost from lost;
  perform announce_executions(p_tenant, (select jsonb_agg(l || '{"status": "lost"}') from jsonb_array_elements(v_lost) l));
  return jsonb_build_object('lost', jsonb_array_length(v_lost));
end $$;

-- Forgets executions that began before a moment and have not been heard of since, a thousand a call; `more` says that some
-- are left. What waits may wait for years.
create function rollcall_api.delete_old_executions(p_tenant text, p_before timestamptz) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare v_ids uuid[];
begin
  perform enter(p_tenant);
  perform lock_executions(p_tenant, true);
  v_ids := array(select e.id from executions e
                  where e.tenant_id = p_tenant and e.began < p_before and e.status_at < p_before and e.status <> 'waiting'
                  order by e.began, e.id limit 1000);
  delete from node_executions where tenant_id = p_tenant and id = any (v_ids);
  delete from node_marks where tenant_id = p_tenant and id = any (v_ids);
  delete from telemetry_events where tenant_id = p_tenant and id = any (v_ids);
  delete from shared_state_snapshots where tenant_id = p_tenant and id = any (v_ids);
  delete from execution_keys where tenant_id = p_tenant and id = any (v_ids);
  delete from executions where tenant_id = p_tenant and id = any (v_ids);
  delete from call_tellers where tenant_id = p_tenant and at < p_before;
  return jsonb_build_object('deleted', cardinality(v_ids), 'more', cardinality(v_ids) = 1000);
end $$;

-- Drops whole days of spans; impatient, as telemetry's retention is.
create function rollcall_api.drop_old_spans(p_before timestamptz) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  v_oldest  text := 'telemetry_spans_' || to_char(p_before at time zone 'UTC', 'YYYYMMDD');
  v_name    text;
  v_dropped jsonb := '[]';
begin
  begin
    perform set_config('lock_timeout', '30ms', true);
    for v_name in
      select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
       where i.inhparent = 'rollcall.telemetry_spans'::regclass and c.relname < v_oldest order by 1
    loop
      execute format('drop table rollcall.%I', v_name);
      v_dropped := v_dropped || to_jsonb(v_name);
    end loop;
  exception when lock_not_available then
    v_dropped := '[]';
  end;
  return jsonb_build_object('dropped', v_dropped);
end $$;
