import fc from 'fast-check';
import { ExecutionReportSchema } from '../../server/src/features/executions/executions.schema.ts';
import { HooksEventSchema } from '../../server/src/features/n8n/webhook/hooks-events.schema.ts';
import { pickExecution } from '../src/execution.ts';
import { startProcess, storedWorkflows } from './n8n-process.ts';
import { publishedWorkflows, recordedCalls } from './recorded.ts';
import { startStandIn } from './rollcall-stand-in.ts';

const AT = '2026-11-21T12:00:00.000Z';

test('what is told of the recorded runs is what a server takes', () => {
  const runs = recordedCalls().filter(({ hook }) => hook === 'workflow.postExecute');
  expect(runs).toHaveLength(3);
  for (const { args } of runs) {
    const report = pickExecution(args[0], args[1], args[2], { at: AT, payloads: true });
    expect(ExecutionReportSchema.safeParse(report).error).toBeUndefined();
  }
});

test('every event is what a server takes', async () => {
  const rollcall = await startStandIn();
  const published = publishedWorkflows().map(({ workflow }, index) => ({
    ...workflow,
    id: `w${index}`,
  }));
  const n8n = startProcess({ url: rollcall.url, workflows: storedWorkflows(published) });
  for (const { hook, args } of recordedCalls()) n8n.call(hook, ...args);
  for (const hook of ['afterArchive', 'afterUnarchive', 'afterDelete']) {
    n8n.call(`workflow.${hook}`, 'w1', { role: 'global:owner' });
  }
  while (!rollcall.bodies.join('').includes('"complete":true')) await n8n.end();
  await rollcall.stop();
  expect(new Set(rollcall.events.map(({ kind }) => kind)).size).toBe(10);
  for (const event of rollcall.events) {
    expect(HooksEventSchema.safeParse(event).error?.issues).toBeUndefined();
  }
});

const odd = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string().map((text) => text.repeat(200)),
  fc.double(),
  fc.integer(),
  fc.date(),
  fc.boolean(),
  fc.constantFrom(null, undefined, '', '\0', '\ud800', -1, 1e300, '3000-01-01T00:00:00.000Z'),
);
const name = fc.oneof(fc.constantFrom('A', 'B', '__proto__', 'constructor'), fc.string());
const named = (value: fc.Arbitrary<unknown>) => fc.dictionary(name, value, { maxKeys: 4 });
const outputs = fc.oneof(odd, fc.array(fc.oneof(odd, fc.array(odd, { maxLength: 3 }))));
const error = fc.oneof(odd, fc.record({ name: odd, message: odd, node: fc.record({ name: odd }) }));
const entry = fc.record(
  {
    startTime: odd,
    executionTime: odd,
    executionStatus: fc.oneof(odd, fc.constantFrom('success', 'error', 'waiting')),
    source: fc.array(
      fc.record({ previousNode: name, previousNodeRun: odd, previousNodeOutput: odd }),
      { maxLength: 2 },
    ),
    data: fc.oneof(odd, named(outputs)),
    error,
    metadata: fc.record({
      subExecution: fc.record({ executionId: odd }),
      tracing: fc.record({ 'llm.tokens.total': odd }),
    }),
  },
  { requiredKeys: [] },
);
const run = fc.record(
  {
    status: fc.oneof(odd, fc.constantFrom('success', 'error', 'waiting', 'canceled')),
    mode: odd,
    startedAt: odd,
    stoppedAt: odd,
    waitTill: odd,
    retryOf: odd,
    data: fc.record({
      parentExecution: fc.record({ executionId: odd, workflowId: odd }),
      resultData: fc.record({
        runData: named(fc.array(entry, { maxLength: 3 })),
        lastNodeExecuted: odd,
        error,
      }),
    }),
  },
  { requiredKeys: [] },
);
const workflow = fc.record({
  id: fc.constant('w1'),
  name: odd,
  versionId: odd,
  nodes: fc.array(fc.record({ name, id: odd, type: odd, retryOnFail: odd, maxTries: odd }), {
    maxLength: 3,
  }),
});

test('whatever stands in a run, what is told of it is what a server takes', () => {
  fc.assert(
    fc.property(run, workflow, fc.boolean(), (told, definition, payloads) => {
      const report = pickExecution(told, definition, '7', { at: AT, payloads });
      const sent: unknown = JSON.parse(JSON.stringify(report));
      expect(ExecutionReportSchema.safeParse(sent).error?.issues).toBeUndefined();
    }),
    { numRuns: 500 },
  );
});
