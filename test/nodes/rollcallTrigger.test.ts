import type { Webhook } from '../../client/src/contract/index.ts';
import { problem, rollcall, type Received } from './rollcall.ts';
import { SECRET, trigger, URL } from './trigger.ts';

const PATH = '/api/v1/webhooks';
const CREATE = `POST ${PATH}`;
const LIST = `GET ${PATH}`;
const remove = (id: string) => `DELETE ${PATH}/${id}`;

const webhook = (id: string, more: Partial<Webhook> = {}): Webhook => ({
  id,
  url: URL,
  events: ['gap.opened'],
  filter: {},
  description: null,
  created_at: '2026-01-01T00:00:00Z',
  created_by: 'n8n',
  ended_at: null,
  ended_because: null,
  ...more,
});
const page = (...items: Webhook[]) => ({ body: { items, next_cursor: null } });
const created = (id: string) => ({ status: 201, body: { ...webhook(id), secret: SECRET } });
const routes = (received: Received[]) => received.map(({ route }) => route);

describe('when the workflow is activated', () => {
  it('subscribes its address to what is chosen, and remembers the secret', async () => {
    const received = await rollcall({ [CREATE]: created('w-1'), [LIST]: page(webhook('w-1')) });
    const node = trigger({
      events: ['gap.opened', 'entity.state_changed'],
      filters: { kinds: ['silent'], severities: [], entity_types: 'workflow, mcp_server' },
    });
    expect(await node.checkExists()).toBe(false);
    expect(await node.create()).toBe(true);
    expect(received[0]?.body).toEqual({
      url: URL,
      events: ['gap.opened', 'entity.state_changed'],
      filter: { kinds: ['silent'], entity_types: ['workflow', 'mcp_server'] },
      description: 'n8n workflow Pager (wf-1)',
    });
    expect(received[0]?.headers.authorization).toBe('Bearer rc_test');
    expect(node.remembered).toMatchObject({ webhookId: 'w-1', secret: SECRET });
  });

  it('ends what an earlier activation left behind at its address', async () => {
    const received = await rollcall({
      [CREATE]: created('w-2'),
      [LIST]: page(webhook('w-0'), webhook('w-1'), webhook('w-2')),
      [remove('w-0')]: { body: webhook('w-0') },
      [remove('w-1')]: problem(404, 'Not Found', 'There is no webhook.'),
    });
    await trigger().create();
    expect(routes(received)).toEqual([CREATE, LIST, remove('w-0'), remove('w-1')]);
    expect(received[1]?.query).toMatchObject({ url: URL });
  });

  it.each([
    ['a refused address', 422, 'url: 127.0.0.1 is not public.'],
    ['a key that may not', 403, 'This key lacks the scope gaps:write.'],
  ])('fails with the server’s words: %s', async (_, status, detail) => {
    await rollcall({ [CREATE]: problem(status, 'Refused', detail) });
    const node = trigger();
    await expect(node.create()).rejects.toMatchObject({
      message: `Rollcall answered ${status}: Refused`,
      description: expect.stringContaining(detail),
    });
    expect(node.remembered.webhookId).toBeUndefined();
  });

  it('fails when no event is chosen', async () => {
    await rollcall({});
    await expect(trigger({ events: [] }).create()).rejects.toThrow('No event is chosen');
  });
});

