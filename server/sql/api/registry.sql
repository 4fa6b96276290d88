-- Entities: register, read, list, state, heartbeat.

create function rollcall_api.entity_json(e rollcall.entities, p_last_seen timestamptz) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'entity_id', e.entity_id, 'entity_type', e.entity_type, 'entity_name', e.entity_name,
    'description', e.description, 'registered_by', e.registered_by, 'capabilities', e.capabilities,
    'tags', e.tags, 'endpoint_url', e.endpoint_url,
    'parent', case when e.parent_id is not null
      then jsonb_build_object('entity_type', e.parent_type, 'entity_id', e.parent_id) end,
    'project_id', e.project_id, 'version', e.version, 'definition_hash', e.definition_hash,
    'metadata', e.metadata, 'silent_after_seconds', extract(epoch from e.silent_after)::bigint,
    'current_state', e.current_state, 'health_status', e.health_status,
    'last_activity', greatest(e.last_heartbeat, p_last_seen),
    'created_at', e.created_at, 'updated_at', e.updated_at);
$$;

create function rollcall_api.last_seen(p_tenant text, p_id text) returns timestamptz
language plpgsql stable as $$
begin
  return (select a.last_seen from rollcall.activity a where a.tenant_id = p_tenant and a.entity_id = p_id);
end $$;

create function rollcall_api.no_such_entity(p_type text, p_id text) returns void
language plpgsql as $$
begin
  raise exception using errcode = 'RC404', message = format('There is no %s %s in the registry.', p_type, quote_literal(p_id)),
    hint = 'Register it first: POST /api/v1/entities.';
end $$;

create function rollcall_api.refuse_deleted(e rollcall.entities, p_path text default null) returns void
language plpgsql as $$
begin
  if e.current_state = 'deleted' then
    raise exception using errcode = 'RC409', message = format('%s %s is deleted.', e.entity_type, quote_literal(e.entity_id)),
      detail = jsonb_strip_nulls(jsonb_build_object('code', 'entity_deleted', 'path', p_path))::text,
      hint = 'Register it again to bring it back: POST /api/v1/entities.';
  end if;
end $$;

create function rollcall_api.record_state(
  e rollcall.entities, p_from_state text, p_from_health text, p_reason text, p_actor text
) returns void
language sql as $$
  insert into rollcall.entity_states (tenant_id, entity_type, entity_id, from_state, to_state, from_health, to_health, reason, changed_by)
  values (e.tenant_id, e.entity_type, e.entity_id, p_from_state, e.current_state, p_from_health, e.health_status, p_reason, p_actor);
  select rollcall_api.announce(e.tenant_id, 'registry', jsonb_build_object(
    'entity_type', e.entity_type, 'entity_id', e.entity_id, 'from_state', p_from_state, 'to_state', e.current_state,
    'from_health', p_from_health, 'to_health', e.health_status, 'reason', p_reason));
$$;

-- What is known of a workflow stands in metadata under `n8n`, and stays when a caller replaces the rest: later words of
-- `n8n` are merged into earlier ones, unless that would make more of it than metadata may hold.
create function rollcall_api.merge_metadata(p_was jsonb, p_told jsonb, p_extracted jsonb) returns jsonb
language plpgsql immutable as $$
declare
  v_told   jsonb := coalesce(p_told, p_was) || coalesce(p_extracted, '{}');
  v_n8n    jsonb := '{}';
  v_word   jsonb;
  v_merged jsonb;
begin
  if jsonb_typeof(v_told->'n8n') <> 'object' then
    return v_told;
  end if;
  foreach v_word in array array[p_was->'n8n', p_told->'n8n', p_extracted->'n8n'] loop
    if jsonb_typeof(v_word) = 'object' then v_n8n := v_n8n || v_word; end if;
  end loop;
  v_merged := v_told || case when v_n8n = '{}' and not v_told ? 'n8n' then '{}' else jsonb_build_object('n8n', v_n8n) end;
  return case when octet_length(v_merged::text) > 65536 then v_told else v_merged end;
end $$;

