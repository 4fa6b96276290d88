-- What a fix changes: compared before and after, kept for the undo, shown to people.

-- What a fix may change, field by field; {} for an entity that is not there. p_subject: the dependency in question.
create function rollcall_api.fix_snapshot(p_tenant text, p_gap uuid, p_type text, p_id text, p_subject text) returns jsonb
language sql stable set search_path = rollcall, rollcall_api, pg_temp as $$
  select jsonb_build_object(
    'entity', coalesce((select to_jsonb(e) - array['tenant_id', 'updated_at', 'last_heartbeat'] from entities e
                         where e.tenant_id = p_tenant and e.entity_type = p_type and e.entity_id = p_id), '{}'),
    'depends_on', coalesce((select jsonb_object_agg(p_subject, to_jsonb(d) - 'tenant_id') from entity_dependencies d
                             where d.tenant_id = p_tenant and d.entity_type = p_type and d.entity_id = p_id
                               and d.target_type || '/' || d.target_id = p_subject), '{}'),
    'gap', (select jsonb_build_object('muted_until', g.muted_until, 'mute_reason', g.mute_reason, 'muted_by', g.muted_by)
              from gaps g where g.tenant_id = p_tenant and g.id = p_gap));
$$;

create function rollcall_api.fix_differences(p_before jsonb, p_after jsonb)
returns table (part text, field text, was jsonb, became jsonb)
language sql immutable as $$
  select p.part, k.field, nullif(p_before->p.part->k.field, 'null'), nullif(p_after->p.part->k.field, 'null')
    from unnest(array['entity', 'depends_on', 'gap']) p(part)
   cross join lateral (select jsonb_object_keys(p_before->p.part) union select jsonb_object_keys(p_after->p.part)) k(field)
   where nullif(p_before->p.part->k.field, 'null') is distinct from nullif(p_after->p.part->k.field, 'null');
$$;

-- As FixChange[] for people: without what follows from the rest, and what is as empty as before.
create function rollcall_api.fix_changes(p_type text, p_id text, p_before jsonb, p_after jsonb) returns jsonb
language sql immutable as $$
  select coalesce(jsonb_agg(jsonb_build_object('entity', jsonb_build_object('entity_type', p_type, 'entity_id', p_id),
           'field', case d.part when 'depends_on' then 'depends_on.' || d.field else d.field end,
           'from', d.was, 'to', d.became) order by d.part, d.field), '[]')
    from rollcall_api.fix_differences(p_before, p_after) d
   where d.field not in ('state_since', 'created_at', 'entity_type', 'entity_id', 'declared_capabilities', 'extracted_capabilities')
     and not (coalesce(d.was, '[]') in ('[]', '{}') and coalesce(d.became, '[]') in ('[]', '{}'));
$$;

-- Of a snapshot, the fields that differ; `existed` says whether the entity was there at all.
create function rollcall_api.fix_part(p_snapshot jsonb, p_before jsonb, p_after jsonb) returns jsonb
language sql immutable as $$
  select jsonb_build_object('existed', p_snapshot->'entity' <> '{}') || coalesce(jsonb_object_agg(part, fields), '{}')
    from (select d.part, jsonb_object_agg(d.field, p_snapshot->d.part->d.field) as fields
            from rollcall_api.fix_differences(p_before, p_after) d group by d.part) f;
$$;

create function rollcall_api.gap_fix_json(f rollcall.gap_fixes) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'id', f.id, 'gap_id', f.gap_id, 'kind', f.kind, 'entity_type', f.entity_type, 'entity_id', f.entity_id, 'action', f.action,
    'summary', f.summary, 'arguments', f.arguments, 'actor', f.actor, 'at', f.at, 'status', f.status, 'error', f.error,
    'changes', f.changes, 'finished_at', f.finished_at, 'undone_at', f.undone_at, 'undone_by', f.undone_by);
$$;

-- Newest first. p_filter: a GapFixFilter.
create function rollcall_api.list_gap_fixes(p_tenant text, p_filter jsonb, p_limit int, p_after jsonb default null) returns jsonb
language plpgsql stable security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare v_rows jsonb;
begin
  perform enter(p_tenant);
  select jsonb_agg(gap_fix_json(f) order by f.at desc, f.id desc) into v_rows
    from (select * from gap_fixes r
           where r.tenant_id = p_tenant
             and (p_filter->>'gap_id' is null or r.gap_id = (p_filter->>'gap_id')::uuid)
             and (p_filter->>'kind' is null or r.kind = p_filter->>'kind')
             and (p_filter->>'action' is null or r.action = p_filter->>'action')
             and (p_filter->>'status' is null or r.status = p_filter->>'status')
             and (p_filter->>'entity_type' is null or r.entity_type = p_filter->>'entity_type')
             and (p_filter->>'entity_id' is null or r.entity_id = p_filter->>'entity_id')
             and (p_filter->>'from' is null or r.at >= (p_filter->>'from')::timestamptz)
             and (p_filter->>'to' is null or r.at < (p_filter->>'to')::timestamptz)
             and (p_after is null or (r.at, r.id) < ((p_after->>0)::timestamptz, (p_after->>1)::uuid))
           order by r.at desc, r.id desc
           limit p_limit + 1) f;
  return page(v_rows, p_limit, array['at', 'id']);
end $$;

create function rollcall_api.no_such_fix(p_fix uuid) returns void
language plpgsql as $$
begin
  raise exception using errcode = 'RC404', message = format('There is no fix %s.', p_fix), hint = 'List the fixes: GET /api/v1/gaps/fixes.';
end $$;

create function rollcall_api.get_gap_fix(p_tenant text, p_fix uuid) returns jsonb
language plpgsql stable security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare f gap_fixes;
begin
  perform enter(p_tenant);
  select * into f from gap_fixes where tenant_id = p_tenant and id = p_fix;
  if not found then perform no_such_fix(p_fix); end if;
  return gap_fix_json(f);
end $$;
