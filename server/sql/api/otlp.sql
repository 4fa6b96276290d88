-- Spans of OpenTelemetry: stored, bound to the executions that they are part of, and n8n's node spans turned into the
-- runs of nodes. None of the small functions sets a search path, so that they are inlined: a call for each row is dear.

-- A count that a sender wrote as a number; null for everything else. (As jsonb, only numbers lie between numbers.)
create function rollcall_api.count_in(p_value jsonb) returns bigint
language sql immutable
return case when p_value >= '0' and p_value <= '1000000000000000' then trunc(p_value::numeric)::bigint end;

-- The same for a count that may be written as text.
create function rollcall_api.count_in_text(p_value text) returns bigint
language sql immutable
return case when p_value ~ '^\d{1,15}(\.\d{1,30})?$' then trunc(p_value::numeric)::bigint end;

-- Tokens that n8n's model nodes count, where its licence lets them tell.
create function rollcall_api.traced_tokens(p_attributes jsonb) returns bigint
language sql immutable
return case when p_attributes ?| array['n8n.node.custom.llm.tokens.total', 'n8n.node.custom.llm.tokens.in', 'n8n.node.custom.llm.tokens.out']
  then coalesce(rollcall_api.count_in_text(p_attributes->>'n8n.node.custom.llm.tokens.total'),
                coalesce(rollcall_api.count_in_text(p_attributes->>'n8n.node.custom.llm.tokens.in'), 0)
                + coalesce(rollcall_api.count_in_text(p_attributes->>'n8n.node.custom.llm.tokens.out'), 0)) end;

-- Tokens of a model call in the words of the GenAI conventions. An agent's own are the sum of its model calls'.
create function rollcall_api.span_tokens(p_attributes jsonb) returns bigint
language sql immutable
return case when p_attributes ?| array['gen_ai.usage.input_tokens', 'gen_ai.usage.output_tokens', 'gen_ai.usage.prompt_tokens',
                                       'gen_ai.usage.completion_tokens']
                 and coalesce(p_attributes->>'gen_ai.operation.name', '') !~ '^(invoke_agent|create_agent|invoke_workflow|plan|execute_tool)$'
  then coalesce(rollcall_api.count_in_text(p_attributes->>'gen_ai.usage.input_tokens'),
                rollcall_api.count_in_text(p_attributes->>'gen_ai.usage.prompt_tokens'), 0)
       + coalesce(rollcall_api.count_in_text(p_attributes->>'gen_ai.usage.output_tokens'),
                  rollcall_api.count_in_text(p_attributes->>'gen_ai.usage.completion_tokens'), 0) end;

-- Binds spans without an execution to that of their parents, down through p_traces.
create function rollcall_api.adopt_spans(p_tenant text, p_traces text[], p_from timestamptz, p_to timestamptz) returns uuid[]
language plpgsql set search_path = rollcall, rollcall_api, pg_temp as $$
declare v_ids uuid[];
begin
  with recursive loose as materialized (
    select s.trace_id, s.span_id, s.parent_span_id, s.started_at
      from telemetry_spans s
     where s.tenant_id = p_tenant and s.trace_id = any (p_traces) and s.started_at >= p_from and s.started_at <= p_to
       -- A run that is not known keeps what is below it.
       and s.id is null and s.parent_span_id is not null and s.name <> 'workflow.execute'
  ), tree as (
    select l.trace_id, l.span_id, l.started_at, p.id
      from loose l
      join telemetry_spans p on p.tenant_id = p_tenant and p.trace_id = l.trace_id and p.span_id = l.parent_span_id
                            and p.started_at >= p_from and p.started_at <= p_to and p.id is not null
    union
    select l.trace_id, l.span_id, l.started_at, t.id
      from tree t join loose l on l.trace_id = t.trace_id and l.parent_span_id = t.span_id
  ), adopted as (
    update telemetry_spans s set id = t.id
      from tree t
     where s.tenant_id = p_tenant and s.trace_id = t.trace_id and s.span_id = t.span_id and s.started_at = t.started_at and s.id is null
    returning s.id
  )
  select coalesce(array_agg(distinct id), '{}') into v_ids from adopted;
  return v_ids;
end $$;

