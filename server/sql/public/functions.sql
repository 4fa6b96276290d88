-- The functions that the public names promise. They act for the caller's tenant and for nobody else's, and leave
-- the caller's time zone as it was.

-- What is missing right now. What cannot be told is no gap, and what is muted or explained by another gap is not shouted.
create function public.check_registration_gaps()
returns table (gap_kind text, entity_type text, entity_id text, severity text, summary text, evidence jsonb, grade text)
language plpgsql stable security definer set search_path = rollcall, rollcall_api, pg_temp set timezone = 'UTC' as $$
begin
  perform enter(caller_tenant());
  return query select f.kind, f.entity_type, f.entity_id, f.severity, f.summary, f.evidence, f.grade
                 from find_gaps(caller_tenant(), now()) f
                where f.grade <> 'cannot_tell'
                  and not exists (select from gaps g
                                   where g.tenant_id = caller_tenant() and g.kind = f.kind and g.entity_type = f.entity_type
                                     and g.entity_id = f.entity_id and g.subject = f.subject
                                     and gap_state(g, now()) in ('muted', 'inhibited'))
                order by f.severity, f.kind, f.entity_type, f.entity_id;
end $$;

-- What is left out, or null, keeps what is stored.
create function public.register_entity(
  p_entity_id text, p_entity_type text, p_entity_name text default null, p_registered_by text default null,
  p_capabilities jsonb default null, p_endpoint_url text default null, p_description text default null,
  p_tags jsonb default null, p_parent_type text default null, p_parent_id text default null,
  p_version text default null, p_metadata jsonb default null
) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp set timezone = 'UTC' as $$
declare
  v_entity jsonb := jsonb_strip_nulls(jsonb_build_object(
    'entity_id', p_entity_id, 'entity_type', p_entity_type, 'entity_name', p_entity_name, 'registered_by', p_registered_by,
    'capabilities', p_capabilities, 'endpoint_url', p_endpoint_url, 'description', p_description, 'tags', p_tags,
    'version', p_version));
begin
  if p_parent_id is not null then
    v_entity := v_entity || jsonb_build_object('parent', jsonb_build_object('entity_type', p_parent_type, 'entity_id', p_parent_id));
  end if;
  if p_metadata is not null then
    v_entity := v_entity || jsonb_build_object('metadata', p_metadata);
  end if;
  return rollcall_api.register_entity(caller_tenant(), v_entity, coalesce(p_registered_by, caller()::text));
end $$;

create function public.update_entity_state(p_entity_id text, p_entity_type text, p_new_state text, p_health_status text default null)
returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp set timezone = 'UTC' as $$
begin
  return rollcall_api.update_entity_state(caller_tenant(), p_entity_type, p_entity_id, p_new_state, p_health_status, null, caller()::text);
end $$;
