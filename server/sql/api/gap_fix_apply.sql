-- Doing something about gaps in the registry, one at a time or many in one transaction.

-- Does to the target what the fix says. p_fix: as chosen_fix answers.
create function rollcall_api.apply_fix(g rollcall.gaps, p_fix jsonb, p_type text, p_id text, p_actor text, p_now timestamptz) returns void
language plpgsql set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  v_args jsonb := p_fix->'arguments';
  v_entity jsonb := jsonb_build_object('entity_type', p_type, 'entity_id', p_id);
  v_known entities;
  w n8n_workflows;
begin
  if p_fix->>'action' in ('reparent', 'detach', 'accept_drift') then
    select * into v_known from entities where tenant_id = g.tenant_id and entity_type = p_type and entity_id = p_id for update;
    if not found then perform no_such_entity(p_type, p_id); end if;
    perform refuse_deleted(v_known);
  end if;
  case p_fix->>'action'
    when 'register' then
      if g.kind in ('unreported', 'broken_dependency') then w := gap_workflow(g); end if;
      perform register_entity(g.tenant_id, jsonb_strip_nulls(jsonb_build_object(
        'entity_type', p_type, 'entity_id', p_id, 'entity_name', coalesce(v_args->>'entity_name', w.name), 'description', w.description,
        'version', w.version_id, 'definition_hash', w.definition_hash,
        'current_state', case when w.state in ('inactive', 'archived', 'error') then w.state else 'active' end, 'registered_by', p_actor)), p_actor);
    when 'reparent' then
      perform from entities e
        where e.tenant_id = g.tenant_id and e.entity_type = v_args->>'parent_type' and e.entity_id = v_args->>'parent_id' and e.current_state <> 'deleted';
      if not found then
        raise exception using errcode = 'RC422', message = format('There is no %s %s in the registry.', v_args->>'parent_type', quote_literal(v_args->>'parent_id')),
          detail = '{"code": "unknown_parent", "path": "parent_id"}', hint = 'Register it first: POST /api/v1/entities.';
      end if;
      perform register_entity(g.tenant_id, v_entity || jsonb_build_object('parent',
        jsonb_build_object('entity_type', v_args->>'parent_type', 'entity_id', v_args->>'parent_id')), p_actor);
    when 'detach' then
      perform register_entity(g.tenant_id, v_entity || '{"parent": null}', p_actor);
    when 'accept_drift' then
      perform register_entity(g.tenant_id, v_entity || jsonb_strip_nulls(jsonb_build_object('definition_hash', v_args->'definition_hash', 'version', v_args->'version')), p_actor);
    when 'set_state' then
      perform update_entity_state(g.tenant_id, p_type, p_id, v_args->>'new_state',
        case when g.kind = 'broken_dependency' then 'healthy' end, 'fix of gap ' || g.id, p_actor);
    when 'mark_deleted' then
      perform update_entity_state(g.tenant_id, p_type, p_id, 'deleted', null, 'fix of gap ' || g.id, p_actor);
    when 'drop_dependency' then
      delete from entity_dependencies d
       where d.tenant_id = g.tenant_id and d.entity_type = p_type and d.entity_id = p_id and d.target_type || '/' || d.target_id = g.subject;
    when 'mute' then
      if (v_args->>'until')::timestamptz <= p_now then
        raise exception using errcode = 'RC422', message = 'A mute ends in the future.',
          detail = '{"code": "not_in_future", "path": "until"}', hint = 'Give a later date.';
      end if;
      perform by_clock(p_now);
      update gaps set muted_until = (v_args->>'until')::timestamptz, mute_reason = v_args->>'reason', muted_by = p_actor
       where tenant_id = g.tenant_id and id = g.id;
  end case;
end $$;