-- The runs of nodes of these executions, as n8n's node spans tell them: the executions in which that changed something,
-- and whether any node used tokens. A span does not say which time its node ran: they are counted by their start, so
-- a span that comes late moves those after it. A node's tokens are what n8n says of them, else those of the model calls
-- below it; of calls within calls the outermost counts. These rows have no other writer.
create function rollcall_api.write_traced_nodes(
  p_tenant text, p_ids uuid[], p_from timestamptz, p_to timestamptz, p_rank int, out changed uuid[], out used_tokens boolean
)
language plpgsql set search_path = rollcall, rollcall_api, pg_temp as $$
begin
  with recursive span as materialized (
    select s.id, s.trace_id, s.span_id, s.parent_span_id, s.name, s.status, s.status_message, s.started_at, s.ended_at, s.attributes, s.events,
           case when s.name <> 'node.execute' then span_tokens(s.attributes) end as called
      from telemetry_spans s
     where s.tenant_id = p_tenant and s.id = any (p_ids) and s.started_at >= p_from and s.started_at <= p_to
       and (s.name = 'node.execute' or span_tokens(s.attributes) is not null)
  ), model as materialized (
    select m.trace_id, m.parent_span_id as above, m.called, 1 as steps
      from span m
     where m.called is not null
       and not exists (select from span o where o.trace_id = m.trace_id and o.span_id = m.parent_span_id and o.called is not null)
  ), climb as (
    select * from model
    union all
    select c.trace_id, p.parent_span_id, c.called, c.steps + 1
      from climb c
      join telemetry_spans p on p.tenant_id = p_tenant and p.trace_id = c.trace_id and p.span_id = c.above
                            and p.started_at >= p_from and p.started_at <= p_to and p.name not in ('node.execute', 'workflow.execute')
     where c.steps < 50
  ), below as materialized (
    select c.trace_id, c.above, sum(c.called)::bigint as tokens from climb c group by c.trace_id, c.above
  ), node as materialized (
    select s.id, left(s.attributes->>'n8n.node.name', 255) as node_name, nullif(left(s.attributes->>'n8n.node.id', 255), '') as node_id,
           s.span_id, s.parent_span_id, s.status, s.status_message, s.started_at, s.ended_at, s.attributes,
           coalesce(traced_tokens(s.attributes), b.tokens) as tokens_used,
           case when s.events is not null then jsonb_path_query_first(s.events, '$[*] ? (@.name == "exception").attributes') end as fault,
           (select e.workflow_id from executions e where e.tenant_id = p_tenant and e.id = s.id) as workflow_id
      from span s
      left join below b on b.trace_id = s.trace_id and b.above = s.span_id
     where s.name = 'node.execute'
  ), step as (
    -- When a run goes on after waiting, the node that it waited in is told once more, below the run's new span.
    select n.*, (lag(n.node_name) over run = n.node_name and lag(n.parent_span_id) over run <> n.parent_span_id) is true as resumed
      from node n
     where n.node_name <> ''
    window run as (partition by n.id order by n.started_at, n.span_id)
  ), counted as (
    select s.*, (count(*) filter (where not s.resumed) over turn)::int - 1 as run_index,
           lead(s.resumed) over turn is true as is_resumed
      from step s
    window turn as (partition by s.id, s.node_name order by s.started_at, s.span_id)
  ), told as (
    insert into workflow_nodes as w (tenant_id, workflow_id, node_name, node_id)
    select distinct on (n.workflow_id, n.node_name) p_tenant, n.workflow_id, n.node_name, n.node_id
      from node n
     where n.node_name <> '' and n.node_id is not null
       and not exists (select from workflow_nodes k where k.tenant_id = p_tenant and k.workflow_id = n.workflow_id
                          and k.node_name = n.node_name and k.node_id = n.node_id)
     order by n.workflow_id, n.node_name, n.started_at desc
    on conflict (tenant_id, workflow_id, node_name) do update set node_id = excluded.node_id
  ), written as (
    insert into node_executions as k (
      tenant_id, id, node_name, run_index, retry_index, source, rank, at, node_id, node_type, status, started_at, completed_at,
      duration_ms, items_in, items_out, tokens_used, error_type, error_message, error_stack, metadata)
    select p_tenant, n.id, n.node_name, greatest(n.run_index, 0), 0, 'otlp', p_rank, coalesce(n.ended_at, n.started_at),
           coalesce(n.node_id, md5(n.workflow_id || chr(10) || n.node_name)::uuid::text), left(n.attributes->>'n8n.node.type', 255),
           case when n.attributes ? 'n8n.node.termination_reason' then 'cancelled' when n.status = 'error' then 'error'
                when n.ended_at is null then 'running' else 'success' end,
           n.started_at, n.ended_at, extract(epoch from n.ended_at - n.started_at) * 1000,
           count_in(n.attributes->'n8n.node.items.input'), count_in(n.attributes->'n8n.node.items.output'), n.tokens_used,
           left(n.fault->>'exception.type', 255), coalesce(n.fault->>'exception.message', n.status_message),
           n.fault->>'exception.stacktrace',
           jsonb_strip_nulls(jsonb_build_object('span_id', n.span_id, 'type_version', n.attributes->'n8n.node.type_version',
                                                'termination_reason', n.attributes->'n8n.node.termination_reason'))
      from counted n
     where not n.is_resumed
    on conflict (tenant_id, id, node_name, run_index, retry_index, source) do update set
      rank = excluded.rank, at = excluded.at, node_id = excluded.node_id, node_type = excluded.node_type, status = excluded.status,
      started_at = excluded.started_at, completed_at = excluded.completed_at, duration_ms = excluded.duration_ms,
      items_in = excluded.items_in, items_out = excluded.items_out, tokens_used = excluded.tokens_used, error_type = excluded.error_type,
      error_message = excluded.error_message, error_stack = excluded.error_stack, metadata = excluded.metadata
    where (k.metadata, k.tokens_used) is distinct from (excluded.metadata, excluded.tokens_used)
    returning k.id
  )
  select (select array_agg(distinct w.id) from written w),
         exists (select from model) or exists (select from node n where n.tokens_used is not null)
    into changed, used_tokens;
