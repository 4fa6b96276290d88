-- What watchers read: announcements, and who is told that there are some.

-- Which watchers to wake: names no tenant, for every role of a database hears every notification.
create function rollcall_api.live_lane(p_tenant text) returns text
language sql immutable as $$
  select left(encode(sha256(convert_to(p_tenant, 'UTF8')), 'hex'), 8);
$$;

-- Called at the end of a use case, within its transaction. Small bodies: ids, and what a list shows at a glance.
-- Commits that notify follow one another, so telemetry, where every millisecond counts, is announced apart.
create function rollcall_api.announce(p_tenant text, p_topic text, p_body jsonb) returns void
language plpgsql as $$
begin
  insert into rollcall.live_events (tenant_id, topic, body) values (p_tenant, p_topic, p_body);
  perform pg_notify('rollcall_live', rollcall_api.live_lane(p_tenant));
end $$;

-- p_executions: an array of {id, workflow_id, status}; null for none.
create function rollcall_api.announce_executions(p_tenant text, p_executions jsonb) returns void
language plpgsql as $$
declare v_page jsonb;
begin
  for v_page in
    select jsonb_agg(e order by n) from jsonb_array_elements(p_executions) with ordinality x(e, n) group by (n - 1) / 100
  loop
    perform rollcall_api.announce(p_tenant, 'executions', jsonb_build_object('executions', v_page));
  end loop;
end $$;

-- What came in within the last moments, summed by the server that took it in. Nothing waits for this, so it need
-- not reach the disk either.
create function rollcall_api.announce_telemetry(p_tenant text, p_summary jsonb) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
begin
  perform enter(p_tenant);
  perform set_config('synchronous_commit', 'off', true);
  perform announce(p_tenant, 'telemetry', p_summary);
  return 'true';
end $$;

-- Wakes whoever listens; with a word of their own, servers learn whether they hear anything at all.
create function rollcall_api.wake_live(p_lane text) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
begin
  perform set_config('synchronous_commit', 'off', true);
  perform pg_notify('rollcall_live', p_lane);
  return 'true';
end $$;

-- The announcements that p_upto holds and p_seen does not, in order of (xact, id), after the given one: so none is
-- skipped, whichever transaction commits first, and none comes twice. Both are pg_snapshots; p_upto is now when
-- null, p_seen too. `reset`: what was seen last is too old to go on from, or of another database.
create function rollcall_api.read_live(
  p_tenant text, p_seen text, p_upto text, p_after_xact text, p_after_id bigint, p_limit int
) returns jsonb
language plpgsql stable security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  v_now  pg_snapshot := pg_current_snapshot();
  v_seen pg_snapshot := p_seen::pg_snapshot;
  v_upto pg_snapshot := coalesce(p_upto::pg_snapshot, v_now);
  v_rows jsonb;
begin
  perform enter(p_tenant);
  if p_seen is null then
    return jsonb_build_object('upto', v_now::text, 'events', '[]'::jsonb, 'more', false, 'reset', false);
  end if;
  if pg_snapshot_xmin(v_seen) <= (select t.live_trimmed from tenants t where t.tenant_id = p_tenant)
     or greatest(pg_snapshot_xmax(v_seen), pg_snapshot_xmax(v_upto)) > pg_snapshot_xmax(v_now) then
    return jsonb_build_object('upto', v_now::text, 'events', '[]'::jsonb, 'more', false, 'reset', true);
  end if;
  select coalesce(jsonb_agg(jsonb_build_object('xact', r.xact::text, 'id', r.id, 'at', r.at, 'topic', r.topic, 'body', r.body)
                            order by r.xact, r.id), '[]')
    into v_rows
    from (select * from live_events e
           where e.tenant_id = p_tenant
             and e.xact >= pg_snapshot_xmin(v_seen) and e.xact < pg_snapshot_xmax(v_upto)
             and not pg_visible_in_snapshot(e.xact, v_seen) and pg_visible_in_snapshot(e.xact, v_upto)
             and (p_after_xact is null or (e.xact, e.id) > (p_after_xact::xid8, p_after_id))
           order by e.xact, e.id limit p_limit + 1) r;
  return jsonb_build_object('upto', v_upto::text, 'more', jsonb_array_length(v_rows) > p_limit, 'reset', false,
    'events', case when jsonb_array_length(v_rows) > p_limit then v_rows - p_limit else v_rows end);
end $$;

-- Removes what is older than p_keep_seconds, or beyond the newest p_keep_rows. Rows that a transaction under way may
-- have been overtaken by stay, so that whoever reads now is never told to start anew.
create function rollcall_api.trim_live(p_tenant text, p_now timestamptz, p_keep_seconds int, p_keep_rows int) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  v_oldest  xid8 := pg_snapshot_xmin(pg_current_snapshot());
  v_surplus xid8;
  v_removed bigint;
  v_last    xid8;
begin
  perform enter(p_tenant);
  select e.xact into v_surplus from live_events e
   where e.tenant_id = p_tenant order by e.xact desc, e.id desc offset p_keep_rows limit 1;
  with gone as (
    delete from live_events e
     where e.tenant_id = p_tenant and e.xact < v_oldest
       and (e.at < p_now - make_interval(secs => p_keep_seconds) or e.xact <= v_surplus)
    returning e.xact
  )
  select (select count(*) from gone), (select xact from gone order by xact desc limit 1) into v_removed, v_last;
  if v_removed > 0 then
    update tenants set live_trimmed = greatest(live_trimmed, v_last) where tenant_id = p_tenant;
  end if;
  return jsonb_build_object('removed', v_removed);
end $$;
