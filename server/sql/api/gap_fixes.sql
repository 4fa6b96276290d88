-- What can be done about a gap, and doing it.

create function rollcall_api.fix_offer(p_action text, p_summary text, p_arguments jsonb default '{}', p_needs jsonb default '[]') returns jsonb
language sql immutable as $$
  select jsonb_build_object('action', p_action, 'summary', p_summary, 'arguments', p_arguments, 'needs', p_needs);
$$;

-- The first offer is the default. A mute is always possible and always last.
create function rollcall_api.gap_fixes(g rollcall.gaps) returns jsonb
language sql stable set search_path = rollcall, rollcall_api, pg_temp as $$
  select case g.kind
    when 'unregistered' then jsonb_build_array(
      fix_offer('register', format('Register %s as %s.', g.entity_id, g.entity_type), jsonb_build_object('entity_type', g.entity_type)))
    when 'silent' then jsonb_build_array(
      fix_offer('set_state', format('Mark %s inactive: nothing is expected of it.', g.entity_id), '{"new_state": "inactive"}'),
      fix_offer('mark_deleted', format('Mark %s deleted.', g.entity_id)))
    when 'orphaned' then
      case when g.evidence->>'parent_id' is null then jsonb_build_array(
        fix_offer('reparent', 'Put it below a parent.', '{}', '["parent_type", "parent_id"]'),
        fix_offer('mark_deleted', format('Mark %s deleted.', g.entity_id)))
      else jsonb_build_array(
        fix_offer('register', format('Register the parent %s %s.', g.evidence->>'parent_type', g.evidence->>'parent_id'),
                  jsonb_build_object('entity_type', g.evidence->>'parent_type')),
        fix_offer('reparent', 'Put it below another parent.', '{}', '["parent_type", "parent_id"]'))
        || case when (g.evidence->>'needs_parent')::boolean then '[]' else jsonb_build_array(
             fix_offer('detach', 'Let it stand without a parent.')) end
        || jsonb_build_array(fix_offer('mark_deleted', format('Mark %s deleted.', g.entity_id))) end
    when 'broken_dependency' then
      case when (g.evidence->>'target_registered')::boolean and g.evidence->>'target_state' <> 'deleted' then jsonb_build_array(
        fix_offer('set_state', format('Mark %s active and healthy.', g.subject), '{"new_state": "active"}'),
        fix_offer('drop_dependency', format('Drop the dependency on %s.', g.subject)))
      else jsonb_build_array(
        fix_offer('register', format('Register %s.', g.subject), jsonb_build_object('entity_type', g.evidence->>'target_type')),
        fix_offer('drop_dependency', format('Drop the dependency on %s.', g.subject))) end
    when 'stuck' then jsonb_build_array(
      fix_offer('set_state', format('Mark %s active.', g.entity_id), '{"new_state": "active"}'),
      fix_offer('mark_deleted', format('Mark %s deleted.', g.entity_id)))
    else '[]' end
    || fix_offer('mute', 'Mute it until a date, with a reason.', '{}', '["reason", "until"]');
$$;

create function rollcall_api.mute_gap(p_tenant text, p_gap uuid, p_reason text, p_until timestamptz, p_actor text, p_now timestamptz)
returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare g gaps;
begin
  perform enter(p_tenant);
  if p_until is not null and p_until <= p_now then
    raise exception using errcode = 'RC422', message = 'A mute ends in the future.',
      detail = '{"code": "not_in_future", "path": "until"}', hint = 'Give a later date.';
  end if;
  update gaps set muted_until = p_until, mute_reason = p_reason, muted_by = p_actor
   where tenant_id = p_tenant and id = p_gap
  returning * into g;
  if not found then perform get_gap(p_tenant, p_gap, p_now); end if;
  return gap_json(g, p_now);
end $$;

-- p_fix: a GapFixRequest. Does it, checks again, and answers a GapFixResult.
create function rollcall_api.fix_gap(p_tenant text, p_gap uuid, p_fix jsonb, p_actor text, p_now timestamptz) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  g gaps;
  v_offer  jsonb;
  v_args   jsonb;
  v_target jsonb;
  v_need   text;
