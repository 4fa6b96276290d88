import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { originOf } from '../../../../test/rollcall/n8n-events.ts';
import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';
import {
  changed,
  changes,
  hostileText,
  HOSTILE_VALUES,
  type Changes,
} from '../../../../test/server/hostile-values.ts';

let rollcall: TestRollcall;
beforeAll(async () => {
  rollcall = await startTestRollcall();
});
afterAll(() => rollcall.stop());

const now = () => rollcall.clock.now().toISOString();
const origin = () => originOf({ instance_id: 'prod', occurred_at: now() });
const workflow = () => ({
  id: 'w',
  name: 'W',
  active: true,
  is_archived: false,
  version_id: 'v',
  active_version_id: 'v',
  tags: ['t'],
  project: { id: 'p', name: 'P', type: 'team' },
  definition: 'partial',
  nodes: [{ name: 'A', type: 'n8n-nodes-base.webhook', parameters: { path: 'a' } }],
  connections: {},
  settings: { timezone: 'UTC' },
});
const payload = () => ({
  executionId: '1',
  workflowId: 'w',
  workflowName: 'W',
  nodeName: 'A',
  nodeType: 'n8n-nodes-base.set',
  nodeId: 'a',
  mode: 'webhook',
  errorMessage: 'no',
  lastNodeExecuted: 'A',
  msg: JSON.stringify({ response: { tokenUsage: { totalTokens: 5 } } }),
});

/** A good event of each shape, each with the part that is spoilt deepest. */
const SHAPES: Record<string, { make: () => Record<string, unknown>; part?: string }> = {
  'hooks workflow': {
    make: () => ({ ...origin(), kind: 'workflow.updated', workflow: workflow() }),
    part: 'workflow',
  },
  'hooks execution': {
    make: () => ({
      ...origin(),
      kind: 'execution.finished',
      report: { execution_id: '1', workflow_id: 'w', status: 'success', metadata: { a: 1 } },
    }),
    part: 'report',
  },
  inventory: {
    make: () => ({
      ...origin(),
      kind: 'inventory',
      inventory: {
        id: randomUUID(),
        started_at: now(),
        page: 1,
        complete: false,
        workflows: [workflow()],
      },
    }),
    part: 'inventory',
  },
  status: {
    make: () => ({
      ...origin(),
      kind: 'hooks.status',
      hooks: {
        when: 'ready',
        started_at: now(),
        accepted: 1,
        rejected: 0,
        dropped: 0,
        queued: 0,
        queued_bytes: 0,
        failed_requests: 0,
        errors: 0,
      },
    }),
    part: 'hooks',
  },
  ...Object.fromEntries(
    [
      'n8n.workflow.failed',
      'n8n.node.finished',
      'n8n.ai.llm.generated',
      'n8n.audit.workflow.activated',
      'acme.what',
    ].map((eventName) => [
      eventName,
      {
        make: () => ({ id: randomUUID(), eventName, ts: now(), payload: payload() }),
        part: 'payload',
      },
    ]),
  ),
  'n8n trigger': {
    make: () => ({ event: 'Workflow published', timestamp: now(), workflow_id: 'w' }),
  },
  'error trigger': {
    make: () => ({
      execution: {
        id: '1',
        error: { message: 'no', name: 'E' },
        lastNodeExecuted: 'A',
        mode: 'trigger',
      },
      workflow: { id: 'w', name: 'W' },
    }),
    part: 'execution',
  },
  generic: {
    make: () => ({
      event: 'workflow.created',
      workflow_id: 'w',
      workflow_name: 'W',
      tags: ['a'],
      nodes: [{ type: 'a', name: 'b' }],
      state: 'active',
    }),
  },
  'generic run': {
    make: () => ({
      event: 'execution.finished',
      workflow_id: 'w',
      execution_id: '1',
      status: 'success',
      duration_ms: 5,
    }),
  },
};

function spoilt(name: string, list: Changes, inside: boolean): unknown {
  const { make, part } = SHAPES[name] as (typeof SHAPES)[string];
  const good = make();
  if (!inside || !part) return changed(good, list, Object.keys(good));
  const whole = good[part] as Record<string, unknown>;
  return { ...good, [part]: changed(whole, list, Object.keys(whole)) };
}

/** Whatever came, the answer tells of each item, and what was accepted was stored. */
async function send(batch: unknown[]): Promise<void> {
  const { status, body } = await rollcall.post('/api/v1/n8n/webhook', batch);
  expect([status, JSON.stringify(body)]).toEqual([
    expect.any(Number),
    expect.not.stringContaining('refused a value'),
  ]);
  expect(body.results).toHaveLength(batch.length);
  expect(status).toBe(body.rejected === batch.length ? 422 : 200);
  for (const [index, result] of body.results.entries()) {
    expect(result.index).toBe(index);
    if (result.status === 'rejected') {
      expect(result).toMatchObject({
        code: expect.stringMatching(/^[a-z_]+$/),
        path: expect.any(String),
        message: expect.stringMatching(/./),
      });
    }
  }
}

test.each(Object.keys(SHAPES))('%s takes or refuses whatever comes in any field', async (name) => {
  const { make, part } = SHAPES[name] as (typeof SHAPES)[string];
  const batch = HOSTILE_VALUES.flatMap((value) => {
    const good = make();
    const inner = (part ? good[part] : {}) as Record<string, unknown>;
    return [
      ...Object.keys(good).map((field) => ({ ...make(), [field]: value })),
      ...Object.keys(inner).map((field) => ({
        ...make(),
        [part as string]: { ...inner, [field]: value },
      })),
    ];
  });
  for (let from = 0; from < batch.length; from += 150) await send(batch.slice(from, from + 150));
});

test('no mixture is answered with a failure of ours, and good events beside it are kept', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom(...Object.keys(SHAPES)), changes, fc.boolean()), {
        minLength: 1,
        maxLength: 5,
      }),
      fc.array(hostileText, { maxLength: 2 }),
      async (items, names) => {
        const good = { ...origin(), kind: 'workflow.activated', workflow: { id: 'good' } };
        await send([
          ...items.map(([name, list, inside]) => spoilt(name, list, inside)),
          ...names.map((event) => ({ event })),
          good,
        ]);
        const [row] = await rollcall.sql<{ found: boolean }>(
          'select exists (select from rollcall.n8n_event_ids where id = $1) as found',
          [good.id],
        );
        expect(row?.found).toBe(true);
      },
    ),
    { numRuns: 100 },
  );
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  expect((await rollcall.get('/readyz')).status).toBe(200);
  for (const list of ['workflows', 'instances', 'events'])
    expect((await rollcall.get(`/api/v1/n8n/${list}`)).status).toBe(200);
});
