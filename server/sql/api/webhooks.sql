-- Subscriptions, and the outbox of what they are told.

create function rollcall_api.webhook_json(w rollcall.webhooks) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'id', w.id, 'url', w.url, 'events', w.events, 'filter', w.filter, 'description', w.description,
    'created_at', w.created_at, 'created_by', w.created_by, 'ended_at', w.ended_at, 'ended_because', w.ended_because);
$$;

create function rollcall_api.no_such_webhook(p_webhook uuid) returns void
language plpgsql as $$
begin
  raise exception using errcode = 'RC404', message = format('There is no webhook %s.', p_webhook), hint = 'List the webhooks: GET /api/v1/webhooks.';
end $$;

create function rollcall_api.create_webhook(
  p_tenant text, p_url text, p_events jsonb, p_filter jsonb, p_description text, p_sealed_secret text, p_actor text,
  p_now timestamptz, p_most int
) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare w webhooks;
begin
  perform enter(p_tenant);
  perform pg_advisory_xact_lock(hashtextextended('rollcall.webhooks:' || p_tenant, 0));
  if p_most <= (select count(*) from webhooks where tenant_id = p_tenant) then
    raise exception using errcode = 'RC409', message = format('There are %s webhooks already.', p_most),
      detail = '{"code": "too_many_webhooks"}', hint = 'Delete one that is not needed: GET /api/v1/webhooks lists them.';
  end if;
  insert into webhooks (tenant_id, url, events, filter, description, sealed_secret, created_at, created_by)
  values (p_tenant, p_url, array(select jsonb_array_elements_text(p_events)), p_filter, p_description, p_sealed_secret, p_now, p_actor)
  returning * into w;
  return webhook_json(w);
end $$;

create function rollcall_api.get_webhook(p_tenant text, p_webhook uuid) returns jsonb
language plpgsql stable security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare w webhooks;
begin
  perform enter(p_tenant);
  select * into w from webhooks where tenant_id = p_tenant and id = p_webhook;
  if not found then perform no_such_webhook(p_webhook); end if;
  return webhook_json(w);
end $$;

-- Oldest first. p_url: those that lead there; null for all.
create function rollcall_api.list_webhooks(p_tenant text, p_url text, p_limit int, p_after jsonb default null) returns jsonb
language plpgsql stable security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare v_rows jsonb;
begin
  perform enter(p_tenant);
  select jsonb_agg(webhook_json(w) order by w.created_at, w.id) into v_rows
    from (select * from webhooks r
           where r.tenant_id = p_tenant and (p_url is null or r.url = p_url)
             and (p_after is null or (r.created_at, r.id) > ((p_after->>0)::timestamptz, (p_after->>1)::uuid))
           order by r.created_at, r.id limit p_limit + 1) w;
  return page(v_rows, p_limit, array['created_at', 'id']);
end $$;

-- With what is on its way to it.
create function rollcall_api.delete_webhook(p_tenant text, p_webhook uuid) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare w webhooks;
begin
  perform enter(p_tenant);
  delete from webhooks where tenant_id = p_tenant and id = p_webhook returning * into w;
  if not found then perform no_such_webhook(p_webhook); end if;
  return webhook_json(w);
end $$;

create function rollcall_api.delivery_json(d rollcall.webhook_deliveries) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'id', d.id, 'number', d.number, 'event', d.event, 'status', d.status, 'attempts', d.attempts, 'created_at', d.created_at,
    'next_attempt_at', case when d.status = 'pending' then greatest(d.next_attempt_at, d.created_at) end, 'last_attempt_at', d.last_attempt_at,
    'delivered_at', d.delivered_at, 'response_status', d.response_status, 'last_error', d.last_error, 'body', d.body);
$$;

-- Newest first. p_status: those that stand there; null for all.
create function rollcall_api.list_webhook_deliveries(p_tenant text, p_webhook uuid, p_status text, p_limit int, p_after jsonb default null)
returns jsonb
language plpgsql stable security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare v_rows jsonb;
begin
  perform enter(p_tenant);
  perform from webhooks where tenant_id = p_tenant and id = p_webhook;
  if not found then perform no_such_webhook(p_webhook); end if;
  select jsonb_agg(delivery_json(d) order by d.number desc) into v_rows
    from (select * from webhook_deliveries r
           where r.tenant_id = p_tenant and r.webhook_id = p_webhook and (p_status is null or r.status = p_status)
             and (p_after is null or r.number < (p_after->>0)::bigint)
           order by r.number desc limit p_limit + 1) d;
  return page(v_rows, p_limit, array['number']);
