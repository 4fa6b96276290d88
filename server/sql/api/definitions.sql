-- Outlines of workflows' definitions: kept as they come, and held against each other.

-- p_definitions: [{workflow_id, version_id?, at: microseconds, definition_hash, outline_hash,
-- outline: JSON of {nodes, connections} as text}].
-- In any order, any number of times. Of a workflow the newest 50 definitions and 500 versions are kept.
create function rollcall_api.note_definitions(p_tenant text, p_definitions json) returns void
language plpgsql set search_path = rollcall, rollcall_api, pg_temp as $$
declare v_workflows text[];
begin
  with told as materialized (
    select x.workflow_id, x.version_id, x.definition_hash, x.outline_hash, x.outline::jsonb, to_timestamp(x.at::numeric / 1000000) as at
      from json_to_recordset(p_definitions)
        as x(workflow_id text, version_id text, at bigint, definition_hash text, outline_hash text, outline text)
  ), defined as (
    insert into workflow_definitions as d (tenant_id, workflow_id, definition_hash, outline, outline_hash, first_seen, last_seen)
    select distinct on (t.workflow_id, t.definition_hash) p_tenant, t.workflow_id, t.definition_hash, t.outline, t.outline_hash,
           min(t.at) over same, t.at
      from told t
    window same as (partition by t.workflow_id, t.definition_hash)
     order by t.workflow_id, t.definition_hash, t.at desc, t.outline_hash desc
    on conflict (tenant_id, workflow_id, definition_hash) do update set
      -- Ids and places of nodes may differ where the definition does not.
      (outline, outline_hash) = (
        select case when b.newer then excluded.outline else d.outline end, case when b.newer then excluded.outline_hash else d.outline_hash end
          from (select d.outline_hash <> excluded.outline_hash
                       and (excluded.last_seen, excluded.outline_hash) > (d.last_seen, d.outline_hash) as newer) b),
      first_seen = least(d.first_seen, excluded.first_seen), last_seen = greatest(d.last_seen, excluded.last_seen)
  ), versioned as (
    insert into workflow_versions as v (tenant_id, workflow_id, version_id, definition_hash, first_seen, last_seen)
    select distinct on (t.workflow_id, t.version_id) p_tenant, t.workflow_id, t.version_id, t.definition_hash, min(t.at) over same, t.at
      from told t
     where t.version_id is not null
    window same as (partition by t.workflow_id, t.version_id)
     order by t.workflow_id, t.version_id, t.at desc, t.definition_hash desc
    on conflict (tenant_id, workflow_id, version_id) do update set
      definition_hash = case when (excluded.last_seen, excluded.definition_hash) > (v.last_seen, v.definition_hash)
                             then excluded.definition_hash else v.definition_hash end,
      first_seen = least(v.first_seen, excluded.first_seen), last_seen = greatest(v.last_seen, excluded.last_seen)
  ) select array_agg(distinct workflow_id) into v_workflows from told;
  if v_workflows is null then return; end if;

  delete from workflow_definitions d
   using unnest(v_workflows) w(workflow_id),
         lateral (select o.definition_hash from workflow_definitions o
                   where o.tenant_id = p_tenant and o.workflow_id = w.workflow_id
                   order by o.last_seen desc, o.definition_hash desc offset 50) old
   where d.tenant_id = p_tenant and d.workflow_id = w.workflow_id and d.definition_hash = old.definition_hash;
  delete from workflow_versions v
   using unnest(v_workflows) w(workflow_id),
         lateral (select o.version_id from workflow_versions o
                   where o.tenant_id = p_tenant and o.workflow_id = w.workflow_id
                   order by o.last_seen desc, o.version_id desc offset 500) old
   where v.tenant_id = p_tenant and v.workflow_id = w.workflow_id and v.version_id = old.version_id;
end $$;

-- The hash of what ran: as the run told it, else that of its version.
create function rollcall_api.definition_of(p_tenant text, p_workflow text, p_hash text, p_version text) returns text
language sql stable set search_path = rollcall, rollcall_api, pg_temp as $$
  select coalesce(p_hash, (select v.definition_hash from workflow_versions v
                            where v.tenant_id = p_tenant and v.workflow_id = p_workflow and v.version_id = p_version));
$$;

create function rollcall_api.outline_of(p_tenant text, p_workflow text, p_hash text) returns jsonb
language sql stable set search_path = rollcall, rollcall_api, pg_temp as $$
  select d.outline from workflow_definitions d
   where d.tenant_id = p_tenant and d.workflow_id = p_workflow and d.definition_hash = p_hash;
$$;

