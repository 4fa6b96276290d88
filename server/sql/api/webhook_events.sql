-- What becomes an event for subscriptions: rows of the outbox, written by the transaction that the event speaks of.

-- p_facts: by name of a filter's field, what the event has there. What an event has nothing of filters nothing.
create function rollcall_api.webhook_wants(p_events text[], p_filter jsonb, p_event text, p_facts jsonb) returns boolean
language sql immutable as $$
  select p_event = any (p_events)
     and not exists (select from jsonb_each(p_filter) f where p_facts ? f.key and not f.value ? (p_facts->>f.key));
$$;

create function rollcall_api.tell_webhooks_of_gaps(p_gaps uuid[], p_event text) returns void
language sql set search_path = rollcall, rollcall_api, pg_temp as $$
  insert into webhook_deliveries (tenant_id, webhook_id, event, body)
  select w.tenant_id, w.id, p_event,
         jsonb_build_object('type', p_event, 'timestamp', t.at, 'data', gap_json(g, t.at))
    from gaps g
   cross join lateral (select coalesce(g.closed_at, gap_last_seen(g)) as at) t
    join webhooks w
      on w.tenant_id = g.tenant_id and w.ended_at is null
     and webhook_wants(w.events, w.filter, p_event, jsonb_build_object(
           'kinds', g.kind, 'severities', g.severity, 'grades', g.grade, 'entity_types', g.entity_type))
   where g.id = any (p_gaps)
   order by g.entity_type, g.entity_id, g.kind, g.id;
$$;

-- Opened is what a check announces as opened: nothing that is muted, explained by another gap, or uncertain.
create function rollcall_api.tell_webhooks_of_opened() returns trigger
language plpgsql set search_path = rollcall, rollcall_api, pg_temp as $$
begin
  if exists (select from webhooks w where w.ended_at is null) then
    perform tell_webhooks_of_gaps(array(
      select (c->>'id')::uuid from jsonb_array_elements(new.body->'gaps') c where c->>'change' = 'opened'), 'gap.opened');
  end if;
  return null;
end $$;

create trigger webhooks_of_opened after insert on rollcall.live_events
  for each row when (new.topic = 'gaps') execute function rollcall_api.tell_webhooks_of_opened();

-- Closed is what was announced as opened, whatever has become of it since: muted, or explained by a later gap.
create function rollcall_api.tell_webhooks_of_closed() returns trigger
language plpgsql set search_path = rollcall, rollcall_api, pg_temp as $$
begin
  if exists (select from webhooks w where w.ended_at is null) then
    perform tell_webhooks_of_gaps(array(
      select n.id from new_rows n join old_rows o on o.id = n.id
       where o.closed_at is null and n.closed_at is not null and o.grade <> 'cannot_tell'
         and (o.inhibited_by is null
              or not exists (select from gap_history h where h.tenant_id = o.tenant_id and h.gap_id = o.id
                                and h.change = 'inhibited' and h.at = o.first_seen))), 'gap.closed');
  end if;
  return null;
end $$;

create trigger webhooks_of_closed after update on rollcall.gaps
  referencing old table as old_rows new table as new_rows for each statement execute function rollcall_api.tell_webhooks_of_closed();

create function rollcall_api.tell_webhooks_of_states() returns trigger
language plpgsql set search_path = rollcall, rollcall_api, pg_temp as $$
begin
  if not exists (select from webhooks w where w.ended_at is null) then
    return null;
  end if;
  insert into webhook_deliveries (tenant_id, webhook_id, event, body)
  select w.tenant_id, w.id, 'entity.state_changed', jsonb_build_object(
           'type', 'entity.state_changed', 'timestamp', n.changed_at,
           'data', jsonb_build_object('entity_type', n.entity_type, 'entity_id', n.entity_id,
             'entity_name', coalesce(e.entity_name, n.entity_id), 'from_state', n.from_state, 'to_state', n.to_state,
             'from_health', n.from_health, 'to_health', n.to_health, 'reason', n.reason, 'changed_by', n.changed_by,
             'changed_at', n.changed_at))
    from new_rows n
    join webhooks w
      on w.tenant_id = n.tenant_id and w.ended_at is null
     and webhook_wants(w.events, w.filter, 'entity.state_changed',
           jsonb_build_object('entity_types', n.entity_type, 'states', n.to_state))
    left join entities e on e.tenant_id = n.tenant_id and e.entity_type = n.entity_type and e.entity_id = n.entity_id
   order by n.id;
  return null;
end $$;

create trigger webhooks_of_states after insert on rollcall.entity_states
  referencing new table as new_rows for each statement execute function rollcall_api.tell_webhooks_of_states();