end $$;

-- Node runs that used tokens.
create function rollcall_api.traced_models(p_tenant text, p_ids uuid[], p_from timestamptz, p_to timestamptz) returns jsonb
language sql stable set search_path = rollcall, rollcall_api, pg_temp as $$
  select jsonb_agg(jsonb_build_object(
           'trace_id', s.trace_id, 'span_id', s.span_id, 'started_at', s.started_at, 'status', s.status, 'attributes', s.attributes,
           'duration_ms', extract(epoch from s.ended_at - s.started_at) * 1000, 'workflow_id', e.workflow_id,
           'execution_id', e.execution_id, 'project_id', e.project_id, 'tokens_used', traced_tokens(s.attributes)))
    from telemetry_spans s join executions e on e.tenant_id = p_tenant and e.id = s.id
   where s.tenant_id = p_tenant and s.id = any (p_ids) and s.started_at >= p_from and s.started_at <= p_to and s.name = 'node.execute'
     and traced_tokens(s.attributes) is not null;
$$;

-- Executions of these traces whose span lies below another execution's, and who do not know it yet.
create function rollcall_api.traced_parents(p_tenant text, p_traces text[], p_from timestamptz, p_to timestamptz) returns jsonb
language plpgsql stable set search_path = rollcall, rollcall_api, pg_temp as $$
declare v_parents jsonb;
begin
  -- One probe for each step, whatever the statistics say: from the other end it would be all executions.
  with below as materialized (
    select c.id, (select p.id from telemetry_spans p
                   where p.tenant_id = p_tenant and p.trace_id = c.trace_id and p.span_id = c.parent_span_id
                     and p.started_at >= p_from and p.started_at <= p_to limit 1) as above
      from telemetry_spans c
     where c.tenant_id = p_tenant and c.trace_id = any (p_traces) and c.started_at >= p_from and c.started_at <= p_to
       and c.name = 'workflow.execute' and c.id is not null and c.parent_span_id is not null
  ), known as materialized (
    select distinct b.id, b.above from below b
     where b.above <> b.id
       and (select e.parent_execution_id is null and e.execution_id is not null
              from executions e where e.tenant_id = p_tenant and e.id = b.id)
  )
  select jsonb_agg(jsonb_build_object(
           'execution_id', e.execution_id, 'instance_id', e.instance_id, 'workflow_id', e.workflow_id, 'project_id', e.project_id,
           'at', e.status_at, 'parent_execution_id', a.execution_id, 'parent_workflow_id', a.workflow_id))
    into v_parents
    from known k
    join executions e on e.tenant_id = p_tenant and e.id = k.id
    join executions a on a.tenant_id = p_tenant and a.id = k.above and a.execution_id is not null;
  return v_parents;
end $$;

-- p_spans: checked spans in order of trace and span id. `run`: the n of the run in p_runs that the span is part of, as far
-- as its request told; `anchor`: else the nearest ancestor that its request did not hold; `origin`: the n of its resource
-- in p_resources. p_runs: [{n, workflow_id, execution_id, instance_id}], reported already. p_days: the UTC days that the
-- spans begin on; p_from, p_to: around all of them, as far as parents and children may be; p_rank: what tracing's word
-- weighs (see executions).
-- Spans come in any order and any number of times. One that knows no execution waits for its parent's; a tenant's spans
-- are written one call at a time, so that of a parent and its child the later one sees the other.
-- Answers {"stored": n, "parents": executions that turned out to have one, "models": node runs that used tokens}.
create function rollcall_api.ingest_spans(
  p_tenant text, p_spans json, p_resources json, p_runs json, p_days jsonb, p_from timestamptz, p_to timestamptz, p_rank int
) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare
  v_stored  bigint;
  v_traces  text[];
  v_ids     uuid[];
  v_from    timestamptz;
  v_changed uuid[];
  v_models  boolean := false;
