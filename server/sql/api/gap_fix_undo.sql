-- Taking a fix back, and fixes that n8n carries out: intent is kept before n8n is asked, its outcome afterwards.

-- What people and programs have said of an entity: n8n's own words come and go with its inventories.
create function rollcall_api.without_n8n_words(p_entity jsonb) returns jsonb
language sql immutable as $$
  select p_entity - array['capabilities', 'extracted_capabilities'] || jsonb_build_object(
    'metadata', coalesce(nullif(p_entity->'metadata', 'null'), '{}') - 'n8n',
    'tags', coalesce(nullif(p_entity->'tags', 'null'), '[]')
              - array(select jsonb_array_elements_text(coalesce(nullif(p_entity #> '{metadata,n8n,tags}', 'null'), '[]'))));
$$;

-- Names of the fields that are no longer as the fix left them.
create function rollcall_api.changed_since(f rollcall.gap_fixes) returns text[]
language sql stable set search_path = rollcall, rollcall_api, pg_temp as $$
  with snapshot as materialized (
    select fix_snapshot(f.tenant_id, f.gap_id, f.target_type, f.target_id, f.subject) as now, not (f.before->>'existed')::boolean as made
  ), s as materialized (
    select case when made then now || jsonb_build_object('entity', without_n8n_words(now->'entity')) else now end as now,
           case when made then f.after || jsonb_build_object('entity', without_n8n_words(f.after->'entity')) else f.after end as after
      from snapshot
  ), field as (
    select p.part, k.field, s.now->p.part->k.field as now, s.after->p.part->k.field as after
      from s cross join unnest(array['entity', 'depends_on', 'gap']) p(part)
     cross join lateral (
       select jsonb_object_keys(s.after->p.part) union select jsonb_object_keys(f.before->p.part)
       -- Of an entity that the fix made, everything.
       union select jsonb_object_keys(s.now->p.part) where p.part = 'entity' and not (f.before->>'existed')::boolean) k(field)
  )
  select array_agg(case part when 'depends_on' then 'depends_on.' || field else field end order by part, field)
    from field where nullif(now, 'null') is distinct from nullif(after, 'null') and field <> 'state_since';
$$;

-- An entity that a fix had made: it goes with its history, which the fix's record outlives.
create function rollcall_api.unregister(f rollcall.gap_fixes) returns void
language plpgsql set search_path = rollcall, rollcall_api, pg_temp as $$
declare e entities;
begin
  delete from entity_dependencies d
   where d.tenant_id = f.tenant_id and d.entity_type = f.target_type and d.entity_id = f.target_id and d.origin = 'extracted';
  perform from entity_dependencies d where d.tenant_id = f.tenant_id and d.entity_type = f.target_type and d.entity_id = f.target_id;
  if found then
    raise exception using errcode = 'RC409', message = format('%s %s has dependencies since.', f.target_type, quote_literal(f.target_id)),
      detail = '{"code": "changed_since", "path": "depends_on"}', hint = 'Mark it deleted instead, or remove them first.';
  end if;
  delete from cadence where tenant_id = f.tenant_id and entity_type = f.target_type and entity_id = f.target_id;
  delete from entity_states where tenant_id = f.tenant_id and entity_type = f.target_type and entity_id = f.target_id;
  begin
    delete from entities where tenant_id = f.tenant_id and entity_type = f.target_type and entity_id = f.target_id returning * into e;
  exception when foreign_key_violation then
    raise exception using errcode = 'RC409', message = format('Others have built on %s %s since.', f.target_type, quote_literal(f.target_id)),
      detail = '{"code": "changed_since", "path": "entity_id"}', hint = 'Mark it deleted instead.';
  end;
  perform announce(f.tenant_id, 'registry', jsonb_build_object(
    'entity_type', e.entity_type, 'entity_id', e.entity_id, 'from_state', e.current_state, 'to_state', 'deleted',
    'from_health', e.health_status, 'to_health', e.health_status, 'reason', 'undo of fix ' || f.id));
end $$;

create function rollcall_api.restore_entity(f rollcall.gap_fixes, p_actor text) returns void
language plpgsql set search_path = rollcall, rollcall_api, pg_temp as $$
declare v_was entities; r entities; v_now entities;
begin
  select * into v_was from entities where tenant_id = f.tenant_id and entity_type = f.target_type and entity_id = f.target_id for update;
  r := jsonb_populate_record(v_was, f.before->'entity');
  update entities set
    entity_name = r.entity_name, description = r.description, registered_by = r.registered_by, capabilities = r.capabilities,
    declared_capabilities = r.declared_capabilities, extracted_capabilities = r.extracted_capabilities, tags = r.tags,
    endpoint_url = r.endpoint_url, parent_type = r.parent_type, parent_id = r.parent_id, project_id = r.project_id, version = r.version,
    definition_hash = r.definition_hash, metadata = r.metadata, silent_after = r.silent_after, current_state = r.current_state,
    state_since = r.state_since, health_status = r.health_status, updated_at = clock_timestamp()
  where tenant_id = f.tenant_id and entity_type = f.target_type and entity_id = f.target_id
  returning * into v_now;
  if (v_was.current_state, v_was.health_status) is distinct from (v_now.current_state, v_now.health_status) then
    perform record_state(v_now, v_was.current_state, v_was.health_status, 'undo of fix ' || f.id, p_actor);
  end if;
  if (v_was.parent_type, v_was.parent_id) is distinct from (v_now.parent_type, v_now.parent_id) then perform refuse_parent_cycle(v_now); end if;
end $$;

create function rollcall_api.restore_dependencies(f rollcall.gap_fixes) returns void
language plpgsql set search_path = rollcall, rollcall_api, pg_temp as $$
declare d entity_dependencies;
begin
  for d in select (jsonb_populate_record(null::entity_dependencies, value)).* from jsonb_each(f.before->'depends_on') where value <> 'null' loop
    perform from entities e where e.tenant_id = f.tenant_id and e.entity_type = d.entity_type and e.entity_id = d.entity_id;
    if not found then perform no_such_entity(d.entity_type, d.entity_id); end if;
    if depends_on(f.tenant_id, d.target_type, d.target_id, d.entity_type, d.entity_id) then
      raise exception using errcode = 'RC409',
        message = format('%s %s cannot depend on %s %s again: that one depends on it by now.', d.entity_type, quote_literal(d.entity_id), d.target_type, quote_literal(d.target_id)),
        detail = '{"code": "cycle", "path": "depends_on"}', hint = 'Remove the dependency that leads back first.';
    end if;
    d.tenant_id := f.tenant_id;
    insert into entity_dependencies select d.*;
  end loop;
end $$;

-- Puts back what a fix has changed, unless it was changed again since. Answers {fix, gap}; of a fix in n8n
-- {in_n8n: true, fix, workflow_before, workflow_after}, with nothing done.
create function rollcall_api.undo_gap_fix(p_tenant text, p_fix uuid, p_actor text, p_now timestamptz) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  f gap_fixes;
  v_changed text[];
begin
  perform enter(p_tenant);
  perform lock_gaps(p_tenant);
  perform lock_relations(p_tenant);
  f := fix_in_question(p_tenant, p_fix);
  if f.workflow_before is not null then
    return jsonb_build_object('in_n8n', true, 'fix', gap_fix_json(f), 'workflow_before', f.workflow_before, 'workflow_after', f.workflow_after);
  end if;
  v_changed := changed_since(f);
  if v_changed is not null then
    raise exception using errcode = 'RC409',
      message = format('%s %s was changed since: %s.', f.target_type, quote_literal(f.target_id), array_to_string(v_changed, ', ')),
      detail = jsonb_build_object('code', 'changed_since', 'path', v_changed[1])::text,
      hint = 'Undo what came later first, or put it right by hand.';
  end if;
  if f.after->'gap' is not null then
    perform by_clock(p_now);
    update gaps g set muted_until = r.muted_until, mute_reason = r.mute_reason, muted_by = r.muted_by
      from gaps x cross join lateral jsonb_populate_record(x, f.before->'gap') r
     where x.tenant_id = p_tenant and x.id = f.gap_id and g.id = x.id;
  end if;
  perform restore_dependencies(f);
  if not (f.before->>'existed')::boolean and (f.after->>'existed')::boolean then
    perform unregister(f);
  elsif f.before->'entity' is not null then
    perform restore_entity(f, p_actor);
  end if;
  perform check_gaps(p_tenant, p_now);
  return end_gap_fix(f, 'undone', null, null, p_actor, p_now);
end $$;

-- Locked; refused when it was undone, or never took hold.
create function rollcall_api.fix_in_question(p_tenant text, p_fix uuid) returns rollcall.gap_fixes
language plpgsql set search_path = rollcall, rollcall_api, pg_temp as $$
declare f gap_fixes;
begin
  select * into f from gap_fixes where tenant_id = p_tenant and id = p_fix for update;
  if not found then perform no_such_fix(p_fix); end if;
  if f.status in ('undone', 'failed') then
    raise exception using errcode = 'RC409',
      message = case f.status when 'undone' then format('This fix was undone by %s.', f.undone_by) else 'This fix failed: it has changed nothing.' end,
      detail = jsonb_build_object('code', case f.status when 'undone' then 'already_undone' else 'fix_failed' end)::text, hint = 'Nothing is left to do.';
  end if;
  return f;
end $$;

create function rollcall_api.end_gap_fix(f rollcall.gap_fixes, p_status text, p_error text, p_workflow text, p_actor text, p_now timestamptz) returns jsonb
language plpgsql set search_path = rollcall, rollcall_api, pg_temp as $$
declare v_now gap_fixes;
begin
  update gap_fixes x set
    status = p_status, error = p_error, workflow_after = coalesce(p_workflow, x.workflow_after),
    finished_at = coalesce(x.finished_at, case when p_status <> 'pending' then p_now end),
    undone_at = case when p_status = 'undone' then p_now end, undone_by = case when p_status = 'undone' then p_actor end
   where x.tenant_id = f.tenant_id and x.id = f.id
  returning * into v_now;
  return jsonb_build_object('fix', gap_fix_json(v_now), 'gap', get_gap(f.tenant_id, f.gap_id, p_now));
end $$;

-- Before n8n is asked. p_fix: as fix_gap plans it; the workflows are JSON texts. Answers {fix, gap}.
create function rollcall_api.begin_remote_fix(
  p_tenant text, p_gap uuid, p_fix jsonb, p_workflow_before text, p_workflow_after text, p_changes jsonb, p_actor text, p_now timestamptz
) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  g gaps;
  f gap_fixes;
begin
  perform enter(p_tenant);
  perform lock_gaps(p_tenant);
  select * into g from gaps where tenant_id = p_tenant and id = p_gap for update;
  if not found then perform get_gap(p_tenant, p_gap, p_now); end if;
  perform refuse_closed(g);
  select * into f from gap_fixes where tenant_id = p_tenant and gap_id = p_gap and status = 'pending';
  if found then
    raise exception using errcode = 'RC409', message = format('The fix %s of this gap is pending: n8n was asked, and its answer is not known.', f.id),
      detail = '{"code": "fix_pending"}', hint = format('Retry it (POST /api/v1/gaps/fixes/%s/retry), or undo it.', f.id);
  end if;
  insert into gap_fixes (tenant_id, gap_id, kind, entity_type, entity_id, subject, action, summary, arguments, actor, at, status,
                         target_type, target_id, changes, before, workflow_before, workflow_after)
  values (p_tenant, p_gap, g.kind, g.entity_type, g.entity_id, g.subject, p_fix->>'action', p_fix->>'summary', p_fix->'arguments',
          p_actor, p_now, 'pending', 'workflow', p_fix #>> '{arguments,workflow_id}', p_changes,
          remote_fix_part(p_tenant, p_fix #>> '{arguments,instance_id}', p_fix #>> '{arguments,workflow_id}'), p_workflow_before, p_workflow_after)
  returning * into f;
  return jsonb_build_object('fix', gap_fix_json(f), 'gap', gap_json(g, p_now));
end $$;

-- What the registry has of a workflow before a fix in n8n, as far as the fix leads it elsewhere; n8n's word on it was told.
create function rollcall_api.remote_fix_part(p_tenant text, p_instance text, p_workflow text) returns jsonb
language sql stable set search_path = rollcall, rollcall_api, pg_temp as $$
  select coalesce((
    select jsonb_build_object('existed', true, 'n8n_hash', w.definition_hash, 'entity', jsonb_build_object('current_state', e.current_state,
             'state_since', e.state_since, 'health_status', e.health_status, 'definition_hash', e.definition_hash, 'version', e.version))
      from entities e
      left join n8n_workflows w on w.tenant_id = p_tenant and w.instance_id = p_instance and w.workflow_id = p_workflow
     where e.tenant_id = p_tenant and e.entity_type = 'workflow' and e.entity_id = p_workflow), '{}');
$$;

-- What follows in the registry from what n8n has done, which it was told of.
create function rollcall_api.settle_remote_fix(f rollcall.gap_fixes, p_now timestamptz) returns void
language plpgsql set search_path = rollcall, rollcall_api, pg_temp as $$
begin
  update entities x set
    -- What is published again has its time to report from now on.
    state_since = case when f.action = 'reactivate' and x.current_state = 'active' then p_now else x.state_since end,
    -- A definition that Rollcall has changed itself is no drift.
    definition_hash = case when v.follows then w.definition_hash else x.definition_hash end,
    version = case when v.follows then w.version_id else x.version end,
    updated_at = clock_timestamp()
    from n8n_workflows w
   cross join lateral (select coalesce(f.action = 'instrument' and f.before #>> '{entity,definition_hash}' = f.before->>'n8n_hash', false) as follows) v
   where x.tenant_id = f.tenant_id and x.entity_type = 'workflow' and x.entity_id = f.target_id and x.current_state <> 'deleted'
     and w.tenant_id = f.tenant_id and w.instance_id = f.arguments->>'instance_id' and w.workflow_id = f.target_id;
  update gap_fixes x set after = remote_fix_part(f.tenant_id, f.arguments->>'instance_id', f.target_id) where x.tenant_id = f.tenant_id and x.id = f.id;
end $$;

-- The registry's part, back to what it was; a definition that somebody has accepted since stays.
create function rollcall_api.unsettle_remote_fix(f rollcall.gap_fixes, p_actor text) returns void
language plpgsql set search_path = rollcall, rollcall_api, pg_temp as $$
begin
  perform from entities e
    where e.tenant_id = f.tenant_id and e.entity_type = 'workflow' and e.entity_id = f.target_id and e.current_state in ('active', 'inactive', 'error');
  if not found or f.before->'entity' is null then return; end if;
  if exists (select from entities e where e.tenant_id = f.tenant_id and e.entity_type = 'workflow' and e.entity_id = f.target_id
                and e.definition_hash is distinct from f.after #>> '{entity,definition_hash}') then
    f.before := f.before #- '{entity,definition_hash}' #- '{entity,version}';
  end if;
  perform restore_entity(f, p_actor);
end $$;

-- What became of it; then it checks again. p_status: done, failed, undone, or pending with what is known of the failure.
-- p_workflow: as n8n has it now.
create function rollcall_api.finish_remote_fix(
  p_tenant text, p_fix uuid, p_status text, p_error text, p_workflow text, p_actor text, p_now timestamptz
) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare f gap_fixes;
begin
  perform enter(p_tenant);
  perform lock_gaps(p_tenant);
  perform lock_relations(p_tenant);
  f := fix_in_question(p_tenant, p_fix);
  if p_status = 'done' then perform settle_remote_fix(f, p_now);
  elsif p_status = 'undone' then perform unsettle_remote_fix(f, p_actor); end if;
  if p_status in ('done', 'undone') then perform check_gaps(p_tenant, p_now, false); end if;
  return end_gap_fix(f, p_status, p_error, p_workflow, p_actor, p_now);
end $$;
