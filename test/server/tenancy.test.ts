import { SCOPES } from '../../client/src/contract/index.ts';
import { dumpTenant } from '../rollcall/dump.ts';
import { addressOf, nameOf, routeExamples, type Names } from '../rollcall/route-examples.ts';
import { settleTenant, strangers } from '../rollcall/settled-tenant.ts';
import { startTestRollcall, type Answer, type TestRollcall } from '../rollcall/start.ts';
import { freshTenant } from '../rollcall/tenant.ts';

/** What needs no key. A route that is not in this list has to ask for one. */
const PUBLIC = ['GET /healthz', 'GET /readyz', 'HEAD /v1/traces'];
const UUID = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/g;

const A_TENANT_FOR_EACH_ROUTE_MS = 180_000;

const nobodys = strangers('nobody');
const table = routeExamples(nobodys);
const guarded = Object.keys(table).filter((name) => !PUBLIC.includes(name));

let rollcall: TestRollcall;
/** What the tenant that is spied on calls its rows. */
let theirs: Names;
/** Every id in its rows. */
let secrets: Set<string>;
/** By route, what a spy was answered before there was anybody to spy on. */
const innocent: Record<string, string[]> = {};

beforeAll(async () => {
  rollcall = await startTestRollcall();
  for (const name of guarded) {
    innocent[name] = [];
    for (const request of requests(name, nobodys)) {
      innocent[name].push((await spy(request, nobodys)).essence);
    }
  }
  theirs = await settleTenant(rollcall, 'aurora');
  secrets = new Set(JSON.stringify(await dumpTenant(rollcall, 'aurora')).match(UUID));
});
afterAll(() => rollcall.stop());

interface Request {
  method: string;
  address: string;
  body: unknown;
}

/** A problem's code; OTLP tells it as the reason in a status. */
const codeOf = ({ body }: Answer): unknown => body.details?.[0]?.reason ?? body.code;

/** Every request of a route's row, about these names. */
function requests(name: string, names: Names): Request[] {
  const [method = '', path = ''] = name.split(' ');
  return (routeExamples(names)[name] ?? []).map((example) => ({
    method,
    address: addressOf(path, example),
    body: example.body,
  }));
}

/** Sends as the admin of a new tenant; answers what is told beyond the names that the request brought. */
async function spy({ method, address, body }: Request, said: Names) {
  const tenant = await freshTenant(rollcall);
  const answer = await tenant.call(method, address, body);
  const spoken = [said.event_id.replaceAll('-', ''), ...Object.values(said)]
    .filter((value): value is string => typeof value === 'string')
    .sort((one, other) => other.length - one.length);
  const told = spoken.reduce(
    (rest, name) => rest.replaceAll(name, '·'),
    JSON.stringify(answer.body),
  );
  return {
    status: answer.status,
    body: answer.body,
    told,
    essence: `${answer.status} ${lasting(told)}`,
  };
}

