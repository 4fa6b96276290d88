import type { Route } from '../../server/src/platform/http/route.ts';
import {
  addressOf,
  nameOf,
  routeExamples,
  type Names,
  type RouteExample,
} from '../rollcall/route-examples.ts';
import { settleTenant, strangers } from '../rollcall/settled-tenant.ts';
import { startTestRollcall, type CallOptions, type TestRollcall } from '../rollcall/start.ts';

const TENANT = 'asker';
const ALL_ROUTES_MS = 180_000;

let rollcall: TestRollcall;
let key: string;
let names: Names;
let declared: Map<string, string[]>;
/** By route, what it was seen to answer. */
const seen = new Map<string, Set<number>>();
beforeAll(async () => {
  rollcall = await startTestRollcall();
  names = await settleTenant(rollcall, TENANT);
  key = await rollcall.keyFor(TENANT);
  const { paths } = (await rollcall.get('/openapi.json', { key: null })).body;
  declared = new Map(
    rollcall.rollcall.routes.map((route) => {
      const path = route.path.replace(/:([a-z_]+)/g, '{$1}');
      return [nameOf(route), Object.keys(paths[path][route.method].responses as object)];
    }),
  );
});
afterAll(() => rollcall.stop());

const statuses = (name: string): string[] => declared.get(name) ?? [];

/** Sends a request, and sees to it that the document knows its answer. */
async function ask(name: string, example: RouteExample = {}, options: CallOptions = {}) {
  const [method = '', path = ''] = name.split(' ');
  const address = addressOf(path, example);
  const answer = await rollcall.call(method, address, example.body, { key, ...options });
  expect([name, answer.status, statuses(name)]).toEqual([
    name,
    answer.status,
    expect.arrayContaining([String(answer.status)]),
  ]);
  seen.set(name, (seen.get(name) ?? new Set()).add(answer.status));
  return answer;
}

const example = (name: string, more: RouteExample = {}): RouteExample => ({
  ...routeExamples(names)[name]?.[0],
  ...more,
});
/** What names something comes first: others may bring it into being. */
const every = (work: (name: string, route: Route) => Promise<void>) => async () => {
  const names = ({ path }: Route) => path.includes(':');
  const [first, then] = [true, false].map((wanted) =>
    rollcall.rollcall.routes.filter((route) => names(route) === wanted),
  ) as [Route[], Route[]];
  for (const route of [...first, ...then]) await work(nameOf(route), route);
};

test(
  'good requests, once and again, are answered as declared',
  every(async (name) => {
    for (const good of routeExamples(names)[name] ?? []) {
      await ask(name, good);
      await ask(name, good);
    }
  }),
  ALL_ROUTES_MS,
);

test(
  'requests about what is not there are answered as declared',
  every(async (name) => {
    for (const good of routeExamples(strangers('nobody'))[name] ?? []) await ask(name, good);
  }),
  ALL_ROUTES_MS,
);

test(
  'requests without a key, with a weak one, with a path or a body that cannot be read are answered as declared',
  every(async (name, { path, body, access }) => {
    await ask(name, example(name), { key: null });
    const weak = await rollcall.keyFor(TENANT, [
      access === 'telemetry:read' ? 'gaps:read' : 'telemetry:read',
    ]);
    await ask(name, example(name), { key: weak });
    if (path.includes(':')) {
      const [method = ''] = name.split(' ');
      const broken = path.replace(/:[a-z_]+/g, '%ff');
      const { status } = await rollcall.call(method, broken, undefined, { key });
      expect([name, status]).toEqual([name, 400]);
      expect(statuses(name)).toContain('400');
    }
    if (!body) return;
    for (const cut of ['{', 'null', '[]', '"text"']) await ask(name, example(name, { body: cut }));
    const headers = { 'content-type': 'text/plain' };
    await ask(name, example(name, { body: 'text' }), { headers });
    await ask(name, example(name), { headers: { 'content-encoding': 'zstd' } });
  }),
  ALL_ROUTES_MS,
);

const orders = { entity_type: 'service', entity_id: 'orders' };
const connect = (path: string) => {
  const base_url = `http://127.0.0.1:9/${path}`;
  return { base_url, api_key: 'any', check: false, paused: true };
};
const executions = ['one', 'two'].map((instance_id) => ({
  ...{ execution_id: 'both', workflow_id: 'orders', status: 'running', instance_id },
}));