-- Does a fix and keeps the record of it. Answers {action, summary, fix_id, changes}, or {in_n8n: true, ...} with nothing done.
-- The caller holds lock_gaps and lock_relations, and checks gaps afterwards.
create function rollcall_api.do_fix(g rollcall.gaps, p_request jsonb, p_actor text, p_now timestamptz) returns jsonb
language plpgsql set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  v_fix  jsonb := chosen_fix(g, p_request);
  v_type text := g.entity_type;
  v_id   text := g.entity_id;
  v_before  jsonb;
  v_after   jsonb;
  v_changes jsonb;
  v_fix_id  uuid;
begin
  if (v_fix->>'in_n8n')::boolean then return v_fix; end if;
  -- A fix of a dependency works on what is depended on, one of a lost parent on the parent.
  if g.kind = 'broken_dependency' and v_fix->>'action' in ('register', 'set_state') then
    v_type := g.evidence->>'target_type';
    v_id := g.evidence->>'target_id';
  elsif g.kind = 'orphaned' and v_fix->>'action' = 'register' then
    v_type := g.evidence->>'parent_type';
    v_id := g.evidence->>'parent_id';
  end if;
  if v_fix->>'action' = 'register' then v_type := v_fix #>> '{arguments,entity_type}'; end if;

  v_before := fix_snapshot(g.tenant_id, g.id, v_type, v_id, g.subject);
  perform apply_fix(g, v_fix, v_type, v_id, p_actor, p_now);
  v_after := fix_snapshot(g.tenant_id, g.id, v_type, v_id, g.subject);
  v_changes := fix_changes(v_type, v_id, v_before, v_after);
  insert into gap_fixes (tenant_id, gap_id, kind, entity_type, entity_id, subject, action, summary, arguments, actor, at, status,
                         target_type, target_id, changes, before, after, finished_at)
  values (g.tenant_id, g.id, g.kind, g.entity_type, g.entity_id, g.subject, v_fix->>'action', v_fix->>'summary', v_fix->'arguments',
          p_actor, p_now, 'done', v_type, v_id, v_changes, fix_part(v_before, v_before, v_after), fix_part(v_after, v_before, v_after), p_now)
  returning id into v_fix_id;
  return jsonb_build_object('action', v_fix->'action', 'summary', v_fix->'summary', 'fix_id', v_fix_id, 'status', 'done', 'changes', v_changes);
end $$;

-- p_fix: a GapFixRequest. Does it, checks again, and answers a GapFixResult; a dry run is the same, taken back. What n8n
-- has to do is only planned: {in_n8n: true, action, summary, arguments, gap}.
create function rollcall_api.fix_gap(p_tenant text, p_gap uuid, p_fix jsonb, p_actor text, p_now timestamptz) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  g gaps;
  v_dry    boolean := coalesce((p_fix->>'dry_run')::boolean, false);
  v_result jsonb;
begin
  perform enter(p_tenant);
  perform lock_gaps(p_tenant);
  perform lock_relations(p_tenant);
  select * into g from gaps where tenant_id = p_tenant and id = p_gap for update;
  if not found then perform get_gap(p_tenant, p_gap, p_now); end if;
  perform refuse_closed(g);
  begin
    v_result := do_fix(g, p_fix, p_actor, p_now);
    if not v_result ? 'in_n8n' then perform check_gaps(p_tenant, p_now); end if;
    v_result := v_result || jsonb_build_object('dry_run', v_dry, 'gap', get_gap(p_tenant, p_gap, p_now));
    if v_dry then raise exception using errcode = 'RCDRY'; end if;
  exception when sqlstate 'RCDRY' then
    v_result := v_result || '{"fix_id": null, "status": null}';
  end;
  return v_result;
end $$;

create function rollcall_api.refuse_closed(g rollcall.gaps) returns void
language plpgsql as $$
begin
  if g.closed_at is not null then
    raise exception using errcode = 'RC409', message = 'This gap is closed already.', detail = '{"code": "gap_closed"}',
      hint = 'Nothing is left to do.';
  end if;
end $$;