begin
  perform enter(p_tenant);
  perform ensure_span_day(d) from (select distinct d::date as d from jsonb_array_elements_text(p_days) d order by 1) days;
  perform lock_executions(p_tenant, false);
  perform lock_spans(p_tenant, true);

  with item as materialized (
    select * from json_to_recordset(p_spans) as x(
      trace_id text, span_id text, parent_span_id text, name text, kind text, status text, status_message text,
      started_at timestamptz, ended_at timestamptz, attributes jsonb, events jsonb, links jsonb, origin int, run int, anchor text)
  ), run as materialized (
    -- By their own ids: another teller may have brought the execution together with an older one by now.
    select r.n, (select e.id from executions e
                  where e.tenant_id = p_tenant and e.execution_id = r.execution_id and e.workflow_id = r.workflow_id
                    and (r.instance_id is null or e.instance_id = r.instance_id)
                  order by e.first_reported_at, e.id limit 1) as id
      from json_to_recordset(p_runs) as r(n int, workflow_id text, execution_id text, instance_id text)
  ), anchored as materialized (
    select a.trace_id, a.anchor, (select s.id from telemetry_spans s
                                   where s.tenant_id = p_tenant and s.trace_id = a.trace_id and s.span_id = a.anchor
                                     and s.started_at >= p_from and s.started_at <= p_to limit 1) as id
      from (select distinct trace_id, anchor from item where anchor is not null) a
  ), placed as materialized (
    select i.*, coalesce(r.id, a.id) as id, o.resource
      from item i
      left join json_to_recordset(p_resources) as o(n int, resource jsonb) on o.n = i.origin
      left join run r on r.n = i.run
      left join anchored a on a.trace_id = i.trace_id and a.anchor = i.anchor
  ), fresh as (
    insert into telemetry_spans (tenant_id, trace_id, span_id, parent_span_id, id, name, kind, status, status_message, started_at,
                                 ended_at, attributes, events, links, resource)
    select p_tenant, trace_id, span_id, parent_span_id, id, name, kind, status, status_message, started_at, ended_at, attributes, events,
           links, resource
      from placed
    on conflict do nothing
    returning true
  )
  select (select count(*) from fresh), array_agg(distinct trace_id) filter (where id is not null),
         array_agg(distinct id) filter (where id is not null and (name = 'node.execute' or span_tokens(attributes) is not null))
    into v_stored, v_traces, v_ids from placed;

  -- A span that came before its run was known, and comes again.
  if v_stored < json_array_length(p_spans) and json_array_length(p_runs) > 0 then
    update telemetry_spans s set id = r.id
      from json_to_recordset(p_spans) as x(trace_id text, span_id text, started_at timestamptz, run int)
      join (select n, (select e.id from executions e
                        where e.tenant_id = p_tenant and e.execution_id = r.execution_id and e.workflow_id = r.workflow_id
                          and (r.instance_id is null or e.instance_id = r.instance_id)
                        order by e.first_reported_at, e.id limit 1) as id
              from json_to_recordset(p_runs) as r(n int, workflow_id text, execution_id text, instance_id text)) r on r.n = x.run
     where s.tenant_id = p_tenant and s.trace_id = x.trace_id and s.span_id = x.span_id and s.started_at = x.started_at and s.id is null;
  end if;

  if v_traces is null then
    return jsonb_build_object('stored', v_stored, 'parents', '[]'::jsonb, 'models', '[]'::jsonb);
  end if;
  v_ids := v_ids || adopt_spans(p_tenant, v_traces, p_from, p_to);
  if cardinality(v_ids) > 0 then
    -- A run that waited may have begun long before these spans.
    select least(p_from, min(e.began)) into v_from from executions e where e.tenant_id = p_tenant and e.id = any (v_ids);
    select w.changed, w.used_tokens into v_changed, v_models
      from write_traced_nodes(p_tenant, v_ids, v_from, p_to, p_rank) w;
    if v_models then perform sum_tokens(p_tenant, v_ids); end if;
    -- They were reported before: whoever watches learns that there is more.
    perform announce_executions(p_tenant, (
      select jsonb_agg(jsonb_build_object('id', e.id, 'workflow_id', e.workflow_id, 'status', e.status))
        from executions e where e.tenant_id = p_tenant and e.id = any (v_changed)));
  end if;
  return jsonb_build_object(
    'stored', v_stored,
    'parents', coalesce(traced_parents(p_tenant, v_traces, p_from, p_to), '[]'),
    'models', coalesce(case when v_models then traced_models(p_tenant, v_ids, p_from, p_to) end, '[]'));
end $$;
