-- One n8n, one instance: what a connection has found under a name of its own joins what the instance told itself.

-- Moves all that is known under one instance to another; where both know something, the later word holds.
create function rollcall_api.move_instance(p_tenant text, p_from text, p_to text) returns void
language plpgsql set search_path = rollcall, rollcall_api, pg_temp as $$
declare v_ids text[];
begin
  insert into n8n_instances as i (tenant_id, instance_id, n8n_version, version_at, first_seen, last_seen)
  select p_tenant, p_to, f.n8n_version, f.version_at, f.first_seen, f.last_seen
    from n8n_instances f where f.tenant_id = p_tenant and f.instance_id = p_from
  on conflict (tenant_id, instance_id) do update set
    first_seen = least(i.first_seen, excluded.first_seen), last_seen = greatest(i.last_seen, excluded.last_seen);
  v_ids := array(select workflow_id from n8n_workflows where tenant_id = p_tenant and instance_id = p_from order by 1);
  insert into n8n_workflows as n (tenant_id, instance_id, workflow_id, owned, first_seen, said)
  select p_tenant, p_to, f.workflow_id, f.owned, f.first_seen, f.said
    from n8n_workflows f where f.tenant_id = p_tenant and f.instance_id = p_from order by f.workflow_id
  on conflict (tenant_id, instance_id, workflow_id) do update set
    said = best_said(jsonb_build_array(n.said, excluded.said)), owned = n.owned or excluded.owned,
    first_seen = least(n.first_seen, excluded.first_seen);
  delete from n8n_workflows where tenant_id = p_tenant and instance_id = p_from;
  delete from n8n_events where tenant_id = p_tenant and instance_id = p_from;
  delete from n8n_instances where tenant_id = p_tenant and instance_id = p_from;
  perform derive_n8n_workflows(p_tenant, v_ids);

  -- Runs that the instance has told, too, are known better there.
  with moving as materialized (
    select e.id, k.key as old_key, 'run:[' || to_json(p_to)::text || ',' || to_json(e.execution_id)::text || ']' as new_key
      from executions e join execution_keys k on k.tenant_id = p_tenant and k.id = e.id
     where e.tenant_id = p_tenant and e.instance_id = p_from
       and k.key = 'run:[' || to_json(p_from)::text || ',' || to_json(e.execution_id)::text || ']'
  ), known as materialized (
    select m.id from moving m where exists (select from execution_keys k where k.tenant_id = p_tenant and k.key = m.new_key)
  ), gone as (
    delete from executions e using known where e.tenant_id = p_tenant and e.id = known.id
  ), gone_keys as (
    delete from execution_keys k using known where k.tenant_id = p_tenant and k.id = known.id
  ), renamed as (
    update execution_keys k set key = m.new_key from moving m
     where k.tenant_id = p_tenant and k.key = m.old_key and m.id not in (select id from known)
  ) update executions e set instance_id = p_to, said = jsonb_set(e.said, '{instance_id,2}', to_jsonb(p_to)) from moving m
     where e.tenant_id = p_tenant and e.id = m.id and m.id not in (select id from known);
end $$;

-- Which instance a connection leads to, where nobody has said: the one instance that tells of most of the same workflows in
-- the same versions (n8n makes a version's id at random). Of two that do, neither is believed, for a copy of an n8n has them,
-- too. p_versions: [{workflow_id, version_id}], as n8n's API has them now. Answers the instance under which they stand now.
create function rollcall_api.settle_connection_instance(p_tenant text, p_id uuid, p_versions json) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  c n8n_connections;
  v_found text[];
begin
  perform enter(p_tenant);
  perform pg_advisory_xact_lock(hashtextextended('rollcall.n8n:' || p_tenant, 0));
  c := the_connection(p_tenant, p_id);
  if c.instance_by <> 'unknown' then return to_jsonb(c.instance_id); end if;
  with told as materialized (
    select workflow_id, version_id from json_to_recordset(p_versions) as x(workflow_id text, version_id text) where version_id is not null
  ), candidate as (
    select n.instance_id, count(*) as known, count(*) filter (where n.version_id = t.version_id) as same
      from n8n_workflows n left join told t using (workflow_id)
     where n.tenant_id = p_tenant and n.instance_id <> '' and n.instance_id not like 'connection:%'
       and n.deleted_at is null and n.version_id is not null
     group by n.instance_id
  ) select array_agg(d.instance_id) into v_found from candidate d
     where d.same * 2 > least(d.known, (select count(*) from told))
       and not exists (select from n8n_connections o where o.tenant_id = p_tenant and o.id <> p_id and o.instance_id = d.instance_id);
  if cardinality(v_found) = 1 then
    update n8n_connections set instance_id = v_found[1], instance_by = 'evidence' where tenant_id = p_tenant and id = p_id;
    perform move_instance(p_tenant, c.instance_id, v_found[1]);
    return to_jsonb(v_found[1]);
  end if;
  return to_jsonb(c.instance_id);
end $$;