-- p_until null ends the mute; a mute is a fix, with its record and its undo.
create function rollcall_api.mute_gap(p_tenant text, p_gap uuid, p_reason text, p_until timestamptz, p_actor text, p_now timestamptz)
returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare g gaps;
begin
  perform enter(p_tenant);
  perform lock_gaps(p_tenant);
  select * into g from gaps where tenant_id = p_tenant and id = p_gap for update;
  if not found then perform get_gap(p_tenant, p_gap, p_now); end if;
  if p_until is null then
    perform by_clock(p_now);
    update gaps set muted_until = null, mute_reason = null, muted_by = null where tenant_id = p_tenant and id = p_gap;
  else
    perform do_fix(g, jsonb_build_object('action', 'mute', 'reason', p_reason, 'until', p_until), p_actor, p_now);
  end if;
  return get_gap(p_tenant, p_gap, p_now);
end $$;

-- Fixes the gaps that fit, longest open first, in one transaction: what cannot be fixed is answered with the reason and
-- holds nothing up. p_fix: a GapFixRequest for each. Answers {dry_run, fixed, refused, items, next, check}.
create function rollcall_api.fix_gaps(
  p_tenant text, p_filter jsonb, p_fix jsonb, p_actor text, p_now timestamptz, p_limit int, p_after jsonb default null
) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  v_dry    boolean := coalesce((p_fix->>'dry_run')::boolean, false);
  v_gap    jsonb;
  v_page   jsonb;
  v_one    jsonb;
  v_items  jsonb := '[]';
  v_check  jsonb;
  g gaps;
  v_detail text;
begin
  perform enter(p_tenant);
  perform lock_gaps(p_tenant);
  perform lock_relations(p_tenant);
  v_page := list_gaps(p_tenant, p_filter, p_now, p_limit, p_after);
  begin
    for v_gap in select jsonb_array_elements(v_page->'items') loop
      v_one := jsonb_build_object('gap_id', v_gap->'id', 'kind', v_gap->'kind', 'entity_type', v_gap->'entity_type', 'entity_id', v_gap->'entity_id');
      begin
        select * into g from gaps where tenant_id = p_tenant and id = (v_gap->>'id')::uuid for update;
        v_one := v_one || jsonb_build_object('status', 'fixed', 'code', null, 'message', null) || (do_fix(g, p_fix, p_actor, p_now) - 'status');
        if v_one ? 'in_n8n' then
          raise exception using errcode = 'RC409', message = format('%s is done in n8n.', v_one->>'action'), detail = '{"code": "in_n8n"}',
            hint = format('Fix these with the action %s named.', v_one->>'action');
        end if;
      exception when others then
        if sqlstate not like 'RC4%' then raise; end if;
        get stacked diagnostics v_detail = pg_exception_detail;
        v_one := jsonb_build_object('gap_id', v_gap->'id', 'kind', v_gap->'kind', 'entity_type', v_gap->'entity_type', 'entity_id', v_gap->'entity_id',
          'status', 'refused', 'code', coalesce(nullif(v_detail, '')::jsonb->>'code', case sqlstate when 'RC404' then 'not_found' else 'conflict' end),
          'message', sqlerrm, 'action', null, 'summary', null, 'fix_id', null, 'changes', '[]'::jsonb);
      end;
      v_items := v_items || v_one;
    end loop;
    v_check := check_gaps(p_tenant, p_now);
    if v_dry then raise exception using errcode = 'RCDRY'; end if;
  exception when sqlstate 'RCDRY' then
    v_items := (select coalesce(jsonb_agg(i || '{"fix_id": null}' order by n), '[]') from jsonb_array_elements(v_items) with ordinality x(i, n));
  end;
  return jsonb_build_object('dry_run', v_dry, 'items', v_items, 'next', v_page->'next', 'check', v_check,
    'fixed', (select count(*) from jsonb_array_elements(v_items) i where i->>'status' = 'fixed'),
    'refused', (select count(*) from jsonb_array_elements(v_items) i where i->>'status' = 'refused'));
end $$;
