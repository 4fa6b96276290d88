-- Telemetry of calls that several channels tell of, such as n8n's log and its tracing: one channel is counted.

-- p_calls: [{n, workflow_id, execution_id, calls: 'model' or 'tool'}]. Of each execution's calls of a kind the channel that
-- told first goes on telling, whatever comes later and however often. Answers the n of those that are another channel's.
create function rollcall_api.claim_calls(p_tenant text, p_channel text, p_now timestamptz, p_calls json) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare v_others jsonb;
begin
  perform enter(p_tenant);
  insert into call_tellers (tenant_id, workflow_id, execution_id, calls, channel, at)
  select distinct p_tenant, x.workflow_id, x.execution_id, x.calls, p_channel, p_now
    from json_to_recordset(p_calls) as x(workflow_id text, execution_id text, calls text)
   order by 2, 3, 4
  on conflict do nothing;
  select coalesce(jsonb_agg(x.n), '[]') into v_others
    from json_to_recordset(p_calls) as x(n int, workflow_id text, execution_id text, calls text)
   where (select t.channel from call_tellers t
           where t.tenant_id = p_tenant and t.workflow_id = x.workflow_id and t.execution_id = x.execution_id and t.calls = x.calls) <> p_channel;
  return v_others;
end $$;
