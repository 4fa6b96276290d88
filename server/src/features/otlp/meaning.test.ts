import {
  exportedBy,
  n8nRun,
  recorded,
  traceId,
  type SpanDraft,
} from '../../../../test/rollcall/otlp.ts';
import { createRedactor } from '../../platform/redact.ts';
import { createTurns } from '../../platform/turns.ts';
import { decodeTraces } from './decode.ts';
import { meaningOf, type Meaning } from './meaning.ts';
import { createPrivacy } from './privacy.ts';

const startedAt = Date.parse('2026-11-21T05:00:00Z');

async function meaning(spans: SpanDraft[] | Uint8Array): Promise<Meaning> {
  const bytes = spans instanceof Uint8Array ? spans : exportedBy(spans);
  const privacy = createPrivacy(createRedactor([], []), false);
  const now = new Date('2026-11-21T06:00:00Z');
  const decoded = await decodeTraces(
    bytes,
    { encoding: 'protobuf', privacy, now, days: 30 },
    createTurns(),
  );
  expect(decoded.refused).toEqual([]);
  return meaningOf(decoded.spans);
}

const run = (more: Partial<Parameters<typeof n8nRun>[0]> = {}) =>
  n8nRun({
    trace: 1,
    span: 10,
    startedAt,
    workflow: 'orders',
    execution: '7',
    nodes: ['Start', 'Send'],
    ...more,
  });

const reports = async (spans: SpanDraft[] | Uint8Array) =>
  (await meaning(spans)).runs.map(({ report }) => report);

describe('a workflow’s span', () => {
  test('is a run with all that it says', async () => {
    const { workflow } = run({ attributes: { 'n8n.workflow.custom.team': 'sales' } });
    expect(await reports([workflow])).toEqual([
      {
        execution_id: '7',
        instance_id: 'instance-1',
        workflow_id: 'orders',
        workflow_name: 'orders name',
        workflow_version: 'version-1',
        status: 'success',
        mode: 'webhook',
        started_at: '2026-11-21T05:00:00.000Z',
        completed_at: '2026-11-21T05:00:00.030Z',
        duration_ms: 30,
        at: '2026-11-21T05:00:00.030Z',
        source: 'otlp',
        trace_id: traceId(1),
        metadata: {
          n8n_project_id: 'n8n-project',
          n8n_version: '2.41.1',
          instance_role: 'main',
          node_count: 2,
          tags: { 'n8n.workflow.custom.team': 'sales' },
        },
      },
    ]);
  });

  test('that failed tells why', async () => {
    const [report] = await reports([run({ status: 'error' }).workflow]);
    expect(report).toMatchObject({
      status: 'error',
      error: {
        type: 'NodeApiError',
        message: 'The service refused the connection',
        stack: expect.stringContaining('at somewhere'),
      },
    });
  });

  test('of a retry tells what it repeats', async () => {
    const attributes = { 'n8n.execution.is_retry': true, 'n8n.execution.retry_of': '3' };
    expect(await reports([run({ attributes }).workflow])).toMatchObject([{ retry_of: '3' }]);
  });

  test('that stopped to wait has not ended', async () => {
    const { runs, events } = await meaning([run({ status: 'waiting' }).workflow]);
    expect(runs[0]?.report).toMatchObject({
      status: 'waiting',
      started_at: '2026-11-21T05:00:00.000Z',
      at: '2026-11-21T05:00:00.030Z',
    });
    expect(runs[0]?.report).not.toHaveProperty('completed_at');
    expect(runs[0]?.report).not.toHaveProperty('duration_ms');
    expect(events).toEqual([]);
  });

  test('that goes on after waiting is the same run, and neither its start nor its own child', async () => {
    const first = run({ status: 'waiting' }).workflow;
    const second = run({
      span: 20,
      parent: 10,
      startedAt: startedAt + 60_000,
      links: [{ trace: 1, span: 10, attributes: { 'n8n.continuation.reason': 'resume' } }],
    }).workflow;
    const [, resumed] = await reports([first, second]);
    expect(resumed).toMatchObject({ execution_id: '7', completed_at: '2026-11-21T05:01:00.030Z' });
    for (const field of ['started_at', 'duration_ms', 'parent_execution_id']) {
      expect(resumed).not.toHaveProperty(field);
    }
  });

  test.each([
    ['new', 'new'],
    ['crashed', 'crashed'],
    ['canceled', 'canceled'],
    ['unknown', 'unknown'],
    ['something newer', 'success'],
  ])('of status %p is reported as %p', async (said, status) => {
    expect(await reports([run({ status: said }).workflow])).toMatchObject([{ status }]);
  });

  test('without ids is a span like any other', async () => {
    const { workflow } = run({ attributes: { 'n8n.execution.id': '' } });
    expect((await meaning([workflow])).runs).toEqual([]);
  });
});

test('a sub-workflow knows its parent, whichever comes first and whatever lies between', async () => {
  const parent = run();
  const child = run({ span: 30, parent: 50, workflow: 'prices', execution: '8' });
  const between: SpanDraft = { trace: 1, span: 50, parent: 12, name: 'call', startedAt };
  for (const spans of [
    [child.workflow, between, ...parent.nodes, parent.workflow],
    [parent.workflow, ...parent.nodes, between, child.workflow],
  ]) {
    const byId = new Map((await reports(spans)).map((report) => [report.execution_id, report]));
    expect(byId.get('8')).toMatchObject({
      parent_execution_id: '7',
      parent_workflow_id: 'orders',
    });
    expect(byId.get('7')).not.toHaveProperty('parent_execution_id');
  }
});

test('spans that are each other’s parents hang nothing', async () => {
  const spans = [
    { ...run({ parent: 20 }).workflow },
    { ...run({ span: 20, parent: 10, execution: '8' }).workflow },
    {
      trace: 1,
      span: 30,
      parent: 31,
      name: 'chat',
      startedAt,
      attributes: { 'mcp.method.name': 'x' },
    },
    { trace: 1, span: 31, parent: 30, name: 'chat', startedAt },
  ];
  expect((await meaning(spans)).runs).toHaveLength(2);
});

test('a real n8n’s three runs are three reports, one of them below another', async () => {
  const told = await reports(recorded.bytes);
  expect(
    told.map(({ execution_id, workflow_name, status, parent_execution_id }) => ({
      execution_id,
      workflow_name,
      status,
      parent_execution_id,
    })),
  ).toEqual([
    {
      execution_id: '2',
      workflow_name: 'Price lookup (sub)',
      status: 'success',
      parent_execution_id: '1',
    },
    { execution_id: '1', workflow_name: 'Orders intake', status: 'success' },
    { execution_id: '3', workflow_name: 'Nightly sync', status: 'error' },
  ]);
});
