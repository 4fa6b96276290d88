import type { Scope } from '@rollcall/client/contract';
import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';
import { freshTenant, type FreshTenant } from '../../../../test/rollcall/tenant.ts';

let server: TestRollcall;
let rollcall: FreshTenant;
beforeAll(async () => {
  server = await startTestRollcall();
});
afterAll(() => server.stop());
beforeEach(async () => {
  rollcall = await freshTenant(server);
});

const PATH = '/api/v1/webhooks';
const HERE = 'http://127.0.0.1:9/hook';
const NOBODYS = '0af76519-16cd-43dd-8448-eb211c80319c';
const subscribe = (more: object = {}, key?: string) =>
  rollcall.post(PATH, { url: HERE, ...more }, key === undefined ? {} : { key });

describe('a subscription', () => {
  test('is created with everything that may be said of it', async () => {
    const said = {
      events: ['gap.opened'],
      filter: { kinds: ['silent'], severities: ['critical'], entity_types: ['workflow'] },
      description: 'the pager',
    };
    const { status, body } = await subscribe(said);
    expect(status).toBe(201);
    expect(body).toMatchObject({ url: HERE, ...said, ended_at: null, ended_because: null });
    const { secret, ...webhook } = body;
    expect((await rollcall.get(`${PATH}/${body.id}`)).body).toEqual(webhook);
    expect((await rollcall.get(PATH)).body).toEqual({ items: [webhook], next_cursor: null });
    expect(Buffer.from(secret.slice('whsec_'.length), 'base64')).toHaveLength(32);
  });

  test('is told of everything when nothing is said', async () => {
    const { body } = await subscribe();
    expect(body.events).toEqual(['gap.opened', 'gap.closed', 'entity.state_changed']);
    expect(body.filter).toEqual({});
  });

  test('has a secret that is stored encrypted, another one each time', async () => {
    const [one, other] = [(await subscribe()).body, (await subscribe()).body];
    expect(one.secret).not.toBe(other.secret);
    const rows = await rollcall.sql('select to_jsonb(w)::text as row from rollcall.webhooks w');
    expect(JSON.stringify(rows)).not.toContain(one.secret.slice('whsec_'.length));
  });

  test('is found by its address', async () => {
    await subscribe();
    const { body } = await subscribe({ url: `${HERE}/2` });
    const found = await rollcall.get(PATH, { query: { url: `${HERE}/2` } });
    expect(found.body.items.map(({ id }: { id: string }) => id)).toEqual([body.id]);
  });

  test('is gone once it is deleted', async () => {
    const { body } = await subscribe();
    expect((await rollcall.call('DELETE', `${PATH}/${body.id}`)).status).toBe(200);
    expect((await rollcall.get(`${PATH}/${body.id}`)).status).toBe(404);
    expect((await rollcall.call('DELETE', `${PATH}/${body.id}`)).body.code).toBe('not_found');
  });

  test('is one of a hundred at most', async () => {
    for (let made = 0; made < 100; made++) expect((await subscribe()).status).toBe(201);
    const { status, body } = await subscribe();
    expect([status, body.code]).toEqual([409, 'too_many_webhooks']);
  });
});

describe('an address', () => {
  test.each([
    'http://10.0.0.1/',
    'http://192.168.1.1/',
    'http://169.254.169.254/latest/meta-data',
    'http://[::ffff:10.0.0.1]/',
    'http://[fd00::1]/',
    'http://0.0.0.0/',
    'http://2886729729/',
    'http://0xa000001/',
  ])('%s is not public, and refused with its path and a name', async (url) => {
    const { status, body } = await subscribe({ url });
    expect(status).toBe(422);
    expect(body.errors).toMatchObject([{ path: 'url', code: 'forbidden_address' }]);
    expect(body.detail).toContain('ROLLCALL_WEBHOOK_ALLOW');
    expect((await rollcall.get(PATH)).body.items).toEqual([]);
  });

  test.each([
    ['ftp://example.com/', 'invalid_url'],
    ['file:///etc/passwd', 'invalid_url'],
    ['http://user:pass@127.0.0.1/', 'credentials_in_url'],
    ['http://nowhere.invalid/', 'unknown_host'],
    ['nonsense', 'invalid_format'],
    ['javascript:alert(1)', 'unsafe_url'],
    [7, 'invalid_type'],
  ])('%j is refused: %s', async (url, code) => {
    const { status, body } = await subscribe({ url });
    expect([status, body.errors]).toMatchObject([422, [{ path: 'url', code }]]);
  });
});

test.each([
  ['events', []],
  ['events', ['gap.exploded']],
  ['filter', { kinds: ['sad'] }],
  ['filter', { colour: ['red'] }],
  ['description', ''],
  ['secret', 'mine'],
])('a wrong %s, %j, is refused with the path', async (path, value) => {
  const { status, body } = await subscribe({ [path]: value });
  expect(status).toBe(422);
  expect(body.errors[0].path).toMatch(new RegExp(`^${path}`));
});

describe('a key', () => {
  const keyFor = (...scopes: Scope[]) => rollcall.keyFor(rollcall.tenant, scopes);

  test('that may not read the registry is told of gaps alone', async () => {
    const key = await keyFor('gaps:write');
    expect((await subscribe({}, key)).body.events).toEqual(['gap.opened', 'gap.closed']);
    const refused = await subscribe({ events: ['entity.state_changed'] }, key);
    expect([refused.status, refused.body.code]).toEqual([403, 'missing_scope']);
    expect(refused.body.detail).toContain('registry:read');
  });

  test('that may not read the registry does not see what others were told of it', async () => {
    const { body } = await subscribe();
    const deliveries = `${PATH}/${body.id}/deliveries`;
    expect((await rollcall.get(deliveries)).status).toBe(200);
    expect((await rollcall.get(deliveries, { key: await keyFor('gaps:read') })).status).toBe(403);
  });
});

test.each([
  ['GET', NOBODYS],
  ['DELETE', NOBODYS],
  ['GET', `${NOBODYS}/deliveries`],
  ['POST', `${NOBODYS}/test`],
  ['POST', `${NOBODYS}/deliveries/${NOBODYS}/retry`],
])('%s of a subscription that is not there is a 404: %s', async (method, rest) => {
  const { status, body } = await rollcall.call(method, `${PATH}/${rest}`);
  expect([status, body.code]).toEqual([404, 'not_found']);
});
