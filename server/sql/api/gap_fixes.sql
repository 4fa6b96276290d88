-- What can be done about a gap.

create function rollcall_api.fix_offer(p_action text, p_summary text, p_arguments jsonb default '{}', p_needs jsonb default '[]') returns jsonb
language sql stable as $$
  select jsonb_build_object('action', p_action, 'summary', p_summary, 'arguments', p_arguments, 'needs', p_needs);
$$;

-- The workflow in n8n that a gap is about, of a broken dependency what is depended on: of several instances, the one in its
-- evidence, else the one heard of last.
create function rollcall_api.gap_workflow(g rollcall.gaps) returns rollcall.n8n_workflows
language plpgsql stable as $$
begin
  return (select n from rollcall.n8n_workflows n
   where n.tenant_id = g.tenant_id and n.instance_id <> '' and n.deleted_at is null
     and n.workflow_id = case when g.kind <> 'broken_dependency' then coalesce(g.evidence->>'workflow_id', g.entity_id) else g.evidence->>'target_id' end
     and 'workflow' = case when g.kind <> 'broken_dependency' then g.entity_type::text else g.evidence->>'target_type' end
   order by n.instance_id = g.evidence->>'instance_id' desc nulls last, n.seen_at desc nulls last, n.instance_id limit 1);
end $$;

-- What n8n itself has to do. None where no instance is known to have the workflow.
create function rollcall_api.n8n_fix_offers(g rollcall.gaps) returns jsonb
language plpgsql stable set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  w n8n_workflows;
  v_at jsonb;
  v_connected boolean;
begin
  w := gap_workflow(g);
  if w.workflow_id is null or w.state = 'archived' then return '[]'; end if;
  v_at := jsonb_build_object('instance_id', w.instance_id, 'workflow_id', w.workflow_id);
  v_connected := exists (select from n8n_connections c where c.tenant_id = g.tenant_id and c.instance_id = w.instance_id);
  case
    when g.kind = 'silent' or (g.kind = 'broken_dependency' and v_connected) then
      return case when w.state = 'active' or w.state is null then '[]' else jsonb_build_array(
        fix_offer('reactivate', format('Publish %s in n8n again, which has it %s.', coalesce(w.name, w.workflow_id), w.state), v_at)) end;
    when g.kind = 'drifted' then
      -- Its versions are known by ids of n8n's making.
      return case when not v_connected or coalesce(g.evidence->>'registered_version', '') !~ '^[0-9a-f]{8}-[0-9a-f-]{27}$' then '[]' else jsonb_build_array(
        fix_offer('restore', format('Put the registered version of %s back in n8n.', coalesce(w.name, w.workflow_id)),
          v_at || jsonb_build_object('version', g.evidence->'registered_version'))) end;
    when g.kind = 'uninstrumented' then
      return jsonb_build_array(fix_offer('instrument', format('Put Rollcall''s nodes into %s in n8n.', coalesce(w.name, w.workflow_id)), v_at));
    else return '[]';
  end case;
end $$;

