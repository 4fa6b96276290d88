import type { ExecutionReport, TelemetryEvent } from '@rollcall/client/contract';
import { createLog } from '../../platform/log.ts';
import { emittedRuns, reportFrom } from './emitted.ts';
import type { Origin, ReportExecutions } from './executions.ts';

const event = (more: Partial<TelemetryEvent> = {}) => ({
  protocol: 'n8n' as const,
  source_id: 'w',
  target_id: 'w',
  status: 'success' as const,
  timestamp: '2026-01-01T00:00:00.000Z',
  workflow_id: 'w',
  execution_id: '7',
  metadata: { instance_id: 'i', workflow_name: 'Orders', mode: 'webhook' },
  ...more,
});
const origin: Origin = { tenant: 't', project: 'default', actor: 'key' };

function intake() {
  const told: ExecutionReport[][] = [];
  const report: ReportExecutions = (_origin, reports) => {
    told.push(reports);
    return Promise.resolve([]);
  };
  return { told, ...emittedRuns(report, createLog('silent')) };
}

test('an event from inside an execution says that it runs', () => {
  expect(reportFrom(event())).toEqual({
    source: 'emit',
    workflow_id: 'w',
    execution_id: '7',
    instance_id: 'i',
    workflow_name: 'Orders',
    mode: 'webhook',
    status: 'running',
    at: '2026-01-01T00:00:00.000Z',
  });
});

test('the last event of an instrumented workflow says that it succeeded', () => {
  expect(reportFrom(event({ operation: 'workflow.finished' }))?.status).toBe('success');
});

test('an Error Trigger tells of the execution that failed, wherever that was', () => {
  const failed = event({
    status: 'error',
    operation: 'Call',
    error_type: 'NodeApiError',
    error_message: 'no',
    metadata: { instance_id: 'i', execution_url: 'http://n8n/7' },
  });
  expect(reportFrom(failed)).toMatchObject({
    status: 'error',
    error: { message: 'no', type: 'NodeApiError', node: 'Call' },
  });
  expect(reportFrom(failed)?.instance_id).toBeUndefined();
});

test('an error that the workflow lives through is not its end', () => {
  expect(reportFrom(event({ status: 'error' }))?.status).toBe('running');
});

test('events that speak of no n8n execution say nothing', () => {
  expect(reportFrom(event({ protocol: 'mcp' }))).toBeUndefined();
  const without: Partial<TelemetryEvent> = event();
  delete without.execution_id;
  expect(reportFrom(without as ReturnType<typeof event>)).toBeUndefined();
});

test('of many events of one run the first and the last are reported', async () => {
  const { note, flush, told } = intake();
  note(origin, [event({ timestamp: '2026-01-01T00:00:02.000Z' }), event()]);
  note(origin, [event({ execution_id: '8' })]);
  await flush();
  expect(told).toHaveLength(1);
  expect(told[0]?.map(({ execution_id, at }) => [execution_id, at])).toEqual([
    ['7', '2026-01-01T00:00:00.000Z'],
    ['7', '2026-01-01T00:00:02.000Z'],
    ['8', '2026-01-01T00:00:00.000Z'],
  ]);
});

test('a flush takes five hundred runs, fifty while telemetry is busy, a drain all', async () => {
  const { note, flush, drain, told } = intake();
  const runs = Array.from({ length: 2_500 }, (_, index) => event({ execution_id: String(index) }));
  note(origin, runs);
  await flush();
  await flush();
  expect(told.map(({ length }) => length)).toEqual([50, 500]);
  await drain();
  expect(told.flat()).toHaveLength(2_500);
});

test('the end of a run is reported, whatever comes after it', async () => {
  const { note, flush, told } = intake();
  const finished = event({ operation: 'workflow.finished', timestamp: '2026-01-01T00:00:01.000Z' });
  note(origin, [event(), finished, event({ timestamp: '2026-01-01T00:00:02.000Z' })]);
  await flush();
  expect(told[0]?.map(({ status }) => status)).toEqual(['running', 'success']);
});

test('what could not be reported is reported the next time', async () => {
  const told: ExecutionReport[] = [];
  let away = true;
  const { note, flush } = emittedRuns(async (_, reports) => {
    if (away) throw new Error('The database is away');
    told.push(...reports);
    return [];
  }, createLog('silent'));
  note(origin, [event()]);
  await expect(flush()).rejects.toThrow('The database is away');
  away = false;
  await flush();
  expect(told.map(({ execution_id }) => execution_id)).toEqual(['7']);
});

test('runs of two instances with the same number are two', async () => {
  const { note, flush, told } = intake();
  const metadata = { instance_id: 'j' };
  note(origin, [event(), event({ metadata, timestamp: '2026-01-01T00:00:02.000Z' })]);
  await flush();
  expect(told[0]?.map(({ instance_id }) => instance_id)).toEqual(['i', 'j']);
});