/** Without what is new in every answer. */
const lasting = (text: string): string =>
  text
    .replace(/"(key|prefix|secret|next_cursor)":"[^"]*"/g, '"$1":"new"')
    .replace(/fresh-\d+/g, 'spy')
    // Of an event: where the database stands.
    .replace(/id: [\d:,]+/g, 'id: new')
    .replace(UUID, 'uuid')
    .replace(/\d{4}-\d\d-\d\dT[^"\\]*/g, 'time')
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d UTC/g, 'time')
    // Written after the answer to the key's first request.
    .replace(/"last_used_at":(null|"time")/g, '"last_used_at":"time"')
    .replace(/"duration_ms":[\d.]+/g, '"duration_ms":0');

test('each route has a row in the table, and each row a route', () => {
  expect(Object.keys(table).sort()).toEqual(rollcall.rollcall.routes.map(nameOf).sort());
});

test('only what is listed here is public', () => {
  const open = rollcall.rollcall.routes.filter(({ access }) => access === 'public').map(nameOf);
  expect(open.sort()).toEqual([...PUBLIC].sort());
});

test('who may only read may change nothing', () => {
  for (const route of rollcall.rollcall.routes) {
    if (route.access === 'public') continue;
    const enough = route.method === 'get' ? /(:read|^admin|^any)$/ : /(:write|^admin)$/;
    expect([nameOf(route), route.access]).toEqual([nameOf(route), expect.stringMatching(enough)]);
  }
});

test('the tenant that is spied on has rows in every table', async () => {
  for (const [name, rows] of Object.entries(await dumpTenant(rollcall, 'aurora'))) {
    if (name !== 'sql_access') expect([name, rows.length]).not.toEqual([name, 0]);
  }
  expect(secrets.size).toBeGreaterThan(5);
});

describe.each(guarded)('%s', (name) => {
  test('answers about another tenant’s rows as if nobody had them, and changes none', async () => {
    const before = await dumpTenant(rollcall, 'aurora');
    for (const names of [nobodys, { ...theirs, cursors: {} }]) {
      for (const [index, request] of requests(name, names).entries()) {
        const { status, told, essence } = await spy(request, names);
        expect(essence).toBe(innocent[name]?.[index]);
        expect(status).toBeLessThan(500);
        expect(told).not.toContain('aurora');
        expect(told.match(UUID)?.filter((id) => secrets.has(id)) ?? []).toEqual([]);
      }
    }
    expect(await dumpTenant(rollcall, 'aurora')).toEqual(before);
  });

  test('asks for a key, and for one that may', async () => {
    const access = rollcall.rollcall.routes.find((route) => nameOf(route) === name)?.access;
    const scopes = SCOPES.filter((scope) => scope !== access && scope !== 'admin');
    const weak = await rollcall.keyFor('aurora', scopes);
    const rows = async () => ({ ...(await dumpTenant(rollcall, 'aurora')), api_keys: [] });
    const before = await rows();
    for (const { method, address, body } of requests(name, theirs)) {
      const nobody = await rollcall.call(method, address, body, { key: null });
      expect([nobody.status, codeOf(nobody)]).toEqual([401, 'missing_key']);
      if (access === 'any') continue;
      const refused = await rollcall.call(method, address, body, { key: weak });
      expect([refused.status, codeOf(refused)]).toEqual([403, 'missing_scope']);
    }
    expect(await rows()).toEqual(before);
  });
});

test('a list goes nowhere with another tenant’s cursor', async () => {
  const cursors = Object.entries(theirs.cursors);
  expect(cursors.length).toBeGreaterThan(3);
  for (const [path, cursor] of cursors) {
    const request = {
      method: 'GET',
      address: addressOf(path, { query: { cursor } }),
      body: undefined,
    };
    const { status, body } = await spy(request, theirs);
    expect([path, status, body]).toEqual([path, 200, { items: [], next_cursor: null }]);
  }
});

test(
  'the tenant itself is told of its rows by the same requests',
  async () => {
    const silent: string[] = [];
    for (const [index, name] of guarded.entries()) {
      const names = await settleTenant(rollcall, `owner${index}`);
      const key = await rollcall.keyFor(`owner${index}`);
      const own = [names.word, names.event_id, names.gap_id, names.key_id, names.connection_id];
      const answers = [];
      for (const { method, address, body } of requests(name, names)) {
        answers.push((await rollcall.call(method, address, body, { key })).body);
      }
      const told = JSON.stringify(answers);
      if (!own.some((id) => told.includes(id))) silent.push(name);
    }
    // Counts and limits name no row.
    const nameless = [
      'GET /api/v1/audits',
      'GET /api/v1/gaps/rules',
      'GET /api/v1/live',
      'GET /api/v1/overview',
      'POST /api/v1/executions/ingest',
      'POST /api/v1/gaps/check',
      'POST /v1/traces',
      'PUT /api/v1/gaps/rules',
    ];
    expect(silent.sort()).toEqual(nameless);
  },
  A_TENANT_FOR_EACH_ROUTE_MS,
);
