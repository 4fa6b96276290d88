-- Runs of nodes from their moments: who tells that a node began, and later that it ended, does not say which time that was.

-- p_marks: moments with their run's n; p_ids: the runs' ids. Told in any order and any number of times.
-- Answers by execution [new runs of nodes, new and changed ones].
create function rollcall_api.write_node_marks(p_tenant text, p_marks json, p_ids uuid[]) returns jsonb
language plpgsql set search_path = rollcall, rollcall_api, pg_temp as $$
declare v_touched jsonb;
begin
  if json_array_length(p_marks) = 0 then return '{}'; end if;
  with fresh as (
    insert into node_marks (tenant_id, id, source, rank, node_name, kind, at, mark_id, node_id, node_type, error_message)
    select p_tenant, p_ids[x.n], x.source, x.rank, coalesce(x.node_name, ''), x.kind, x.at, x.mark_id, x.node_id, x.node_type, x.error_message
      from json_to_recordset(p_marks) as x(n int, source text, rank smallint, node_name text, kind text, at timestamptz, mark_id uuid,
                                           node_id text, node_type text, error_message text)
     order by 2, 3, 5, 6, 7, 8
    on conflict do nothing
    returning id, source, node_name
  ) select jsonb_agg(distinct to_jsonb(f)) into v_touched from fresh f;
  if v_touched is null then return '{}'; end if;
  return derive_marked_runs(p_tenant, v_touched);
end $$;

-- Writes the runs of these nodes anew, [{id, source, node_name}]; '' stands for all of an execution's. The n-th beginning
-- and the n-th end of a node are its n-th run, up to 1,000. A node that its run waited in begins again when that goes on:
-- then no other node has begun in between, and somebody told of the pause, or the node does nothing but wait.
create function rollcall_api.derive_marked_runs(p_tenant text, p_touched jsonb) returns jsonb
language plpgsql set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  v_most constant int := 1000;
  v_rows jsonb;