end $$;

-- Puts a delivery in line again, with a whole day before it.
create function rollcall_api.retry_webhook_delivery(p_tenant text, p_webhook uuid, p_delivery uuid, p_now timestamptz) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare w webhooks; d webhook_deliveries;
begin
  perform enter(p_tenant);
  select * into w from webhooks where tenant_id = p_tenant and id = p_webhook;
  if not found then perform no_such_webhook(p_webhook); end if;
  if w.ended_at is not null then
    raise exception using errcode = 'RC409', message = format('The webhook %s has ended. %s', p_webhook, w.ended_because),
      detail = '{"code": "webhook_ended"}', hint = 'Create a new one: POST /api/v1/webhooks.';
  end if;
  select * into d from webhook_deliveries where tenant_id = p_tenant and webhook_id = p_webhook and id = p_delivery for update;
  if not found then
    raise exception using errcode = 'RC404', message = format('There is no delivery %s.', p_delivery),
      hint = format('List them: GET /api/v1/webhooks/%s/deliveries.', p_webhook);
  end if;
  if d.status = 'delivered' then
    raise exception using errcode = 'RC409', message = format('The delivery %s has arrived.', p_delivery), detail = '{"code": "already_delivered"}';
  end if;
  update webhook_deliveries set status = 'pending', attempts = case when status = 'dead' then 0 else attempts end,
         due_since = p_now, next_attempt_at = p_now
   where id = p_delivery returning * into d;
  return delivery_json(d);
end $$;

-- What a worker needs to send a delivery.
create function rollcall_api.attempt_json(d rollcall.webhook_deliveries, w rollcall.webhooks) returns jsonb
language sql stable as $$
  select jsonb_build_object('tenant', d.tenant_id, 'id', d.id, 'webhook_id', w.id, 'url', w.url, 'sealed_secret', w.sealed_secret,
    'body', d.body, 'attempts', d.attempts, 'due_since', d.due_since);
$$;

-- A delivery to see whether one arrives, claimed for whoever asks.
create function rollcall_api.begin_webhook_test(p_tenant text, p_webhook uuid, p_actor text, p_now timestamptz, p_claim uuid, p_lease_seconds int)
returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare w webhooks; d webhook_deliveries;
begin
  perform enter(p_tenant);
  select * into w from webhooks where tenant_id = p_tenant and id = p_webhook;
  if not found then perform no_such_webhook(p_webhook); end if;
  insert into webhook_deliveries (tenant_id, webhook_id, event, body, attempts, due_since, next_attempt_at, last_attempt_at, claim, claimed_until)
  values (p_tenant, p_webhook, 'webhook.test',
          jsonb_build_object('type', 'webhook.test', 'timestamp', p_now, 'data', jsonb_build_object('webhook_id', p_webhook, 'asked_by', p_actor)),
          1, p_now, p_now, p_now, p_claim, p_now + make_interval(secs => p_lease_seconds))
  returning * into d;
  return attempt_json(d, w);
end $$;

-- The tenants that have something to send.
create function rollcall_api.tenants_with_deliveries(p_now timestamptz) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare v_tenants jsonb;
begin
  perform set_config('rollcall.looks_for_work', 'webhooks', true);
  select coalesce(jsonb_agg(distinct d.tenant_id), '[]') into v_tenants
    from webhook_deliveries d
   where d.status = 'pending' and d.next_attempt_at <= p_now and coalesce(d.claimed_until, p_now) <= p_now;
  perform set_config('rollcall.looks_for_work', '', true);
  return v_tenants;
end $$;

