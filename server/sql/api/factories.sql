-- What factories report of the things they make.

-- The state that a phase leads to. Making something anew that is there already does not undo its first birth.
create function rollcall_api.factory_state(p_phase text, p_current text) returns text
language sql immutable as $$
  select case p_phase
    when 'succeeded' then 'active'
    when 'failed' then 'error'
    when 'step' then 'deploying'
    else case when p_current in ('active', 'inactive', 'error', 'deploying') then 'deploying' else 'created' end
  end;
$$;

-- One event: telemetry, registration, state and parent together. p_event: a complete telemetry event; p_entity: an
-- EntityRegistration without a state. State follows the time of the event: what comes late is recorded, and registers
-- only what nobody has registered since.
-- Answers {"status": "accepted" | "duplicate"}.
create function rollcall_api.record_factory_event(
  p_tenant text, p_project text, p_actor text, p_event jsonb, p_entity jsonb, p_phase text, p_factory text
) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  v_type text := p_entity->>'entity_type';
  v_id   text := p_entity->>'entity_id';
  v_at   timestamptz := p_event->>'timestamp';
  v_rank constant jsonb := '{"started": 0, "step": 1, "succeeded": 2, "failed": 2}';
  v_last factory_makings;
  v_was  text;
begin
  perform enter(p_tenant);
  if (ingest_telemetry(p_tenant, json_build_array(p_event), jsonb_build_array(left(p_event->>'timestamp', 10)))->>'accepted')::int = 0 then
    return '{"status": "duplicate"}';
  end if;
  -- Events of one making come one at a time, from whichever server.
  perform pg_advisory_xact_lock(hashtextextended(format('rollcall.factory:%s:%s:%s', p_tenant, v_type, v_id), 0));
  select * into v_last from factory_makings where tenant_id = p_tenant and entity_type = v_type and entity_id = v_id;
  if found and (v_at, (v_rank->>p_phase)::int) < (v_last.told_at, (v_rank->>v_last.phase)::int) then
    return '{"status": "accepted"}';
  end if;
  select current_state into v_was from entities where tenant_id = p_tenant and entity_type = v_type and entity_id = v_id;
  perform register_entity(p_tenant, p_entity || jsonb_build_object('current_state', factory_state(p_phase, v_was)), p_actor, p_project);
  insert into factory_makings (tenant_id, entity_type, entity_id, factory, phase, told_at)
  values (p_tenant, v_type, v_id, p_factory, p_phase, v_at)
  on conflict (tenant_id, entity_type, entity_id) do update set
    factory = excluded.factory, phase = excluded.phase, told_at = excluded.told_at;
  return '{"status": "accepted"}';
end $$;