-- What a node is, without what it is called: two that agree in this do the same.
create function rollcall_api.node_aspects(p_was jsonb, p_now jsonb) returns jsonb
language sql immutable as $$
  select coalesce(jsonb_agg(a.aspect order by a.n), '[]')
    from (values (1, 'renamed', 'name'), (2, 'type', 'type'), (3, 'version', 'version'), (4, 'parameters', 'parameters'),
                 (5, 'credentials', 'credentials'), (6, 'disabled', 'disabled'), (7, 'retry', 'retry'), (8, 'settings', 'settings')) a(n, aspect, key)
   where p_was->a.key is distinct from p_now->a.key;
$$;

-- DefinitionChanges from one outline to another; all null when one of them is not known. Nodes are the same by id, for
-- they may be renamed; those whose id the other side does not know, by name.
create function rollcall_api.definition_changes(p_left jsonb, p_right jsonb) returns jsonb
language plpgsql immutable set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  v_most constant int := 500;
  v_nodes jsonb;
  v_names jsonb;
  v_connections jsonb;
begin
  if p_left is null or p_right is null then
    return '{"nodes": null, "connections": null, "more_changes": false}';
  end if;
  with was as materialized (
    select distinct on (node->>'name') node, node->>'id' as id, node->>'name' as name from jsonb_array_elements(p_left->'nodes') node
  ), now as materialized (
    select distinct on (node->>'name') node, node->>'id' as id, node->>'name' as name from jsonb_array_elements(p_right->'nodes') node
  ), by_id as materialized (
    select distinct on (n.name) w.name as was_name, n.name as now_name
      from (select distinct on (id) * from was where id is not null order by id, name) w
      join now n on n.id = w.id
     order by n.name, w.name = n.name desc, w.name
  ), pair as materialized (
    select * from by_id
    union all
    select w.name, n.name from was w join now n on n.name = w.name
     where w.name not in (select was_name from by_id) and n.name not in (select now_name from by_id)
  ), change as (
    select w.node as was, n.node as now,
           case when w.node is null then '["added"]' when n.node is null then '["removed"]' else node_aspects(w.node, n.node) end as changes
      from was w
      left join pair p on p.was_name = w.name
      full join now n on n.name = p.now_name
  )
  select (select jsonb_agg(jsonb_build_object(
                   'node_id', coalesce(c.now->'id', c.was->'id'), 'node_name', coalesce(c.now->'name', c.was->'name'),
                   'node_type', coalesce(c.now->'type', c.was->'type'),
                   'previous_name', case when c.was->'name' <> c.now->'name' then c.was->'name' end, 'changes', c.changes)
                 order by coalesce(c.now->>'name', c.was->>'name') collate "C")
            from change c where c.changes <> '[]'),
         (select jsonb_object_agg(was_name, now_name) from pair)
    into v_nodes, v_names;
  with was as (
    select distinct coalesce(v_names->>(c->>0), c->>0) as source, c->>1 as type, (c->>2)::int as output,
           coalesce(v_names->>(c->>3), c->>3) as target, (c->>4)::int as input
      from jsonb_array_elements(p_left->'connections') c
  ), now as (
    select distinct c->>0 as source, c->>1 as type, (c->>2)::int as output, c->>3 as target, (c->>4)::int as input
      from jsonb_array_elements(p_right->'connections') c
  ), change as (
    select 'removed' as change, r.* from (select * from was except select * from now) r
    union all
    select 'added', a.* from (select * from now except select * from was) a
  )
  select jsonb_agg(to_jsonb(c) order by c.source collate "C", c.type, c.output, c.change desc, c.target collate "C", c.input)
    into v_connections from change c;
  return jsonb_build_object(
    'nodes', (select coalesce(jsonb_agg(n order by o), '[]') from jsonb_array_elements(v_nodes) with ordinality x(n, o) where o <= v_most),
    'connections', (select coalesce(jsonb_agg(c order by o), '[]') from jsonb_array_elements(v_connections) with ordinality x(c, o) where o <= v_most),
    'more_changes', coalesce(jsonb_array_length(v_nodes) > v_most, false) or coalesce(jsonb_array_length(v_connections) > v_most, false));
end $$;

-- The same from one definition's hash to another's, of one workflow.
create function rollcall_api.changes_between(p_tenant text, p_workflow text, p_left text, p_right text) returns jsonb
language sql stable set search_path = rollcall, rollcall_api, pg_temp as $$
  select case when p_left = p_right then '{"nodes": [], "connections": [], "more_changes": false}'
              else definition_changes(outline_of(p_tenant, p_workflow, p_left), outline_of(p_tenant, p_workflow, p_right)) end;
$$;