-- The first offer is the default. A mute is always possible and always last.
create function rollcall_api.gap_fixes(g rollcall.gaps) returns jsonb
language plpgsql stable as $$
begin
  return case g.kind
    when 'unregistered' then jsonb_build_array(
      rollcall_api.fix_offer('register', format('Register %s as %s.', g.entity_id, g.entity_type), jsonb_build_object('entity_type', g.entity_type)))
    when 'unreported' then jsonb_build_array(
      rollcall_api.fix_offer('register', format('Register %s as n8n has it.', g.entity_id), jsonb_build_object('entity_type', g.entity_type)))
    when 'missing' then jsonb_build_array(
      rollcall_api.fix_offer('mark_deleted', format('Mark %s deleted: n8n no longer has it.', g.entity_id)))
    when 'drifted' then jsonb_build_array(
      rollcall_api.fix_offer('accept_drift', format('Take n8n''s definition of %s as the registered one.', g.entity_id),
                jsonb_strip_nulls(jsonb_build_object('definition_hash', g.evidence->'n8n_hash', 'version', g.evidence->'n8n_version_id')))) || rollcall_api.n8n_fix_offers(g)
    when 'uninstrumented' then rollcall_api.n8n_fix_offers(g) || jsonb_build_array(
      rollcall_api.fix_offer('set_state', format('Mark %s inactive: nothing is expected of it.', g.entity_id), '{"new_state": "inactive"}'))
    when 'silent' then case when g.entity_type = 'n8n_instance' then '[]' else rollcall_api.n8n_fix_offers(g) || jsonb_build_array(
      rollcall_api.fix_offer('set_state', format('Mark %s inactive: nothing is expected of it.', g.entity_id), '{"new_state": "inactive"}'),
      rollcall_api.fix_offer('mark_deleted', format('Mark %s deleted.', g.entity_id))) end
    when 'orphaned' then
      case when g.evidence->>'parent_id' is null then jsonb_build_array(
        rollcall_api.fix_offer('reparent', 'Put it below a parent.', '{}', '["parent_type", "parent_id"]'),
        rollcall_api.fix_offer('mark_deleted', format('Mark %s deleted.', g.entity_id)))
      else jsonb_build_array(
        rollcall_api.fix_offer('register', format('Register the parent %s %s.', g.evidence->>'parent_type', g.evidence->>'parent_id'),
                  jsonb_build_object('entity_type', g.evidence->>'parent_type')),
        rollcall_api.fix_offer('reparent', 'Put it below another parent.', '{}', '["parent_type", "parent_id"]'))
        || case when (g.evidence->>'needs_parent')::boolean then '[]' else jsonb_build_array(
             rollcall_api.fix_offer('detach', 'Let it stand without a parent.')) end
        || jsonb_build_array(fix_offer('mark_deleted', format('Mark %s deleted.', g.entity_id))) end
    when 'broken_dependency' then
      case when (g.evidence->>'target_registered')::boolean and g.evidence->>'target_state' <> 'deleted' then rollcall_api.n8n_fix_offers(g) || jsonb_build_array(
        rollcall_api.fix_offer('set_state', format('Mark %s active and healthy.', g.subject), '{"new_state": "active"}'),
        rollcall_api.fix_offer('drop_dependency', format('Drop the dependency on %s.', g.subject)))
      else jsonb_build_array(
        rollcall_api.fix_offer('register', format('Register %s.', g.subject), jsonb_build_object('entity_type', g.evidence->>'target_type')),
        rollcall_api.fix_offer('drop_dependency', format('Drop the dependency on %s.', g.subject))) end
    -- A run that takes too long is no state of the entity.
    when 'stuck' then case when g.subject = 'overrun' then '[]' else jsonb_build_array(
      rollcall_api.fix_offer('set_state', format('Mark %s active.', g.entity_id), '{"new_state": "active"}'),
      rollcall_api.fix_offer('mark_deleted', format('Mark %s deleted.', g.entity_id))) end
    else '[]' end
    || rollcall_api.fix_offer('mute', 'Mute it until a date, with a reason.', '{}', '["reason", "until"]');
end $$;

-- The offer that a request means, its arguments completed by the request's: {action, summary, arguments, in_n8n}.
-- Refused when it does not help against the gap, or lacks what it needs.
create function rollcall_api.chosen_fix(g rollcall.gaps, p_fix jsonb) returns jsonb
language plpgsql stable set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  v_offers jsonb := gap_fixes(g);
  v_offer  jsonb;
  v_given  jsonb := p_fix - array['action', 'dry_run'];
  v_need   text;
begin
  select o into v_offer from jsonb_array_elements(v_offers) with ordinality f(o, n)
   where p_fix->>'action' is null or o->>'action' = p_fix->>'action' order by n limit 1;
  if v_offer is null then
    raise exception using errcode = 'RC422', message = format('%s does not help against a gap of kind %s.', p_fix->>'action', g.kind),
      detail = '{"code": "not_applicable", "path": "action"}',
      hint = format('Choose one of: %s.', (select string_agg(o->>'action', ', ') from jsonb_array_elements(v_offers) o));
  end if;
  for v_need in select jsonb_array_elements_text(v_offer->'needs') loop
    if not v_given ? v_need then
      raise exception using errcode = 'RC422', message = format('The fix %s needs %s.', v_offer->>'action', v_need),
        detail = jsonb_build_object('code', 'required', 'path', v_need)::text, hint = 'Add it to the request.';
    end if;
  end loop;
  return jsonb_build_object('action', v_offer->'action', 'summary', v_offer->'summary',
    'arguments', (v_offer->'arguments') || v_given, 'in_n8n', v_offer->>'action' in ('reactivate', 'restore', 'instrument'));
end $$;