-- The next delivery of each subscription, at most p_limit, marked as this attempt's. A delivery waits for those before
-- it until they have failed p_patience times; from then on it overtakes them. Claims are made behind a lock on the
-- subscription, so no two servers make one attempt.
create function rollcall_api.claim_webhook_deliveries(
  p_tenant text, p_now timestamptz, p_claim uuid, p_lease_seconds int, p_patience int, p_limit int
) returns jsonb
-- The outbox fills and empties faster than statistics follow: a plan for few rows would sort thousands for each claim.
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off as $$
declare
  v_line    webhooks;
  v_patient bigint;
  d         webhook_deliveries;
  v_claimed jsonb := '[]';
begin
  perform enter(p_tenant);
  for v_line in
    select * from webhooks w
     where w.tenant_id = p_tenant and w.ended_at is null
       and exists (select from webhook_deliveries x where x.tenant_id = p_tenant and x.webhook_id = w.id and x.status = 'pending'
                      and x.next_attempt_at <= p_now and coalesce(x.claimed_until, p_now) <= p_now)
     for no key update skip locked
  loop
    exit when jsonb_array_length(v_claimed) >= p_limit;
    v_patient := (select x.number from webhook_deliveries x
                   where x.tenant_id = p_tenant and x.webhook_id = v_line.id and x.status = 'pending' and x.attempts < p_patience
                   order by x.tenant_id, x.webhook_id, x.number limit 1);
    update webhook_deliveries u set claim = p_claim, claimed_until = p_now + make_interval(secs => p_lease_seconds),
           attempts = u.attempts + 1, last_attempt_at = p_now
     where u.id = (select x.id from webhook_deliveries x
                    where x.tenant_id = p_tenant and x.webhook_id = v_line.id and x.status = 'pending'
                      and (v_patient is null or x.number <= v_patient)
                      and x.next_attempt_at <= p_now and coalesce(x.claimed_until, p_now) <= p_now
                    order by x.tenant_id, x.webhook_id, x.number limit 1)
    returning * into d;
    if found then v_claimed := v_claimed || attempt_json(d, v_line); end if;
  end loop;
  return v_claimed;
end $$;

-- How an attempt went. p_outcome: delivered, retry (at p_next_at), dead, or gone (the whole subscription ends). What
-- somebody else has claimed since is left to them.
create function rollcall_api.settle_webhook_delivery(
  p_tenant text, p_delivery uuid, p_claim uuid, p_outcome text, p_response_status int, p_error text, p_now timestamptz, p_next_at timestamptz
) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare d webhook_deliveries;
begin
  perform enter(p_tenant);
  update webhook_deliveries set
    status          = case p_outcome when 'delivered' then 'delivered' when 'retry' then 'pending' else 'dead' end,
    delivered_at    = case when p_outcome = 'delivered' then p_now end,
    next_attempt_at = coalesce(p_next_at, next_attempt_at),
    response_status = p_response_status, last_error = p_error, claim = null, claimed_until = null
  where tenant_id = p_tenant and id = p_delivery and claim = p_claim and status = 'pending'
  returning * into d;
  if not found then return 'null'; end if;
  if p_outcome = 'gone' then
    update webhooks set ended_at = p_now, ended_because = p_error where tenant_id = p_tenant and id = d.webhook_id and ended_at is null;
    update webhook_deliveries set status = 'dead', last_error = p_error, claim = null, claimed_until = null
     where tenant_id = p_tenant and webhook_id = d.webhook_id and status = 'pending';
  end if;
  return delivery_json(d);
end $$;

-- Forgets what arrived p_delivered_days ago, and what was given up p_dead_days ago.
create function rollcall_api.trim_webhook_deliveries(p_tenant text, p_now timestamptz, p_delivered_days int, p_dead_days int) returns jsonb
language plpgsql security definer set search_path = rollcall, rollcall_api, pg_temp as $$
declare v_removed bigint;
begin
  perform enter(p_tenant);
  delete from webhook_deliveries
   where tenant_id = p_tenant
     and (status = 'delivered' and delivered_at < p_now - make_interval(days => p_delivered_days)
          or status = 'dead' and coalesce(last_attempt_at, due_since) < p_now - make_interval(days => p_dead_days));
  get diagnostics v_removed = row_count;
  return jsonb_build_object('removed', v_removed);
end $$;