/** How each conflict that is declared comes about: requests, of which the last one is in its way. */
const CONFLICTS: Record<string, () => Promise<unknown>> = {
  'POST /api/v1/entities': () =>
    ask('POST /api/v1/entities', { body: { ...orders, parent: orders } }),
  'PUT /api/v1/entities/:entity_type/:entity_id/state': async () => {
    await ask('POST /api/v1/entities', { body: orders });
    await ask('DELETE /api/v1/entities/:entity_type/:entity_id', { params: orders });
    const body = { new_state: 'active' };
    await ask('PUT /api/v1/entities/:entity_type/:entity_id/state', { params: orders, body });
  },
  'POST /api/v1/entities/:entity_type/:entity_id/heartbeat': async () => {
    await ask('POST /api/v1/entities/:entity_type/:entity_id/heartbeat', { params: orders });
  },
  'POST /api/v1/gaps/:id/fix': async () => {
    await rollcall.sql('update rollcall.gaps set closed_at = now() where id = $1', [names.gap_id]);
    await ask('POST /api/v1/gaps/:id/fix', { params: { id: names.gap_id }, body: {} });
  },
  'POST /api/v1/gaps/fixes/:id/retry': () =>
    ask('POST /api/v1/gaps/fixes/:id/retry', example('POST /api/v1/gaps/fixes/:id/retry')),
  'POST /api/v1/gaps/fixes/:id/undo': async () => {
    for (let time = 0; time < 2; time++)
      await ask('POST /api/v1/gaps/fixes/:id/undo', example('POST /api/v1/gaps/fixes/:id/undo'));
  },
  'POST /api/v1/n8n/connections': async () => {
    for (let time = 0; time < 2; time++)
      await ask('POST /api/v1/n8n/connections', { body: connect('first') });
  },
  'PATCH /api/v1/n8n/connections/:id': async () => {
    const { body } = await ask('POST /api/v1/n8n/connections', { body: connect('second') });
    await ask('PATCH /api/v1/n8n/connections/:id', {
      params: { id: body.id },
      body: { base_url: connect('first').base_url, check: false },
    });
  },
  'POST /api/v1/webhooks': async () => {
    for (let count = 0; count <= 100; count++)
      await ask('POST /api/v1/webhooks', example('POST /api/v1/webhooks'));
  },
  'POST /api/v1/webhooks/:id/deliveries/:delivery_id/retry': async () => {
    await rollcall.sql(`update rollcall.webhook_deliveries set status = 'delivered'`);
    const name = 'POST /api/v1/webhooks/:id/deliveries/:delivery_id/retry';
    const { body } = await ask('GET /api/v1/webhooks', {});
    for (const { id } of body.items) {
      const sent = await ask('GET /api/v1/webhooks/:id/deliveries', { params: { id } });
      for (const { id: delivery_id } of sent.body.items.slice(0, 1))
        await ask(name, { params: { id, delivery_id } });
    }
  },
  ...Object.fromEntries(
    ['', '/timeline', '/telemetry-spans', '/telemetry-events', '/state', '/live'].map((part) => {
      const name = `GET /api/v1/executions/:id${part}`;
      return [
        name,
        async () => {
          for (const body of executions) await ask('POST /api/v1/executions/ingest', { body });
          await ask(name, { params: { id: 'both' } });
        },
      ];
    }),
  ),
  'GET /api/v1/executions/compare': () =>
    ask('GET /api/v1/executions/compare', { query: { left: 'both', right: 'both' } }),
};

test(
  'each declared conflict comes about, and there are no others',
  async () => {
    for (const conflict of Object.values(CONFLICTS)) await conflict();
    const conflicting = [...seen].filter(([, answers]) => answers.has(409)).map(([name]) => name);
    const known = [...declared].filter(([, answers]) => answers.includes('409'));
    expect(conflicting.sort()).toEqual(known.map(([name]) => name).sort());
  },
  ALL_ROUTES_MS,
);

test('each route that names something was seen not to find it, and no other one', () => {
  const lost = [...seen].filter(([, answers]) => answers.has(404)).map(([name]) => name);
  const known = [...declared].filter(([, answers]) => answers.includes('404'));
  expect(lost.sort()).toEqual(known.map(([name]) => name).sort());
});
