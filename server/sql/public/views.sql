-- The names that operators, Grafana and Supabase's clients use. Which tenant they show: rollcall.tenant().

create view public.communication_telemetry as
  select event_id as id, event_id, "timestamp", protocol::text, source_id, target_id, operation, status::text, duration_ms,
         tokens_used, cost_micros, currency, model, correlation_id, trace_id, workflow_id, execution_id, user_id, project_id,
         error_type, error_message, metadata, received_at
    from rollcall.telemetry;

create view public.unified_registry as
  select e.entity_id, e.entity_type::text, e.entity_name, e.description, e.registered_by, e.current_state::text, e.health_status::text,
         greatest(e.last_heartbeat, a.last_seen) as last_activity, e.created_at, e.updated_at, e.capabilities, e.tags, e.endpoint_url,
         e.parent_type::text, e.parent_id, e.project_id, e.version, e.definition_hash, e.metadata
    from rollcall.entities e
    left join rollcall.activity a on a.tenant_id = e.tenant_id and a.entity_id = e.entity_id;

-- The last five minutes, per protocol.
create view public.system_health_overview as
  with minute as (
    select * from rollcall.telemetry_minutes where minute >= date_trunc('minute', now() - interval '5 minutes', 'UTC')
  ), total as (
    select m.protocol, sum(m.calls) as calls, sum(m.errors) as errors, sum(m.tokens_used) as tokens_used, sum(m.timed) as timed,
           sum(m.duration_sum) as duration_sum, max(m.duration_max) as duration_max
      from minute m group by m.protocol
  ), entries as (
    select m.protocol, array_agg(entry) as latency from minute m, unnest(m.latency) entry group by m.protocol
  )
  select t.protocol::text, t.calls::bigint as total_calls, t.errors::bigint, round(t.errors / t.calls, 6) as error_rate,
         round(1 - t.errors / t.calls, 6) as success_rate,
         round((t.duration_sum / nullif(t.timed, 0))::numeric, 3) as avg_duration_ms,
         (q.q->>'p50_ms')::numeric as p50_duration_ms, (q.q->>'p95_ms')::numeric as p95_duration_ms,
         (q.q->>'p99_ms')::numeric as p99_duration_ms, t.duration_max as max_duration_ms, t.tokens_used
    from total t
    left join entries e on e.protocol = t.protocol
   cross join lateral rollcall_api.latency_quantiles(e.latency) q(q);

-- Who called whom in the last 24 hours.
create view public.communication_patterns as
  select p.source_id, p.target_id, p.protocol::text, sum(p.calls)::bigint as total_calls, sum(p.errors)::bigint as errors,
         round(1 - sum(p.errors) / sum(p.calls), 6) as success_rate,
         round((sum(p.duration_sum) / nullif(sum(p.timed), 0))::numeric, 3) as avg_duration_ms,
         max(p.duration_max) as max_duration_ms, sum(p.tokens_used) as tokens_used, max(p.last_seen) as last_seen
    from rollcall.telemetry_pairs p
   where p.hour >= date_trunc('hour', now() - interval '24 hours', 'UTC')
   group by p.source_id, p.target_id, p.protocol;

create view public.top_communication_pairs as
  select source_id, target_id, sum(total_calls)::bigint as total_calls, sum(errors)::bigint as errors,
         array_agg(distinct protocol) as protocols, max(last_seen) as last_seen
    from public.communication_patterns
   group by source_id, target_id
   order by total_calls desc, source_id, target_id
   limit 20;

create view public.system_entity_state as
  select e.entity_type::text, e.current_state::text, e.health_status::text, count(*) as total,
         max(greatest(e.last_heartbeat, a.last_seen)) as last_activity
    from rollcall.entities e
    left join rollcall.activity a on a.tenant_id = e.tenant_id and a.entity_id = e.entity_id
   group by e.entity_type, e.current_state, e.health_status;

create view public.entity_hierarchy as
  with recursive tree as (
    select e.tenant_id, e.entity_type, e.entity_id, e.entity_name, e.parent_type, e.parent_id, e.current_state, 0 as depth,
           array[e.entity_type || '/' || e.entity_id] as path
      from rollcall.entities e
     where not exists (select from rollcall.entities p
                        where p.tenant_id = e.tenant_id and p.entity_type = e.parent_type and p.entity_id = e.parent_id)
    union all
    select c.tenant_id, c.entity_type, c.entity_id, c.entity_name, c.parent_type, c.parent_id, c.current_state, tree.depth + 1,
           tree.path || (c.entity_type || '/' || c.entity_id)
      from tree
      join rollcall.entities c on c.tenant_id = tree.tenant_id and c.parent_type = tree.entity_type and c.parent_id = tree.entity_id
  )
  select entity_type::text, entity_id, entity_name, parent_type::text, parent_id, current_state::text, depth, path from tree;
