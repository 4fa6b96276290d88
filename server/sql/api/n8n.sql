-- What n8n tells of itself: words on its workflows, what follows from them, and the registry's share of it.

-- The columns of these workflows, from what was said of them. Whoever does not know the instance (instance_id '') is
-- believed to mean the one instance that has the workflow. Nothing here depends on the order in which words came.
-- Answers the ids of those where anything changed, and of those whose state or health did.
create function rollcall_api.derive_n8n_workflows(p_tenant text, p_workflows text[], out changed text[], out moved text[])
language plpgsql set search_path = rollcall, rollcall_api, pg_temp as $$
begin
  with told as materialized (
    select n as was, n.instance_id, n.workflow_id,
           -- Scalar subqueries, not joins: one probe a workflow, whatever the statistics say.
           (select i.inventoried_at from n8n_instances i where i.tenant_id = p_tenant and i.instance_id = n.instance_id) as inventoried_at,
           case when n.instance_id = '' or 1 < (select count(*) from n8n_workflows x
                   where x.tenant_id = p_tenant and x.workflow_id = n.workflow_id and x.instance_id <> '') then n.said
                else coalesce((select best_said(jsonb_build_array(n.said, o.said)) from n8n_workflows o
                   where o.tenant_id = p_tenant and o.instance_id = '' and o.workflow_id = n.workflow_id), n.said) end as s
      from n8n_workflows n where n.tenant_id = p_tenant and n.workflow_id = any (p_workflows)
  ), fact as materialized (
    select f.*, coalesce(f.stated = 'deleted', false) or coalesce(f.inventoried_at > f.present_at, false) as gone
      from (select t.*, s #>> '{state,2}' as stated,
                   to_timestamp((s #>> '{state,0}')::numeric / 1000000) as stated_at,
                   to_timestamp((s #>> '{present,0}')::numeric / 1000000) as present_at,
                   to_timestamp((select max((value->>0)::numeric) from jsonb_each(s)) / 1000000) as seen_at
              from told t) f
  ), derived as materialized (
    select instance_id, workflow_id, was, s, present_at, seen_at, gone,
           case when gone then 'deleted' else stated end as state,
           case when gone and stated is distinct from 'deleted' then 'inventory without it' else s #>> '{state,3}' end as cause,
           case when gone and stated is distinct from 'deleted' then inventoried_at else stated_at end as state_at,
           s #>> '{name,2}' as name, s #>> '{description,2}' as description, s #>> '{health,2}' as health_status,
           s #>> '{version_id,2}' as version_id, s #>> '{active_version_id,2}' as active_version_id,
           s #>> '{definition,2}' as definition_hash, s #>> '{facts,2}' as facts_hash, nullif(s #> '{project,2}', 'null') as project,
           case when s ? 'tags' then array(select jsonb_array_elements_text(s #> '{tags,2}')) end as tags,
           (s #>> '{trigger_count,2}')::bigint as trigger_count, (s #>> '{node_count,2}')::bigint as node_count
      from fact
  ), judged as materialized (
    select d.*, (d.state, d.health_status) is distinct from ((d.was).state, (d.was).health_status) as has_moved,
           (d.name, d.description, d.version_id, d.active_version_id, d.definition_hash, d.facts_hash, d.project, d.tags, d.trigger_count, d.node_count)
           is distinct from
           ((d.was).name, (d.was).description, (d.was).version_id, (d.was).active_version_id, (d.was).definition_hash, (d.was).facts_hash,
            (d.was).project, (d.was).tags, (d.was).trigger_count, (d.was).node_count) as has_changed
      from derived d
  ), written as (
    update n8n_workflows n set
      name = j.name, description = j.description, state = j.state, health_status = j.health_status, state_cause = j.cause, state_at = j.state_at,
      deleted_at = case when j.gone then j.state_at end, present_at = j.present_at, version_id = j.version_id,
      active_version_id = j.active_version_id, definition_hash = j.definition_hash, facts_hash = j.facts_hash, project = j.project, tags = j.tags,
      trigger_count = j.trigger_count, node_count = j.node_count, inventory_id = (j.s #>> '{inventory,2}')::uuid, seen_at = j.seen_at,
      changed_at = case when j.has_moved or j.has_changed then clock_timestamp() else n.changed_at end
      from judged j
     where n.tenant_id = p_tenant and n.instance_id = j.instance_id and n.workflow_id = j.workflow_id
    returning n.workflow_id, j.has_moved, j.has_changed
  ) select array_agg(distinct workflow_id) filter (where has_changed or has_moved),
           array_agg(distinct workflow_id) filter (where has_moved) into changed, moved from written;
end $$;

-- The registry's entity of a workflow as n8n has it now. Several instances may have one of this id: the one that was
-- heard of last speaks, and it is active as long as one of them has it active. p_facts: {capabilities, dependencies,
-- metadata} of its latest definition, else null; p_moved: whether n8n's word on its state is news. What others have
-- registered of name, version and definition stays.
create function rollcall_api.register_n8n_workflow(
  p_tenant text, p_id text, p_facts jsonb, p_moved boolean, p_project text, p_actor text
) returns void
language plpgsql set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  w n8n_workflows;
  e entities;
  v_new   boolean;
  v_told  boolean;
  v_owned boolean;
  v_state text;
  v_n8n   jsonb;
  v_entity jsonb;
begin
  select * into w from n8n_workflows n
   where n.tenant_id = p_tenant and n.workflow_id = p_id
   order by n.instance_id = '', n.deleted_at is not null, n.seen_at desc, n.instance_id limit 1;
  select * into e from entities where tenant_id = p_tenant and entity_type = 'workflow' and entity_id = p_id for update;
  v_new := not found;
  select case when n.state_cause = 'inventory without it' then n.said #>> '{state,2}' else n.state end into v_state
    from n8n_workflows n
   where n.tenant_id = p_tenant and n.workflow_id = p_id and n.state is not null and (n.instance_id <> '' or w.instance_id = '')
     -- What an inventory lacks is missing, which is for gap checks to say; deleted is what was told to be.
     and (v_new or n.state_cause is distinct from 'inventory without it')
   order by n.state_cause is not distinct from 'inventory without it',
            array_position(array['active', 'error', 'deploying', 'created', 'inactive', 'archived', 'deleted'], n.state::text) limit 1;
  select bool_or(n.said ? 'register'), bool_or(n.owned) or v_new into v_told, v_owned from n8n_workflows n
   where n.tenant_id = p_tenant and n.workflow_id = p_id;
  -- That somebody ran it, or that it is gone, registers nothing.
  if v_new and not v_told then return; end if;
  if v_new then
    update n8n_workflows set owned = true where tenant_id = p_tenant and workflow_id = p_id;
  end if;

  v_n8n := case when jsonb_typeof(e.metadata->'n8n') = 'object' then e.metadata->'n8n' else '{}' end
    || coalesce(p_facts #> '{metadata,n8n}', '{}')
    || jsonb_strip_nulls(jsonb_build_object('instance_id', nullif(w.instance_id, ''), 'version_id', w.version_id, 'project', w.project,
         'tags', to_jsonb(w.tags), 'trigger_count', w.trigger_count, 'node_count', w.node_count))
    || jsonb_build_object('active_version_id', w.active_version_id, 'definition_hash', w.definition_hash);
  v_entity := jsonb_build_object('entity_type', 'workflow', 'entity_id', p_id, 'extracted_metadata', jsonb_build_object('n8n', v_n8n));
  if v_owned or e.entity_name = p_id then
    v_entity := v_entity || jsonb_strip_nulls(jsonb_build_object('entity_name', w.name, 'description', w.description));
  end if;
  if v_owned then
    v_entity := v_entity || jsonb_strip_nulls(jsonb_build_object('version', w.version_id));
    if e.definition_hash is null or e.definition_hash = e.metadata #>> '{n8n,definition_hash}' then
      v_entity := v_entity || jsonb_build_object('definition_hash', w.definition_hash);
    end if;
  end if;
  if w.tags is not null then
    v_entity := v_entity || jsonb_build_object('tags', array(
      select t from unnest(e.tags) t where coalesce(not e.metadata #> '{n8n,tags}' ? t, true) union select unnest(w.tags) order by 1));
  end if;
  if p_facts is not null then
    v_entity := v_entity || jsonb_build_object(
      'extracted_dependencies', p_facts->'dependencies', 'extracted_capabilities', p_facts->'capabilities');
  end if;
  -- Out of `deleted` only a registration leads; every other way is a change of state with its cause.
  if v_state is not null and (v_new or e.current_state = 'deleted') then
    v_entity := v_entity || jsonb_build_object('current_state', v_state);
  elsif e.current_state = 'deleted' then
    v_entity := v_entity || '{"current_state": "deleted"}';
  end if;
  if w.health_status is not null and v_new then
    v_entity := v_entity || jsonb_build_object('health_status', w.health_status);
  end if;
  perform register_entity(p_tenant, v_entity, p_actor, p_project);
  if p_moved and not v_new then
    perform update_entity_state(p_tenant, 'workflow', p_id, v_state, w.health_status, 'n8n: ' || w.state_cause, p_actor)
      from entities x
     where x.tenant_id = p_tenant and x.entity_type = 'workflow' and x.entity_id = p_id
       and (x.current_state, x.health_status) is distinct from (coalesce(v_state, x.current_state), coalesce(w.health_status, x.health_status));
  end if;
end $$;

-- Counts events, each id once. p_events: [{id, instance_id, name, handling, at, sample}].
-- Answers the ids that were counted before. Senders choose names, so unknown ones beyond 500 share one.
create function rollcall_api.count_n8n_events(p_tenant text, p_now timestamptz, p_events json) returns jsonb
language plpgsql set search_path = rollcall, rollcall_api, pg_temp as $$
declare v_names bigint; v_duplicates jsonb;
begin
  select count(distinct name) into v_names from n8n_events where tenant_id = p_tenant and handling = 'unknown';
  with item as materialized (
    select * from json_to_recordset(p_events) as x(id uuid, instance_id text, name text, handling text, at timestamptz, sample jsonb)
  ), fresh as (
    insert into n8n_event_ids (tenant_id, id, seen_at) select p_tenant, id, p_now from item order by id
    on conflict do nothing returning id
  ), named as (
    select i.*, dense_rank() over (order by i.name) as place
      from item i
     where i.handling = 'unknown' and not exists (select from n8n_events e where e.tenant_id = p_tenant and e.name = i.name)
  ), counted as (
    select i.instance_id, case when n.place + v_names > 500 then '(other)' else i.name end as name, max(i.handling) as handling,
           count(*) as events, min(i.at) as first_seen, max(i.at) as last_seen,
           coalesce(jsonb_agg(jsonb_build_object('at', i.at, 'event', i.sample)) filter (where i.sample is not null), '[]') as samples
      from item i join fresh f on f.id = i.id left join named n on n.id = i.id
     group by 1, 2
  ), written as (
    insert into n8n_events as e (tenant_id, instance_id, name, handling, events, first_seen, last_seen, samples)
    select p_tenant, instance_id, name, handling, events, first_seen, last_seen, latest_samples(samples) from counted order by 1, 2, 3
    on conflict (tenant_id, instance_id, name) do update set
      handling = excluded.handling, events = e.events + excluded.events, first_seen = least(e.first_seen, excluded.first_seen),
      last_seen = greatest(e.last_seen, excluded.last_seen), samples = latest_samples(e.samples || excluded.samples)
  ) select coalesce(jsonb_agg(id), '[]') into v_duplicates from item where id not in (select id from fresh);
  return v_duplicates;
end $$;

create function rollcall_api.latest_samples(p_samples jsonb) returns jsonb
language sql immutable as $$
  select coalesce(jsonb_agg(s order by s->>'at' desc, s), '[]')
    from (select s from jsonb_array_elements(p_samples) s order by s->>'at' desc, s limit 5) latest;
$$;

-- Notes which pages of inventories came. Answers the instances of which one came whole that began later than all before.
create function rollcall_api.note_n8n_inventories(p_tenant text, p_pages json) returns text[]
language plpgsql set search_path = rollcall, rollcall_api, pg_temp as $$
declare v_swept text[];
begin
  insert into n8n_inventories as v (tenant_id, instance_id, inventory_id, started_at, pages, seen)
  select p_tenant, instance_id, inventory_id, min(started_at), max(pages), array_agg(distinct page)
    from json_to_recordset(p_pages) as x(instance_id text, inventory_id uuid, started_at timestamptz, page int, pages int)
   group by 2, 3 order by 2, 3
  on conflict (tenant_id, instance_id, inventory_id) do update set
    pages = greatest(v.pages, excluded.pages), seen = array(select distinct unnest(v.seen || excluded.seen) order by 1);
  with whole as (
    select v.instance_id, max(v.started_at) as started_at from n8n_inventories v
     where v.tenant_id = p_tenant and v.instance_id in (select instance_id from json_to_recordset(p_pages) as x(instance_id text))
       and v.pages = (select count(*) from unnest(v.seen) page where page <= v.pages)
     group by v.instance_id
  ), swept as (
    update n8n_instances i set inventoried_at = w.started_at from whole w
     where i.tenant_id = p_tenant and i.instance_id = w.instance_id and coalesce(i.inventoried_at < w.started_at, true)
    returning i.instance_id
  ) select array_agg(instance_id) into v_swept from swept;
  return v_swept;
end $$;

-- Takes in what events say, in one transaction; all of it may come in any order and any number of times.
-- p_events: as count_n8n_events; p_instances: [{instance_id, n8n_version, at}]; p_processes: the hooks' status;
-- p_pages: of inventories; p_words: [{instance_id, workflow_id, said, facts_at: microseconds, facts, project, actor}];
-- p_definitions: as note_definitions.
-- Answers {"duplicates": [id, ...]}.
create function rollcall_api.record_lifecycle(
  p_tenant text, p_now timestamptz, p_events json, p_instances json, p_processes json, p_pages json, p_words json,
  p_definitions json
) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  v_duplicates jsonb;
  v_swept   text[];
  v_touched text[];
  v_news    record;
  v_one     record;
begin
  perform enter(p_tenant);
  perform pg_advisory_xact_lock(hashtextextended('rollcall.n8n:' || p_tenant, 0));
  v_duplicates := count_n8n_events(p_tenant, p_now, p_events);

  insert into n8n_instances as i (tenant_id, instance_id, n8n_version, version_at, first_seen, last_seen)
  select p_tenant, instance_id, (array_agg(n8n_version order by at desc, n8n_version desc) filter (where n8n_version is not null))[1],
         max(at) filter (where n8n_version is not null), min(at), max(at)
    from json_to_recordset(p_instances) as x(instance_id text, n8n_version text, at timestamptz)
   group by instance_id order by instance_id
  on conflict (tenant_id, instance_id) do update set
    n8n_version = case when coalesce((excluded.version_at, excluded.n8n_version) > (i.version_at, i.n8n_version), i.version_at is null)
                       then excluded.n8n_version else i.n8n_version end,
    version_at = greatest(i.version_at, excluded.version_at),
    first_seen = least(i.first_seen, excluded.first_seen), last_seen = greatest(i.last_seen, excluded.last_seen);

  insert into n8n_processes as p (tenant_id, instance_id, role, started_at, reported_at, hooks_version, n8n_version, hooks)
  select distinct on (instance_id, role, started_at) p_tenant, instance_id, role, started_at, reported_at, hooks_version, n8n_version, hooks
    from json_to_recordset(p_processes)
      as x(instance_id text, role text, started_at timestamptz, reported_at timestamptz, hooks_version text, n8n_version text, hooks jsonb)
   order by instance_id, role, started_at, reported_at desc, hooks desc
  on conflict (tenant_id, instance_id, role, started_at) do update set
    reported_at = excluded.reported_at, hooks_version = excluded.hooks_version, n8n_version = excluded.n8n_version, hooks = excluded.hooks
    where (excluded.reported_at, excluded.hooks) > (p.reported_at, p.hooks);

  insert into n8n_workflows as n (tenant_id, instance_id, workflow_id, said)
  select p_tenant, instance_id, workflow_id, best_said(jsonb_agg(said))
    from json_to_recordset(p_words) as x(instance_id text, workflow_id text, said jsonb)
   group by instance_id, workflow_id order by instance_id, workflow_id
  on conflict (tenant_id, instance_id, workflow_id) do update set said = best_said(jsonb_build_array(n.said, excluded.said));
  v_swept := note_n8n_inventories(p_tenant, p_pages);

  v_touched := array(
    select distinct x.workflow_id from json_to_recordset(p_words) as x(workflow_id text)
    union select n.workflow_id from n8n_workflows n join n8n_instances i using (tenant_id, instance_id)
     where n.tenant_id = p_tenant and n.instance_id = any (v_swept) and n.deleted_at is null and n.present_at < i.inventoried_at);
  v_news := derive_n8n_workflows(p_tenant, v_touched);
  -- Before any entity: others take this lock first, too.
  if cardinality(v_touched) > 0 then perform lock_relations(p_tenant); end if;
  for v_one in
    with word as materialized (
      select x.*, (select n.said #>> '{facts,0}' = x.facts_at::text from n8n_workflows n
                    where n.tenant_id = p_tenant and n.instance_id = x.instance_id and n.workflow_id = x.workflow_id) as holds
        from json_to_recordset(p_words) as x(instance_id text, workflow_id text, facts_at bigint, facts jsonb, project text, actor text)
    ), latest as materialized (
      select distinct on (workflow_id) workflow_id, project, actor, case when holds then facts end as facts
        from word order by workflow_id, coalesce(holds, false) desc, facts_at desc nulls last
    ), touched as materialized (
      select t.workflow_id, k.registered, k.unread
        from unnest(v_touched) t(workflow_id)
        left join lateral (select true as registered, not coalesce(e.metadata->'n8n' ? 'definition_hash', false) as unread from entities e
                            where e.tenant_id = p_tenant and e.entity_type = 'workflow' and e.entity_id = t.workflow_id) k on true
    )
    select t.workflow_id, l.facts, m.workflow_id is not null as moved,
           coalesce(l.project, 'default') as project, coalesce(l.actor, 'n8n') as actor
      from touched t
      left join latest l using (workflow_id)
      left join unnest(v_news.changed) c(workflow_id) using (workflow_id)
      left join unnest(v_news.moved) m(workflow_id) using (workflow_id)
     -- Whoever was registered since n8n's last word has none of its facts.
     where (c.workflow_id is not null or t.registered is null or (t.unread and l.facts is not null))
       -- The others are known to n8n alone: register_n8n_workflow would leave them.
       and (t.registered or exists (select from n8n_workflows n
                                     where n.tenant_id = p_tenant and n.workflow_id = t.workflow_id and n.said ? 'register'))
     order by t.workflow_id
  loop
    perform register_n8n_workflow(p_tenant, v_one.workflow_id, v_one.facts, v_one.moved, v_one.project, v_one.actor);
  end loop;
  perform note_definitions(p_tenant, p_definitions);
  return jsonb_build_object('duplicates', v_duplicates);
end $$;