begin
  with touched as materialized (
    select distinct t.id, t.source, m.node_name
      from jsonb_to_recordset(p_touched) as t(id uuid, source text, node_name text)
      join node_marks m on m.tenant_id = p_tenant and m.id = t.id and m.source = t.source and m.node_name = coalesce(nullif(t.node_name, ''), m.node_name)
     where m.node_name <> ''
  ), mark as materialized (
    select m.*, row_number() over turn as place, lag(m.at) over turn as before
      from touched t
      join node_marks m on m.tenant_id = p_tenant and m.id = t.id and m.source = t.source and m.node_name = t.node_name
    window turn as (partition by m.id, m.source, m.node_name, m.kind order by m.at, m.mark_id)
  ), start as materialized (
    select s.*, count(*) filter (where not s.goes_on) over (partition by s.id, s.source, s.node_name order by s.place) - 1 as run
      from (select b.*, b.before is not null
                   and (coalesce(b.node_type = 'n8n-nodes-base.wait', false)
                        or exists (select from node_marks p where p.tenant_id = p_tenant and p.id = b.id and p.source = b.source and p.node_name = ''
                                      and p.kind = 'paused' and p.at >= b.before and p.at <= b.at))
                   and not exists (select from node_marks o where o.tenant_id = p_tenant and o.id = b.id and o.at > b.before and o.at < b.at
                                      and o.source = b.source and o.kind = 'started' and o.node_name <> b.node_name) as goes_on
              from mark b where b.kind = 'started' and b.place <= v_most) s
  ), resumed as materialized (
    select id, source, node_name, count(*) as times from start where goes_on group by id, source, node_name
  ), finish as materialized (
    -- Ends whose beginnings are yet to be told are counted on.
    select f.*, coalesce(s.run, f.place - 1 - coalesce(r.times, 0)) as run
      from mark f
      left join start s using (id, source, node_name, place)
      left join resumed r using (id, source, node_name)
     where f.kind = 'finished' and f.place <= v_most
  ), moment as materialized (
    select id, source, node_name, run, rank, kind, at, node_id, node_type, null as error_message from start
    union all
    select id, source, node_name, run, rank, kind, at, node_id, node_type, null from finish
  ), failure as (
    select distinct on (f.id, f.source, f.node_name) f.*, coalesce((
             select max(m.run) from moment m
              where m.id = f.id and m.source = f.source and m.node_name = f.node_name and m.at <= f.at), 0) as run
      from mark f where f.kind = 'failed'
     order by f.id, f.source, f.node_name, f.place desc
  ), run as materialized (
    select a.id, a.source, a.node_name, a.run::int as run_index, max(a.rank) as rank, max(a.node_id) as node_id, max(a.node_type) as node_type,
           min(a.at) filter (where a.kind = 'started') as started_at, max(a.at) as at, max(a.error_message) as error_message,
           case when bool_or(a.kind = 'failed') then 'error'
                when count(*) filter (where a.kind = 'finished') >= greatest(1, count(*) filter (where a.kind = 'started')) then 'success'
                else 'running' end as status,
           coalesce(max(a.at) filter (where a.kind = 'finished'), max(a.at) filter (where a.kind = 'failed')) as ended_at
      from (select * from moment
            union all
            select id, source, node_name, run, rank, kind, at, node_id, node_type, error_message from failure) a
     where a.run < v_most
     group by a.id, a.source, a.node_name, a.run
  ), told as materialized (
    select r.*, e.workflow_id, case when r.status <> 'running' then r.ended_at end as completed_at
      from run r join executions e on e.tenant_id = p_tenant and e.id = r.id
  ), written as (
    insert into node_executions as k (tenant_id, id, node_name, run_index, retry_index, source, rank, at, node_id, node_type, status,
                                      started_at, completed_at, duration_ms, error_message)
    select p_tenant, r.id, r.node_name, r.run_index, 0, r.source, r.rank, r.at,
           coalesce(r.node_id, (select n.node_id from workflow_nodes n
                                 where n.tenant_id = p_tenant and n.workflow_id = r.workflow_id and n.node_name = r.node_name),
                    md5(r.workflow_id || chr(10) || r.node_name)::uuid::text),
           r.node_type, r.status, r.started_at, r.completed_at,
           case when r.completed_at >= r.started_at then extract(epoch from r.completed_at - r.started_at) * 1000 end, r.error_message
      from told r
     -- To be in conflict costs a row a write, even when nothing is updated.
     where not exists (select from node_executions x
                        where x.tenant_id = p_tenant and x.id = r.id and x.node_name = r.node_name and x.run_index = r.run_index
                          and x.retry_index = 0 and x.source = r.source
                          and (x.at, x.status::text, x.started_at, x.completed_at, x.error_message, coalesce(r.node_id, x.node_id), coalesce(r.node_type, x.node_type))
                              is not distinct from (r.at, r.status, r.started_at, r.completed_at, r.error_message, x.node_id, x.node_type))
     order by r.id, r.node_name, r.run_index
    on conflict (tenant_id, id, node_name, run_index, retry_index, source) do update set
      rank = excluded.rank, at = excluded.at, node_id = excluded.node_id, node_type = coalesce(excluded.node_type, k.node_type),
      status = excluded.status, started_at = excluded.started_at, completed_at = excluded.completed_at,
      duration_ms = excluded.duration_ms, error_message = excluded.error_message
    returning k.id, k.xmax = 0 as is_new
  ), gone as (
    -- What was taken for a run of its own before somebody told of a pause.
    delete from node_executions x using (select id, source, node_name, max(run_index) as last from run group by id, source, node_name) l
     where x.tenant_id = p_tenant and x.id = l.id and x.source = l.source and x.node_name = l.node_name and x.run_index > l.last
    returning x.id, false as is_new
  ), trimmed as (
    delete from node_marks m using mark s
     where s.place > v_most and m.tenant_id = p_tenant and m.id = s.id and m.source = s.source and m.node_name = s.node_name
       and m.kind = s.kind and m.at = s.at and m.mark_id = s.mark_id
  )
  select coalesce(jsonb_object_agg(c.id, c.rows), '{}') into v_rows
    from (select w.id, jsonb_build_array(count(*) filter (where w.is_new), count(*)) as rows
            from (select * from written union all select * from gone) w group by w.id) c;
  return v_rows;
end $$;

-- The moments of an execution that turns out to be another one; its runs of nodes are written anew.
create function rollcall_api.move_node_marks(p_tenant text, p_from uuid, p_to uuid) returns void
language plpgsql set search_path = rollcall, rollcall_api, pg_temp as $$
begin
  if not exists (select from node_marks m where m.tenant_id = p_tenant and m.id = p_from) then return; end if;
  insert into node_marks (tenant_id, id, source, rank, node_name, kind, at, mark_id, node_id, node_type, error_message)
  select tenant_id, p_to, source, rank, node_name, kind, at, mark_id, node_id, node_type, error_message
    from node_marks m where m.tenant_id = p_tenant and m.id = p_from
  on conflict do nothing;
  delete from node_marks m where m.tenant_id = p_tenant and m.id = p_from;
  perform derive_marked_runs(p_tenant, (select jsonb_agg(distinct jsonb_build_object('id', m.id, 'source', m.source, 'node_name', ''))
                                          from node_marks m where m.tenant_id = p_tenant and m.id = p_to));
end $$;
