import { randomUUID } from 'node:crypto';
import { n8nRun } from '../../../../test/rollcall/otlp.ts';
import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';
import { sendTraces } from '../../../../test/rollcall/traces.ts';

let rollcall: TestRollcall;
beforeEach(async () => {
  rollcall = await startTestRollcall();
});
afterEach(() => rollcall.stop());

const at = (seconds: number) =>
  new Date(rollcall.clock.now().getTime() - 60_000 + seconds * 1000).toISOString();
const emit = async (more: object) => {
  const { status } = await rollcall.post('/api/v1/telemetry', {
    protocol: 'n8n',
    source_id: 'orders',
    target_id: 'orders',
    status: 'success',
    workflow_id: 'orders',
    execution_id: '7',
    metadata: { instance_id: 'i', workflow_name: 'Orders', mode: 'webhook' },
    ...more,
  });
  expect(status).toBe(200);
};
/** After everything that waited was brought. */
const executions = async () => {
  await rollcall.rollcall.stop();
  return rollcall.sql(
    'select execution_id, status, instance_id, sources, started_at, completed_at from rollcall.executions order by 1',
  );
};

test('what the Emit node tells from inside a run becomes part of its execution', async () => {
  await rollcall.post('/api/v1/executions/ingest', {
    source: 'hooks',
    workflow_id: 'orders',
    execution_id: '7',
    instance_id: 'i',
    status: 'error',
    started_at: at(0),
    completed_at: at(9),
  });
  await emit({ timestamp: at(1), operation: 'workflow.started' });
  await emit({ timestamp: at(10), operation: 'workflow.finished' });
  await emit({ timestamp: at(1), execution_id: '8' });
  expect(await executions()).toMatchObject([
    // A branch that ended well is not the run: what n8n itself tells of the end counts, whenever that was.
    { execution_id: '7', status: 'error', sources: ['emit', 'hooks'] },
    { execution_id: '8', status: 'running', sources: ['emit'] },
  ]);
});

test('the end that only the Emit node tells is believed', async () => {
  await emit({ timestamp: at(1), operation: 'workflow.started' });
  await emit({ timestamp: at(10), operation: 'workflow.finished' });
  expect(await executions()).toMatchObject([{ execution_id: '7', status: 'success' }]);
});

test('telemetry that is made of traces is no word of an Emit node', async () => {
  const startedAt = rollcall.clock.now().getTime() - 60_000;
  const run = { trace: 1, span: 0x10, startedAt, workflow: 'orders', nodes: ['Start', 'Send'] };
  const { workflow, nodes } = n8nRun({ ...run, execution: '7' });
  const { status } = await sendTraces(rollcall, [...nodes, workflow], { key: rollcall.key });
  expect(status).toBe(200);
  expect(await executions()).toMatchObject([
    { execution_id: '7', status: 'success', sources: ['otlp'] },
  ]);
});

test('an event that the database would not take as an execution is kept as telemetry', async () => {
  const event_id = randomUUID();
  await rollcall.sql(
    `alter table rollcall.executions add constraint refused check (workflow_id <> 'refused')`,
  );
  await emit({ event_id, timestamp: at(1), workflow_id: 'refused' });
  expect(await executions()).toEqual([]);
  expect(await rollcall.sql('select from rollcall.telemetry')).toHaveLength(1);
});
