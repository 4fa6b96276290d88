import { checked, gap, kept, rollcall } from './rollcall.ts';
import { checkGaps, registerWorkflow, runWorkflow, telemetryEmit } from './workflow.ts';

it('a workflow reports, registers itself and finds a gap, in one execution', async () => {
  const received = await rollcall({
    'POST /api/v1/telemetry': { body: kept() },
    'POST /api/v1/entities': {
      body: { outcome: 'updated', entity: { entity_id: 'wf-1' }, refused_dependencies: [] },
    },
    'POST /api/v1/gaps/check': { body: checked(1) },
    'GET /api/v1/gaps': { body: { items: [gap('7')], next_cursor: null } },
  });
  const { run, output } = await runWorkflow([
    { name: 'Trigger', does: () => [{ json: { order: 1 } }, { json: { order: 2 } }] },
    { name: 'Start', does: telemetryEmit, parameters: { operation: 'startStep', step: 'orders' } },
    { name: 'Emit', does: telemetryEmit },
    { name: 'End', does: telemetryEmit, parameters: { operation: 'endStep', step: 'orders' } },
    { name: 'Register', does: registerWorkflow },
    { name: 'Gaps', does: checkGaps },
  ]);

  expect(run.status).toBe('success');
  expect(output('End').map(({ json }) => json)).toEqual([{ order: 1 }, { order: 2 }]);
  expect(output('Register')[0]?.json).toMatchObject({ entity_id: 'wf-1', outcome: 'updated' });
  expect(output('Gaps')[0]?.json).toMatchObject({ id: '7', kind: 'silent' });

  const events = received
    .filter(({ route }) => route === 'POST /api/v1/telemetry')
    .flatMap(({ body }) => body);
  expect(events.map(({ operation }) => operation).sort()).toEqual(['Emit', 'orders']);
  expect(new Set(events.map(({ execution_id }) => execution_id)).size).toBe(1);
});
