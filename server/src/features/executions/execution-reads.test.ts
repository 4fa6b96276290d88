import { randomUUID } from 'node:crypto';
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

const at = (seconds: number) =>
  new Date(rollcall.clock.now().getTime() - 3_600_000 + seconds * 1_000).toISOString();

async function report(execution_id: string | undefined, more: object = {}) {
  const body = { execution_id, workflow_id: 'w', status: 'success', started_at: at(0), ...more };
  const answer = await rollcall.post('/api/v1/executions/ingest', body);
  if (answer.status >= 300) throw new Error(JSON.stringify(answer.body));
  return answer.body.id as string;
}
const get = (id: string, query: Record<string, string> = {}) =>
  rollcall.get(`/api/v1/executions/${encodeURIComponent(id)}`, { query });
const detail = async (id: string) => (await get(id)).body;

const trace_id = 'ab'.repeat(16);
const full = () => ({
  workflow_name: 'Orders',
  workflow_version: 'v7',
  definition_hash: 'sha256:1',
  session_id: 'session',
  trace_id,
  status: 'error',
  mode: 'webhook',
  completed_at: at(3),
  last_node: 'Post',
  error: { type: 'HttpError', message: 'no route', stack: 'at Post', node: 'Post' },
  tokens_used: 42,
  cost_micros: 7,
  currency: 'EUR',
  metadata: { region: 'eu' },
  node_executions: [
    {
      node_name: 'Post',
      node_id: 'n2',
      node_type: 'httpRequest',
      status: 'error',
      started_at: at(1),
      completed_at: at(3),
      exec_duration_ms: 1900,
      items_in: 4,
      attempts: 3,
      previous_nodes: ['Hook'],
      error: { type: 'HttpError', message: 'no route', stack: 'at Post' },
      metadata: { url: 'x' },
    },
    {
      node_name: 'Hook',
      node_id: 'n1',
      status: 'success',
      started_at: at(0),
      completed_at: at(1),
      items_out: 4,
    },
  ],
  telemetry_spans: [{ span_id: '1'.repeat(16), trace_id, name: 'call', started_at: at(1) }],
  telemetry_events: [
    { name: 'node.started', at: at(0) },
    { name: 'node.started', at: at(1) },
  ],
  shared_state_snapshots: [{ at: at(1), state: {} }],
});

describe('one execution', () => {
  test('is told with all that is known of it', async () => {
    const id = await report('17', full());
    const { status, body } = await get(id);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      id,
      execution_id: '17',
      instance_id: null,
      workflow_id: 'w',
      workflow_name: 'Orders',
      workflow_version: 'v7',
      definition_hash: 'sha256:1',
      status: 'error',
      duration_ms: 3000,
      error: { type: 'HttpError', message: 'no route', stack: 'at Post', node: 'Post' },
      error_type: 'HttpError',
      tokens_used: 42,
      cost_micros: 7,
      currency: 'EUR',
      metadata: { region: 'eu' },
      sources: ['client'],
      late_end: false,
      lost_at: null,
      counts: {
        node_executions: 2,
        telemetry_spans: 1,
        telemetry_events: 2,
        shared_state_snapshots: 1,
      },
      nodes_truncated: false,
      parent: null,
      children: [],
      children_truncated: false,
      repeats: null,
      retries: [],
    });
    expect(Date.parse(body.started_at as string)).toBe(Date.parse(at(0)));
    expect(body.node_executions.map((node: { node_name: string }) => node.node_name)).toEqual([
      'Hook',
      'Post',
    ]);
    expect(body.node_executions[1]).toMatchObject({
      node_id: 'n2',
      node_type: 'httpRequest',
      status: 'error',
      run_index: 0,
      retry_index: 0,
      attempts: 3,
      duration_ms: 2000,
      prep_duration_ms: null,
      exec_duration_ms: 1900,
      items_in: 4,
      items_out: null,
      previous_nodes: ['Hook'],
      error: { type: 'HttpError', message: 'no route', stack: 'at Post' },
      metadata: { url: 'x' },
    });
    expect(body.node_executions[0].error).toBeNull();
  });

  test('of which little is known is told, too', async () => {
    const id = await report('18', { status: 'running', started_at: undefined });
    expect(await detail(id)).toMatchObject({
      status: 'running',
      started_at: null,
      completed_at: null,
      duration_ms: null,
      error: null,
      node_executions: [],
      began: expect.any(String),
    });
  });

  test('what several tellers know of a node’s run is one run, with the best of each', async () => {
    const tell = (source: string, node: object, more: object = {}) =>
      report('19', {
        source,
        instance_id: 'i',
        node_executions: [{ node_name: 'A', ...node }],
        ...more,
      });
    await tell('log', { status: 'success', node_type: 'by log' });
    await tell('hooks', {
      status: 'success',
      started_at: at(0),
      completed_at: at(1),
      items_out: 3,
    });
    const id = await tell('otlp', {
      status: 'success',
      started_at: at(0.5),
      items_in: 5,
      node_type: 'set',
    });
    const { node_executions, counts } = await detail(id);
    expect(node_executions).toHaveLength(1);
    expect(counts.node_executions).toBe(1);
    expect(node_executions[0]).toMatchObject({
      node_type: 'set',
      items_in: 5,
      items_out: 3,
      duration_ms: 1000,
    });
    expect(Date.parse(node_executions[0].started_at as string)).toBe(Date.parse(at(0)));
  });

  test('an end of a node’s run wins over its beginning, whoever tells it', async () => {
    const tell = (source: string, status: string) =>
      report('20', { source, node_executions: [{ node_name: 'A', status, started_at: at(0) }] });
    await tell('log', 'error');
    const id = await tell('client', 'running');
    expect((await detail(id)).node_executions).toMatchObject([{ status: 'error' }]);
  });

  test('of many runs of nodes the first 1,000 are told, and that there are more', async () => {
    const runs = (count: number) =>
      Array.from({ length: count }, (_, run_index) => ({
        node_name: 'Loop',
        run_index,
        status: 'success',
        started_at: at(run_index),
      }));
    const some = await detail(await report('21', { node_executions: runs(1_000) }));
    expect([some.node_executions.length, some.nodes_truncated]).toEqual([1_000, false]);
    const all = await detail(await report('22', { node_executions: runs(1_001) }));
    expect([all.node_executions.length, all.nodes_truncated, all.counts.node_executions]).toEqual([
      1_000,
      true,
      1_001,
    ]);
    expect(all.node_executions.at(-1).run_index).toBe(999);
  });
});

