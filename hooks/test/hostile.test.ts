import { startProcess } from './n8n-process.ts';
import { recordedCalls } from './recorded.ts';
import { startStandIn, type StandIn } from './rollcall-stand-in.ts';

let rollcall: StandIn;
beforeEach(async () => {
  rollcall = await startStandIn();
});
afterEach(() => rollcall.stop());

const HOOKS = [
  'n8n.ready',
  'worker.ready',
  'workflow.afterCreate',
  'workflow.afterUpdate',
  'workflow.activate',
  'workflow.deactivate',
  'workflow.afterArchive',
  'workflow.afterUnarchive',
  'workflow.afterDelete',
  'workflow.postExecute',
];

const refuse = (): never => {
  throw new Error('hands off');
};
const circle: Record<string, unknown> = { id: 'w1', name: 'Round' };
Object.assign(circle, { nodes: [circle], connections: circle, shared: [circle], data: circle });
circle['resultData'] = circle;
circle['runData'] = { A: [circle] };
const forbidding = new Proxy(
  {},
  {
    get: refuse,
    has: refuse,
    ownKeys: refuse,
    getOwnPropertyDescriptor: refuse,
    getPrototypeOf: refuse,
  },
);
const { proxy: revoked, revoke } = Proxy.revocable([], {});
revoke();
let deep: object = {};
for (let level = 0; level < 50_000; level += 1) deep = { parameters: deep, a: [deep] };

/** Everything that could be read of a workflow or a run is the value. */
const madeOf = (value: unknown) => ({
  id: 'w1',
  name: value,
  nodes: [{ name: 'A', type: 'n8n-nodes-base.set', parameters: value, credentials: value }],
  connections: value,
  settings: value,
  shared: value,
  tags: value,
  createdAt: value,
  data: { resultData: { runData: { A: [value, { data: value, source: value, error: value }] } } },
  status: value,
});

const HOSTILE: Record<string, unknown> = {
  nothing: undefined,
  null: null,
  'a number': Number.NaN,
  'a symbol': Symbol('x'),
  'a function': refuse,
  'getters that throw': {
    get id(): never {
      return refuse();
    },
    get nodes(): never {
      return refuse();
    },
    get data(): never {
      return refuse();
    },
  },
  'a proxy that forbids everything': forbidding,
  'a revoked proxy': revoked,
  'a circle': circle,
  'a deep object': deep,
  'an invalid date': new Date(Number.NaN),
  'a long text': 'x'.repeat(20_000_000),
  'a million items': Array.from({ length: 1_000_000 }, () => ({ json: {} })),
  'an array that lies about its length': new Proxy([], {
    get: (target, key) => (key === 'length' ? 4_294_967_295 : Reflect.get(target, key)),
  }),
  'broken Unicode': '\ud800\0',
};

test.each(Object.keys(HOSTILE))('%s: every hook returns at once and n8n goes on', async (what) => {
  const value = HOSTILE[what];
  const n8n = startProcess({ url: rollcall.url });
  for (const hook of HOOKS) {
    expect(n8n.call(hook, value, value, value, value)).toBeUndefined();
    expect(n8n.call(hook, madeOf(value), madeOf(value), '7', value)).toBeUndefined();
  }
  n8n.call('workflow.afterDelete', 'still-told');
  await n8n.end();
  expect(rollcall.bodies.join('')).toContain('still-told');
  expect(rollcall.bodies.join('').length).toBeLessThan(200_000);
});

test.each(['a proxy that forbids everything', 'getters that throw', 'nothing'])(
  'what n8n hands over as `this` may be %s',
  async (what) => {
    const n8n = startProcess({ url: rollcall.url, workflows: HOSTILE[what] ?? null });
    n8n.call('n8n.ready');
    n8n.call('workflow.activate', ...(recordedCalls()[7]?.args ?? []));
    await n8n.end();
    expect(rollcall.bodies.join('')).toContain('workflow.activated');
  },
);

test('a run of a million node runs is looked at in bounds', async () => {
  const entries = Array.from({ length: 1_000_000 }, (_, index) => ({ startTime: index }));
  const n8n = startProcess({ url: rollcall.url });
  const run = { status: 'success', data: { resultData: { runData: { Loop: entries } } } };
  n8n.call('workflow.postExecute', run, { id: 'w1' }, '1');
  await n8n.end();
  expect(rollcall.events[0]).toMatchObject({
    report: { metadata: { node_executions_omitted: 999_000 } },
  });
});
