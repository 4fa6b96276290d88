import type { Timeline } from '@rollcall/client/contract';
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
const trace_id = 'cd'.repeat(16);
const spanId = (number: number) => number.toString(16).padStart(16, '0');
const span = (number: number, parent: number | null, more: object = {}) => ({
  trace_id,
  span_id: spanId(number),
  ...(parent !== null && { parent_span_id: spanId(parent) }),
  name: `span ${number}`,
  started_at: at(number),
  ...more,
});

async function report(execution_id: string, more: object = {}) {
  const body = { execution_id, workflow_id: 'w', status: 'success', started_at: at(0), ...more };
  const answer = await rollcall.post('/api/v1/executions/ingest', body);
  if (answer.status >= 300) throw new Error(JSON.stringify(answer.body));
  return answer.body.id as string;
}
const read = async (id: string, part: string, query: Record<string, string> = {}) =>
  (await rollcall.get(`/api/v1/executions/${id}/${part}`, { query })).body;

describe('the timeline', () => {
  const timeline = (id: string): Promise<Timeline> => read(id, 'timeline');

  test('has a lane for each node, bars, phases, spans, sub-workflows and the critical path', async () => {
    const instance_id = 'i';
    const id = await report('1', {
      instance_id,
      completed_at: at(10),
      node_executions: [
        {
          node_name: 'Hook',
          node_id: 'h',
          status: 'success',
          started_at: at(0),
          completed_at: at(1),
        },
        {
          node_name: 'Call',
          node_id: 'c',
          status: 'error',
          started_at: at(3),
          completed_at: at(9),
          prep_duration_ms: 1_000,
          exec_duration_ms: 4_000,
          post_duration_ms: 1_000,
          previous_nodes: ['Hook'],
          child_execution_id: '2',
          error: { type: 'Timeout', message: 'late' },
        },
        {
          node_name: 'Side',
          node_id: 's',
          status: 'success',
          started_at: at(1),
          completed_at: at(2),
        },
      ],
      telemetry_spans: [
        span(3, null, {
          name: 'node.execute',
          ended_at: at(9),
          attributes: { 'n8n.node.name': 'Call' },
        }),
        span(4, 3, { ended_at: at(6), status: 'error' }),
      ],
    });
    const child = await report('2', {
      instance_id,
      parent_execution_id: '1',
      parent_workflow_id: 'w',
      workflow_id: 'sub',
    });
    const drawn = await timeline(id);
    expect(drawn).toMatchObject({
      execution: { id },
      duration_ms: 10_000,
      open: false,
      truncated: false,
    });
    expect(Date.parse(drawn.origin)).toBe(Date.parse(at(0)));
    expect(drawn.lanes.map(({ node_name }) => node_name)).toEqual(['Hook', 'Side', 'Call']);
    expect(drawn.lanes[2]?.bars).toMatchObject([
      {
        offset_ms: 3_000,
        duration_ms: 6_000,
        status: 'error',
        open: false,
        wait_ms: 2_000,
        on_critical_path: true,
        phases: [
          { phase: 'prep', offset_ms: 3_000, duration_ms: 1_000 },
          { phase: 'exec', offset_ms: 4_000, duration_ms: 4_000 },
          { phase: 'post', offset_ms: 8_000, duration_ms: 1_000 },
        ],
        spans: [
          {
            name: 'span 4',
            offset_ms: 4_000,
            duration_ms: 2_000,
            depth: 0,
            status: 'error',
            open: false,
          },
        ],
        error: { type: 'Timeout', message: 'late' },
        child_execution_id: '2',
        child: { id: child, workflow_id: 'sub' },
      },
    ]);
    expect(drawn.critical_path.map(({ node_name }) => node_name)).toEqual(['Hook', 'Call']);
    expect(drawn.gaps).toEqual([
      { kind: 'idle', offset_ms: 2_000, duration_ms: 1_000 },
      { kind: 'idle', offset_ms: 9_000, duration_ms: 1_000 },
    ]);
  });

  test('of a run that goes on grows with the clock', async () => {
    const node_executions = [{ node_name: 'A', status: 'running', started_at: at(0) }];
    const id = await report('1', { status: 'running', node_executions });
    const before = await timeline(id);
    rollcall.clock.advance(5_000);
    const after = await timeline(id);
    expect([before.open, after.duration_ms - before.duration_ms]).toEqual([true, 5_000]);
    expect(after.lanes[0]?.bars).toMatchObject([{ open: true, duration_ms: after.duration_ms }]);
  });

  test('of a run without nodes is empty', async () => {
    const drawn = await timeline(await report('1', { status: 'queued', started_at: undefined }));
    expect(drawn).toMatchObject({ lanes: [], critical_path: [], open: true });
  });

  test('holds 5,000 runs of nodes and says that there are more', async () => {
    const runs = (node_name: string, count: number) =>
      Array.from({ length: count }, (_, run_index) => ({
        node_name,
        run_index,
        status: 'success',
        started_at: at(0),
        previous_nodes: ['A', 'B'],
      }));
    const id = await report('1', { node_executions: runs('A', 5_000) });
    expect((await timeline(id)).truncated).toBe(false);
    await report('1', { node_executions: runs('B', 1) });
    const drawn = await timeline(id);
    expect([drawn.truncated, drawn.lanes.flatMap(({ bars }) => bars).length]).toEqual([
      true,
      5_000,
    ]);
  });
});