describe('relatives', () => {
  test('parent and children find each other', async () => {
    const instance_id = 'i';
    const parent = await report('1', { instance_id, workflow_id: 'outer' });
    const link = { instance_id, parent_execution_id: '1', parent_workflow_id: 'outer' };
    const late = await report('3', { ...link, started_at: at(5) });
    const early = await report('2', { ...link, status: 'error' });
    await report('4', { ...link, instance_id: 'another' });
    await report('5', { ...link, parent_workflow_id: 'another' });
    const { children } = await detail(parent);
    expect(children.map(({ id }: { id: string }) => id)).toEqual([early, late]);
    expect(children[0]).toMatchObject({ execution_id: '2', workflow_id: 'w', status: 'error' });
    expect((await detail(late)).parent).toMatchObject({
      id: parent,
      execution_id: '1',
      workflow_id: 'outer',
    });
  });

  test('a run and its retries find each other', async () => {
    const first = await report('1', { status: 'error' });
    const again = await report('2', { mode: 'retry', retry_of: '1' });
    await report('3', { mode: 'retry', retry_of: '1', workflow_id: 'another' });
    expect((await detail(first)).retries.map(({ id }: { id: string }) => id)).toEqual([again]);
    expect((await detail(again)).repeats).toMatchObject({ id: first, status: 'error' });
  });

  test('a run that calls itself its parent has none', async () => {
    const id = await report('1', { parent_execution_id: '1', retry_of: '1' });
    expect(await detail(id)).toMatchObject({
      parent: null,
      children: [],
      repeats: null,
      retries: [],
    });
  });
});

describe('which one is meant', () => {
  test('the id that its own system gave it finds it, also one that looks like ours', async () => {
    const own = randomUUID();
    const [one, other] = [await report('a/b c?d', {}), await report(own, {})];
    expect((await detail('a/b c?d')).id).toBe(one);
    expect((await detail(own)).id).toBe(other);
    expect((await detail(other.toUpperCase())).id).toBe(other);
  });

  test('several are a conflict that names them, and the instance chooses', async () => {
    const left = await report('7', { instance_id: 'left' });
    const right = await report('7', { instance_id: 'right', started_at: at(1) });
    const { status, body } = await get('7');
    expect([status, body.code]).toEqual([409, 'ambiguous_execution']);
    expect(body.errors).toMatchObject([{ path: 'path.id' }]);
    expect(body.candidates).toMatchObject([
      { id: right, instance_id: 'right', workflow_id: 'w' },
      { id: left, instance_id: 'left' },
    ]);
    expect((await get('7', { instance_id: 'left' })).body.id).toBe(left);
    for (const part of ['timeline', 'telemetry-spans', 'telemetry-events', 'state']) {
      const path = `/api/v1/executions/7/${part}`;
      expect((await rollcall.get(path)).status).toBe(409);
      expect((await rollcall.get(path, { query: { instance_id: 'right' } })).status).toBe(200);
    }
  });

  test('two that turned out to be one are found by the ids of both', async () => {
    const session_id = 'one session';
    const first = await report(undefined, { session_id });
    const second = await report('9');
    expect(await report('9', { session_id })).toBe(first);
    expect((await detail(second)).id).toBe(first);
    expect((await rollcall.get(`/api/v1/executions/${second}/timeline`)).status).toBe(200);
  });

  test.each(['', '/timeline', '/telemetry-spans', '/telemetry-events', '/state'])(
    'one that is not there is not found: %s',
    async (part) => {
      await report('1', { instance_id: 'i' });
      for (const [id, instance_id] of [[randomUUID()], ['2'], ['1', 'other']] as [
        string,
        string?,
      ][]) {
        const query: Record<string, string> = instance_id ? { instance_id } : {};
        const { status, body } = await rollcall.get(`/api/v1/executions/${id}${part}`, { query });
        expect([status, body.code]).toEqual([404, 'not_found']);
        expect(body.detail).toContain(id);
      }
    },
  );
});