describe('a subscription that is remembered', () => {
  const remembered = { webhookId: 'w-1', secret: SECRET };
  const parameters = {
    events: ['gap.closed', 'gap.opened'],
    filters: { kinds: ['stuck', 'silent'] },
  };
  const same = webhook('w-1', {
    events: ['gap.opened', 'gap.closed'],
    filter: { kinds: ['silent', 'stuck'] },
  });

  it.each([
    ['is as the node asks for', page(same), true],
    ['is not there', page(webhook('w-2')), false],
    ['has ended', page({ ...same, ended_at: '2026-01-02T00:00:00Z' }), false],
    ['is about other events', page({ ...same, events: ['gap.opened'] }), false],
    ['has another filter', page({ ...same, filter: { kinds: ['silent'] } }), false],
    ['has a filter more', page({ ...same, filter: { ...same.filter, states: ['error'] } }), false],
  ])('%s', async (_, reply, exists) => {
    await rollcall({ [LIST]: reply });
    expect(await trigger(parameters, { ...remembered }).checkExists()).toBe(exists);
  });

  it('is ended when the workflow is deactivated, with whatever else leads there', async () => {
    const received = await rollcall({
      [LIST]: page(webhook('w-9')),
      [remove('w-1')]: { body: same },
      [remove('w-9')]: { body: webhook('w-9') },
    });
    const node = trigger({}, { ...remembered, delivered: ['d-1'] });
    expect(await node.delete()).toBe(true);
    expect(routes(received)).toEqual([remove('w-1'), LIST, remove('w-9')]);
    expect(node.remembered).not.toHaveProperty('secret');
    expect(node.remembered).not.toHaveProperty('delivered');
  });

  it('that is gone already is as good as ended', async () => {
    await rollcall({
      [LIST]: page(),
      [remove('w-1')]: problem(404, 'Not Found', 'There is no webhook w-1.'),
    });
    expect(await trigger({}, { ...remembered }).delete()).toBe(true);
  });

  it('that cannot be ended says so, and is remembered', async () => {
    await rollcall({ [remove('w-1')]: problem(403, 'Forbidden', 'It lacks gaps:write.') });
    const node = trigger({}, { ...remembered });
    await expect(node.delete()).rejects.toThrow('Rollcall answered 403');
    expect(node.remembered.webhookId).toBe('w-1');
  });
});

describe('a delivery', () => {
  const body = {
    type: 'gap.opened',
    timestamp: '2026-01-01T00:00:00Z',
    data: { entity_id: 'wf-ä', kind: 'silent' },
  };
  const subscribed = (more = {}) => trigger({}, { secret: SECRET, ...more });

  it('starts the workflow with one item for its event', async () => {
    const { workflowData, status } = await subscribed().deliver({ body });
    expect(workflowData).toEqual([[{ json: { delivery_id: 'd-1', ...body } }]]);
    expect(status).toBeUndefined();
  });

  it('that comes again starts nothing and is a success', async () => {
    const node = subscribed();
    await node.deliver({ body });
    const { workflowData, noWebhookResponse, status } = await node.deliver({ body });
    expect([workflowData, noWebhookResponse, status]).toEqual([undefined, true, 200]);
    expect((await node.deliver({ id: 'd-2', body })).workflowData).toBeDefined();
  });

  it('is remembered among 500, no more', async () => {
    const delivered = Array.from({ length: 500 }, (_, index) => `old-${index}`);
    const node = subscribed({ delivered });
    await node.deliver({ body });
    expect(node.remembered.delivered).toHaveLength(500);
    expect((node.remembered.delivered as string[]).slice(-2)).toEqual(['old-499', 'd-1']);
  });

  it('is taken when one of several signatures fits', async () => {
    const node = subscribed();
    const good = await node.deliver({ id: 'd-0', body });
    expect(good.workflowData).toBeDefined();
    const bytes = Buffer.alloc(32).toString('base64');
    const { status } = await node.deliver({
      body,
      headers: { 'webhook-signature': `v1,${bytes} v2,x v1a,y` },
    });
    expect(status).toBe(401);
  });

  it.each([
    ['signed with another secret', { secret: `whsec_${Buffer.alloc(32).toString('base64')}` }],
    ['of which the id was changed', { headers: { 'webhook-id': 'd-9' } }],
    ['of which the time was changed', { headers: { 'webhook-timestamp': '1' } }],
    ['without a signature', { headers: { 'webhook-signature': undefined } }],
    ['with an empty signature', { headers: { 'webhook-signature': 'v1,' } }],
    ['without an id', { headers: { 'webhook-id': undefined } }],
    ['without a time', { headers: { 'webhook-timestamp': undefined } }],
    ['with a time that is none', { headers: { 'webhook-timestamp': 'now' } }],
    ['from six minutes ago', { age: 360 }],
    ['from in six minutes', { age: -360 }],
  ])('%s is refused, starts nothing and is not remembered', async (_, delivery) => {
    const node = subscribed();
    const { workflowData, noWebhookResponse, status, message } = await node.deliver({
      body,
      ...delivery,
    });
    expect([workflowData, noWebhookResponse, status]).toEqual([undefined, true, 401]);
    expect(message).toBeTruthy();
    expect(node.remembered.delivered).toBeUndefined();
  });

  it('to a workflow without a subscription is refused', async () => {
    expect((await trigger().deliver({ body })).status).toBe(401);
  });
});