-- p_entity: an EntityRegistration; keys that are absent keep what is stored. Beside the caller's `capabilities`,
-- `dependencies` and `metadata` it may hold extracted ones; of `extracted_dependencies` cyclic ones are left out and named.
create function rollcall_api.register_entity(p_tenant text, p_entity jsonb, p_actor text, p_project text default 'default')
returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  v_type text := p_entity->>'entity_type';
  v_id   text := p_entity->>'entity_id';
  v_was  entities;
  v_now  entities;
  v_created boolean;
  v_declared  text[];
  v_extracted text[];
  v_refused jsonb := '[]';
begin
  perform enter(p_tenant);
  if p_entity ?| array['parent', 'dependencies', 'extracted_dependencies'] then
    perform lock_relations(p_tenant);
  end if;

  insert into entities as e (tenant_id, entity_type, entity_id, entity_name, registered_by, project_id, current_state, health_status)
  values (p_tenant, v_type, v_id, coalesce(p_entity->>'entity_name', v_id), coalesce(p_entity->>'registered_by', p_actor),
          coalesce(p_entity->>'project_id', p_project), coalesce(p_entity->>'current_state', 'created'),
          coalesce(p_entity->>'health_status', 'unknown'))
  on conflict (tenant_id, entity_type, entity_id) do nothing;
  v_created := found;
  select * into v_was from entities where tenant_id = p_tenant and entity_type = v_type and entity_id = v_id for update;
  -- A run that registers its workflow tells a definition with n8n's defaults filled in: it takes no other registration over.
  if not v_created and v_type = 'workflow' and p_entity->>'registered_by' = 'n8n' and p_entity ? 'extracted_capabilities'
     and v_was.registered_by <> 'n8n' and v_was.definition_hash is not null and v_was.current_state <> 'deleted' then
    p_entity := p_entity - array['registered_by', 'definition_hash', 'version'];
  end if;
  v_declared := case when p_entity ? 'capabilities'
    then array(select jsonb_array_elements_text(p_entity->'capabilities')) else v_was.declared_capabilities end;
  v_extracted := case when p_entity ? 'extracted_capabilities'
    then array(select jsonb_array_elements_text(p_entity->'extracted_capabilities')) else v_was.extracted_capabilities end;

  update entities e set
    entity_name     = coalesce(p_entity->>'entity_name', e.entity_name),
    description     = case when p_entity ? 'description' then p_entity->>'description' else e.description end,
    registered_by   = coalesce(p_entity->>'registered_by', e.registered_by),
    capabilities    = case when cardinality(v_extracted) = 0 then v_declared
                        else array(select distinct c collate "C" from unnest(v_declared || v_extracted) c order by 1) end,
    declared_capabilities  = v_declared,
    extracted_capabilities = v_extracted,
    tags            = case when p_entity ? 'tags' then array(select jsonb_array_elements_text(p_entity->'tags')) else e.tags end,
    endpoint_url    = case when p_entity ? 'endpoint_url' then p_entity->>'endpoint_url' else e.endpoint_url end,
    parent_type     = case when p_entity ? 'parent' then p_entity #>> '{parent,entity_type}' else e.parent_type end,
    parent_id       = case when p_entity ? 'parent' then p_entity #>> '{parent,entity_id}' else e.parent_id end,
    project_id      = coalesce(p_entity->>'project_id', e.project_id),
    version         = case when p_entity ? 'version' then p_entity->>'version' else e.version end,
    definition_hash = case when p_entity ? 'definition_hash' then p_entity->>'definition_hash' else e.definition_hash end,
    metadata        = merge_metadata(e.metadata, p_entity->'metadata', p_entity->'extracted_metadata'),
    silent_after    = case when p_entity ? 'silent_after_seconds' then make_interval(secs => (p_entity->>'silent_after_seconds')::float8) else e.silent_after end,
    current_state   = coalesce(p_entity->>'current_state', case when e.current_state = 'deleted' then 'created' else e.current_state::text end),
    health_status   = coalesce(p_entity->>'health_status', case when e.current_state = 'deleted' then 'unknown' else e.health_status::text end),
    updated_at      = clock_timestamp()
  where tenant_id = p_tenant and entity_type = v_type and entity_id = v_id
  returning * into v_now;

  if v_created then
    perform record_state(v_now, null, null, 'registered', p_actor);
  elsif (v_was.current_state, v_was.health_status) is distinct from (v_now.current_state, v_now.health_status) then
    update entities set state_since = clock_timestamp()
     where tenant_id = p_tenant and entity_type = v_type and entity_id = v_id
       and v_was.current_state <> v_now.current_state;
    perform record_state(v_now, v_was.current_state, v_was.health_status,
      case when v_was.current_state = 'deleted' then 'registered again' else 'registration' end, p_actor);
  end if;

  if p_entity ? 'parent' then perform refuse_parent_cycle(v_now); end if;
  if p_entity ? 'dependencies' then
    perform replace_dependencies(v_now, 'declared', p_entity->'dependencies');
  end if;
  if p_entity ? 'extracted_dependencies' then
    v_refused := replace_dependencies(v_now, 'extracted', p_entity->'extracted_dependencies');
  end if;
  if p_entity ? 'outline' and v_type = 'workflow' then
    perform note_definitions(p_tenant, json_build_array(json_build_object(
      'workflow_id', v_id, 'version_id', p_entity->>'version', 'at', (extract(epoch from now()) * 1000000)::bigint,
      'definition_hash', p_entity #>> '{outline,definition_hash}', 'outline_hash', p_entity #>> '{outline,outline_hash}',
      'outline', p_entity #> '{outline,json}')));
  end if;

  return jsonb_build_object(
    'outcome', case when v_created or v_was.current_state = 'deleted' then 'created' else 'updated' end,
    'entity', entity_json(v_now, last_seen(p_tenant, v_id)),
    'refused_dependencies', v_refused);
end $$;

create function rollcall_api.get_entity(p_tenant text, p_type text, p_id text) returns jsonb
language plpgsql stable security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare e entities;
begin
  perform enter(p_tenant);
  select * into e from entities where tenant_id = p_tenant and entity_type = p_type and entity_id = p_id;
  if not found then perform no_such_entity(p_type, p_id); end if;
  return entity_json(e, last_seen(p_tenant, p_id)) || relations_json(e);
end $$;

-- p_filter: an EntityFilter. p_sort: entity_name (ascending), created_at or updated_at (newest first).
create function rollcall_api.list_entities(p_tenant text, p_filter jsonb, p_sort text, p_limit int, p_after jsonb default null)
returns jsonb
language plpgsql stable security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  v_key   text := case p_sort when 'entity_name' then 'lower(e.entity_name) collate "C"' else format('e.%I', p_sort) end;
  v_type  text := case p_sort when 'entity_name' then 'text' else 'timestamptz' end;
  v_newest boolean := p_sort <> 'entity_name';
  v_where text := 'e.tenant_id = $1';
  v_rows  jsonb;
begin
  perform enter(p_tenant);
  if p_filter ? 'entity_type'   then v_where := v_where || ' and e.entity_type = $2->>''entity_type'''; end if;
  if p_filter ? 'current_state' then v_where := v_where || ' and e.current_state = $2->>''current_state''';
                                else v_where := v_where || ' and e.current_state <> ''deleted'''; end if;
  if p_filter ? 'health_status' then v_where := v_where || ' and e.health_status = $2->>''health_status'''; end if;
  if p_filter ? 'tag'           then v_where := v_where || ' and $2->>''tag'' = any (e.tags)'; end if;
  if p_filter ? 'capability'    then v_where := v_where || ' and $2->>''capability'' = any (e.capabilities)'; end if;
  if p_filter ? 'parent_type'   then v_where := v_where || ' and e.parent_type = $2->>''parent_type'''; end if;
  if p_filter ? 'parent_id'     then v_where := v_where || ' and e.parent_id = $2->>''parent_id'''; end if;
  if p_filter ? 'project_id'    then v_where := v_where || ' and e.project_id = $2->>''project_id'''; end if;
  if p_filter ? 'text' then
    v_where := v_where || ' and (e.entity_name ilike $4 or e.entity_id ilike $4 or e.description ilike $4)';
  end if;
  if p_after is not null then
    v_where := v_where || format(' and (%s, e.entity_type, e.entity_id) %s (($3->>0)::%s, $3->>1, $3->>2)',
                                 v_key, case when v_newest then '<' else '>' end, v_type);
  end if;
  execute format($q$
    select jsonb_agg(entity_json(r.e, a.last_seen) || jsonb_build_object('sort', r.key) order by r.n)
      from (select e, %1$s as key, row_number() over (order by %1$s %2$s, e.entity_type %2$s, e.entity_id %2$s) as n
              from entities e where %3$s
             order by %1$s %2$s, e.entity_type %2$s, e.entity_id %2$s limit $5 + 1) r
      left join activity a on a.tenant_id = $1 and a.entity_id = (r.e).entity_id
    $q$, v_key, case when v_newest then 'desc' else 'asc' end, v_where)
    into v_rows
    using p_tenant, p_filter, p_after, '%' || regexp_replace(p_filter->>'text', '([\\%_])', '\\\1', 'g') || '%', p_limit;
  return page(v_rows, p_limit, array['sort', 'entity_type', 'entity_id']);
end $$;

-- Moves state, health or both; null keeps. Out of `deleted` only a new registration leads.
create function rollcall_api.update_entity_state(
  p_tenant text, p_type text, p_id text, p_state text, p_health text, p_reason text, p_actor text
) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare v_was entities; v_now entities;
begin
  perform enter(p_tenant);
  select * into v_was from entities where tenant_id = p_tenant and entity_type = p_type and entity_id = p_id for update;
  if not found then perform no_such_entity(p_type, p_id); end if;
  if p_state <> 'deleted' then perform refuse_deleted(v_was, 'new_state'); end if;
  update entities e set
    current_state = coalesce(p_state, e.current_state),
    health_status = coalesce(p_health, e.health_status),
    state_since   = case when p_state is distinct from e.current_state and p_state is not null then clock_timestamp() else e.state_since end,
    updated_at    = clock_timestamp()
  where tenant_id = p_tenant and entity_type = p_type and entity_id = p_id
    and (e.current_state, e.health_status) is distinct from (coalesce(p_state, e.current_state), coalesce(p_health, e.health_status))
  returning * into v_now;
  if found then
    perform record_state(v_now, v_was.current_state, v_was.health_status, p_reason, p_actor);
  else
    v_now := v_was;
  end if;
  return entity_json(v_now, last_seen(p_tenant, p_id));
end $$;

-- An entity says that it is alive. Order does not matter: the latest time wins. That of one that is known to be silent
-- touches it, so that the next check looks at it.
create function rollcall_api.heartbeat(p_tenant text, p_type text, p_id text, p_health text, p_at timestamptz, p_actor text)
returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare e entities;
begin
  perform enter(p_tenant);
  update entities set last_heartbeat = greatest(last_heartbeat, p_at),
         updated_at = case when exists (select from gaps g where g.tenant_id = p_tenant and g.entity_id = p_id and g.kind = 'silent' and g.closed_at is null)
                           then clock_timestamp() else updated_at end
   where tenant_id = p_tenant and entity_type = p_type and entity_id = p_id
  returning * into e;
  if not found then perform no_such_entity(p_type, p_id); end if;
  perform refuse_deleted(e);
  if p_health is not null then
    return update_entity_state(p_tenant, p_type, p_id, null, p_health, 'heartbeat', p_actor);
  end if;
  return entity_json(e, last_seen(p_tenant, p_id));
end $$;

create function rollcall_api.list_entity_states(p_tenant text, p_type text, p_id text, p_limit int, p_after jsonb default null)
returns jsonb
language plpgsql stable security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare v_rows jsonb;
begin
  perform enter(p_tenant);
  perform from entities where tenant_id = p_tenant and entity_type = p_type and entity_id = p_id;
  if not found then perform no_such_entity(p_type, p_id); end if;
  select jsonb_agg(jsonb_build_object('id', s.id, 'from_state', s.from_state, 'to_state', s.to_state, 'from_health', s.from_health,
           'to_health', s.to_health, 'reason', s.reason, 'changed_by', s.changed_by, 'changed_at', s.changed_at) order by s.id desc)
    into v_rows
    from (select * from entity_states h
           where h.tenant_id = p_tenant and h.entity_type = p_type and h.entity_id = p_id
             and (p_after is null or h.id < (p_after->>0)::bigint)
           order by h.id desc limit p_limit + 1) s;
  return page(v_rows, p_limit, array['id']);
end $$;
