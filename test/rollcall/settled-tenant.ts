import { randomUUID } from 'node:crypto';
import { earlierExecution } from './execution-read-examples.ts';
import { n8nEvents } from './n8n-examples.ts';
import { addressOf, routeExamples, type Names, type RouteExample } from './route-examples.ts';
import type { TestRollcall } from './start.ts';

/** Names that nobody has. */
export function strangers(word: string): Names {
  return {
    entity_type: 'workflow',
    entity_id: `${word}-entity`,
    parent_id: `${word}-parent`,
    event_id: randomUUID(),
    project_id: `${word}-project`,
    gap_id: randomUUID(),
    fix_id: randomUUID(),
    key_id: randomUUID(),
    connection_id: randomUUID(),
    webhook_id: randomUUID(),
    delivery_id: randomUUID(),
    audit_id: randomUUID(),
    instance_id: `${word}-n8n`,
    word,
    cursors: {},
  };
}

/** Makes a tenant with rows in every table, whose texts hold its name; answers what they are called. */
export async function settleTenant(rollcall: TestRollcall, tenant: string): Promise<Names> {
  const key = await rollcall.keyFor(tenant);
  const names = strangers(tenant);
  const examples = routeExamples(names);
  async function send(name: string, more: RouteExample = {}) {
    const [method = '', path = ''] = name.split(' ');
    const example = { ...examples[name]?.[0], ...more };
    const answer = await rollcall.call(method, addressOf(path, example), example.body, { key });
    if (answer.status >= 300) throw new Error(`${name}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  await send('POST /api/v1/projects');
  const agents = ['one', 'two'].map((id) => `${tenant}-${id}`);
  await send('POST /api/v1/entities');
  for (const entity_id of agents) {
    await send('POST /api/v1/entities', { body: { entity_type: 'agent', entity_id } });
  }
  const event = examples['POST /api/v1/telemetry']?.[0]?.body as object;
  const others = agents.map((source_id) => ({ ...event, event_id: randomUUID(), source_id }));
  const timestamp = new Date(rollcall.clock.now().getTime() - 3 * 3_600_000).toISOString();
  const earlier = { ...event, event_id: randomUUID(), timestamp };
  await send('POST /api/v1/telemetry', { body: [event, ...others, earlier] });
  await rollcall.sql('select rollcall_api.fold_hour($1, $2)', [tenant, rollcall.clock.now()]);
  await send('POST /api/v1/executions/ingest');
  await send('POST /api/v1/executions/ingest', { body: earlierExecution(names) });
  await send('POST /v1/traces');
  await send('POST /api/v1/n8n/webhook', { body: n8nEvents(names) });
  const made = examples['POST /api/v1/factories/events']?.[0]?.body as object;
  await send('POST /api/v1/factories/events', { body: { ...made, event_id: randomUUID() } });
  await send('PUT /api/v1/gaps/rules');
  await send('POST /api/v1/gaps/check');
  const gaps = await send('GET /api/v1/gaps', { query: { entity_id: names.entity_id } });
  const lone = await send('GET /api/v1/gaps', { query: { entity_id: agents[0] as string } });
  for (let time = 0; time < 2; time++) {
    await send('POST /api/v1/gaps/:id/mute', { params: { id: lone.items[0].id } });
  }
  const [{ id: fix_id }] = (await send('GET /api/v1/gaps/fixes', { query: {} })).items;
  const keys = await send('GET /api/v1/keys');
  const connect = (base_url: string) => {
    const asked = examples['POST /api/v1/n8n/connections']?.[0]?.body as object;
    const body = { ...asked, base_url, instance_id: base_url };
    return send('POST /api/v1/n8n/connections', { body });
  };
  const { id: connection_id } = await connect(`http://127.0.0.1:9/${tenant}/one`);
  await connect(`http://127.0.0.1:9/${tenant}/two`);
  const { id: webhook_id } = await send('POST /api/v1/webhooks');
  const { id: delivery_id } = await send('POST /api/v1/webhooks/:id/test', {
    params: { id: webhook_id },
  });
  await send('POST /api/v1/webhooks');
  const nextWeek = new Date(rollcall.clock.now().getTime() + 7 * 86_400_000);
  const [{ audit_id } = { audit_id: '' }] = await rollcall.sql<{ audit_id: string }>(
    `select rollcall_api.keep_weekly_audit($1, $2, 500) #>> '{}' as audit_id`,
    [tenant, nextWeek],
  );

  const cursors: Record<string, string> = {};
  for (const list of [
    'entities',
    'executions',
    'gaps',
    'gaps/fixes',
    'telemetry',
    'patterns',
    'webhooks',
    'n8n/connections',
    'n8n/workflows',
    'n8n/events',
  ]) {
    const path = `/api/v1/${list}`;
    cursors[path] = (await send(`GET ${path}`, { query: { limit: '1' } })).next_cursor as string;
  }
  // The key's last use is written after the answer.
  const unused = 'select from rollcall.api_keys where tenant_id = $1 and last_used_at is null';
  while ((await rollcall.sql(unused, [tenant])).length > 0);
  const [gap_id, key_id] = [gaps.items[0].id, keys.items[0].id];
  const ids = { gap_id, fix_id, key_id, connection_id, webhook_id, delivery_id, audit_id };
  return { ...names, ...ids, cursors };
}