begin
  perform enter(p_tenant);
  perform lock_gaps(p_tenant);
  select * into g from gaps where tenant_id = p_tenant and id = p_gap for update;
  if not found then perform get_gap(p_tenant, p_gap, p_now); end if;
  if g.closed_at is not null then
    raise exception using errcode = 'RC409', message = 'This gap is closed already.', detail = '{"code": "gap_closed"}',
      hint = 'Nothing is left to do.';
  end if;
  select o into v_offer from jsonb_array_elements(gap_fixes(g)) with ordinality f(o, n)
   where not p_fix ? 'action' or o->>'action' = p_fix->>'action' order by n limit 1;
  if v_offer is null then
    raise exception using errcode = 'RC422', message = format('%s does not help against a gap of kind %s.', p_fix->>'action', g.kind),
      detail = '{"code": "not_applicable", "path": "action"}',
      hint = format('Choose one of: %s.', (select string_agg(o->>'action', ', ') from jsonb_array_elements(gap_fixes(g)) o));
  end if;
  v_args := (v_offer->'arguments') || p_fix;
  for v_need in select jsonb_array_elements_text(v_offer->'needs') loop
    if not v_args ? v_need then
      raise exception using errcode = 'RC422', message = format('The fix %s needs %s.', v_offer->>'action', v_need),
        detail = jsonb_build_object('code', 'required', 'path', v_need)::text, hint = 'Add it to the request.';
    end if;
  end loop;
  -- A fix of a dependency works on what is depended on, one of a lost parent on the parent.
  v_target := case
    when g.kind = 'broken_dependency' then jsonb_build_object('entity_type', g.evidence->>'target_type', 'entity_id', g.evidence->>'target_id')
    when g.kind = 'orphaned' and v_offer->>'action' = 'register' then jsonb_build_object('entity_type', g.evidence->>'parent_type', 'entity_id', g.evidence->>'parent_id')
    else jsonb_build_object('entity_type', g.entity_type, 'entity_id', g.entity_id) end;

  case v_offer->>'action'
    when 'register' then
      perform register_entity(p_tenant, jsonb_strip_nulls(v_target || jsonb_build_object(
        'entity_type', v_args->>'entity_type', 'entity_name', v_args->>'entity_name', 'current_state', 'active', 'registered_by', p_actor)), p_actor);
    when 'reparent' then
      perform from entities e
        where e.tenant_id = p_tenant and e.entity_type = v_args->>'parent_type' and e.entity_id = v_args->>'parent_id' and e.current_state <> 'deleted';
      if not found then
        raise exception using errcode = 'RC422', message = format('There is no %s %s in the registry.', v_args->>'parent_type', quote_literal(v_args->>'parent_id')),
          detail = '{"code": "unknown_parent", "path": "parent_id"}', hint = 'Register it first: POST /api/v1/entities.';
      end if;
      perform register_entity(p_tenant, v_target || jsonb_build_object('parent',
        jsonb_build_object('entity_type', v_args->>'parent_type', 'entity_id', v_args->>'parent_id')), p_actor);
    when 'detach' then
      perform register_entity(p_tenant, v_target || '{"parent": null}', p_actor);
    when 'set_state' then
      perform update_entity_state(p_tenant, v_target->>'entity_type', v_target->>'entity_id', v_args->>'new_state',
        case when g.kind = 'broken_dependency' then 'healthy' end, 'fix of gap ' || g.id, p_actor);
    when 'mark_deleted' then
      perform update_entity_state(p_tenant, v_target->>'entity_type', v_target->>'entity_id', 'deleted', null, 'fix of gap ' || g.id, p_actor);
    when 'drop_dependency' then
      delete from entity_dependencies d
       where d.tenant_id = p_tenant and d.entity_type = g.entity_type and d.entity_id = g.entity_id
         and d.target_type || '/' || d.target_id = g.subject;
    when 'mute' then
      perform mute_gap(p_tenant, p_gap, v_args->>'reason', (v_args->>'until')::timestamptz, p_actor, p_now);
  end case;

  perform check_gaps(p_tenant, p_now);
  return jsonb_build_object('action', v_offer->>'action', 'summary', v_offer->>'summary', 'gap', get_gap(p_tenant, p_gap, p_now));
end $$;
