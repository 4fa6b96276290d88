-- Parents and dependencies. Changes of a tenant's relations are made one at a time, or two that are
-- harmless alone could close a cycle together.

create function rollcall_api.lock_relations(p_tenant text) returns void
language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('rollcall.relations:' || p_tenant, 0));
end $$;

create function rollcall_api.ancestors(p_tenant text, p_type text, p_id text)
returns table (depth int, entity_type text, entity_id text)
language sql stable as $$
  with recursive up as (
    select 1 as depth, e.parent_type::text as entity_type, e.parent_id as entity_id
      from rollcall.entities e
     where e.tenant_id = p_tenant and e.entity_type = p_type and e.entity_id = p_id and e.parent_id is not null
    union all
    select up.depth + 1, e.parent_type::text, e.parent_id
      from up
      join rollcall.entities e on e.tenant_id = p_tenant and e.entity_type = up.entity_type and e.entity_id = up.entity_id
     where e.parent_id is not null
  ) cycle entity_type, entity_id set is_cycle using path
  select depth, entity_type, entity_id from up where not is_cycle;
$$;

create function rollcall_api.refuse_parent_cycle(e rollcall.entities) returns void
language plpgsql as $$
begin
  perform from rollcall_api.ancestors(e.tenant_id, e.entity_type, e.entity_id) a
    where a.entity_type = e.entity_type and a.entity_id = e.entity_id;
  if found then
    raise exception using errcode = 'RC409',
      message = format('%s %s cannot be below %s %s: that one is itself, or stands below it.',
                       e.entity_type, quote_literal(e.entity_id), e.parent_type, quote_literal(e.parent_id)),
      detail = '{"code": "cycle", "path": "parent"}', hint = 'Choose another parent, or move the other entity first.';
  end if;
end $$;

-- Does a chain of dependencies lead from one entity to another?
create function rollcall_api.depends_on(p_tenant text, p_from_type text, p_from_id text, p_to_type text, p_to_id text)
returns boolean
language sql stable as $$
  with recursive reach as (
    select p_from_type as entity_type, p_from_id as entity_id
    union
    select d.target_type::text, d.target_id
      from reach
      join rollcall.entity_dependencies d on d.tenant_id = p_tenant and d.entity_type = reach.entity_type and d.entity_id = reach.entity_id
  )
  select exists (select from reach where entity_type = p_to_type and entity_id = p_to_id);
$$;

-- Replaces an entity's dependencies of one origin by p_targets: [{entity_type, entity_id}]. A declared
-- one that closes a cycle is an error; an extracted one is left out and returned with the reason.
create function rollcall_api.replace_dependencies(e rollcall.entities, p_origin text, p_targets jsonb) returns jsonb
language plpgsql set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  v_target record;
  v_refused jsonb := '[]';
begin
  delete from entity_dependencies d
   where d.tenant_id = e.tenant_id and d.entity_type = e.entity_type and d.entity_id = e.entity_id and d.origin = p_origin;
  for v_target in
    select distinct t.entity_type, t.entity_id from jsonb_to_recordset(p_targets) as t(entity_type text, entity_id text)
  loop
    if depends_on(e.tenant_id, v_target.entity_type, v_target.entity_id, e.entity_type, e.entity_id) then
      if p_origin = 'declared' then
        raise exception using errcode = 'RC409',
          message = format('%s %s cannot depend on %s %s: that one is itself, or depends on it already.',
                           e.entity_type, quote_literal(e.entity_id), v_target.entity_type, quote_literal(v_target.entity_id)),
          detail = '{"code": "cycle", "path": "dependencies"}', hint = 'Leave this dependency out, or remove the one that leads back.';
      end if;
      v_refused := v_refused || jsonb_build_object('entity_type', v_target.entity_type, 'entity_id', v_target.entity_id,
        'reason', 'It is the entity itself, or depends on it already: that would be a cycle.');
    else
      insert into entity_dependencies (tenant_id, entity_type, entity_id, target_type, target_id, origin)
      values (e.tenant_id, e.entity_type, e.entity_id, v_target.entity_type, v_target.entity_id, p_origin)
      on conflict (tenant_id, entity_type, entity_id, target_type, target_id) do update set
        -- Declared before extracted: what a caller has declared does not go with the node that says the same.
        origin = least(entity_dependencies.origin, excluded.origin);
    end if;
  end loop;
  return v_refused;
end $$;

create function rollcall_api.relations_json(e rollcall.entities) returns jsonb
language plpgsql stable set search_path = rollcall, rollcall_api, pg_temp as $$
begin
  return jsonb_build_object(
    'depends_on', (
      select coalesce(jsonb_agg(jsonb_build_object('entity_type', d.target_type, 'entity_id', d.target_id, 'origin', d.origin)
                                order by d.target_type, d.target_id), '[]')
        from entity_dependencies d
       where d.tenant_id = e.tenant_id and d.entity_type = e.entity_type and d.entity_id = e.entity_id),
    'depended_on_by', (
      select coalesce(jsonb_agg(jsonb_build_object('entity_type', d.entity_type, 'entity_id', d.entity_id, 'origin', d.origin)
                                order by d.entity_type, d.entity_id), '[]')
        from entity_dependencies d
       where d.tenant_id = e.tenant_id and d.target_type = e.entity_type and d.target_id = e.entity_id),
    'children', (
      select coalesce(jsonb_agg(jsonb_build_object('entity_type', c.entity_type, 'entity_id', c.entity_id)
                                order by c.entity_type, c.entity_id), '[]')
        from entities c
       where c.tenant_id = e.tenant_id and c.parent_type = e.entity_type and c.parent_id = e.entity_id
         and c.current_state <> 'deleted'),
    'ancestors', (
      select coalesce(jsonb_agg(jsonb_build_object('entity_type', a.entity_type, 'entity_id', a.entity_id) order by a.depth), '[]')
        from ancestors(e.tenant_id, e.entity_type, e.entity_id) a));
end $$;
