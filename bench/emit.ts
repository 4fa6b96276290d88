import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { INodeType } from 'n8n-workflow';
import { stored } from '../test/nodes/credentials.ts';
import { run } from './equal-table.ts';
import { seededRandom } from './events.ts';
import type { ExecutionTime } from './n8n-execution.ts';
import { median, printTable, quantile, saveResults } from './report.ts';
import { makeDataDir, removeDataDir, startRollcall } from './rollcall-server.ts';

const { values: options } = parseArgs({
  options: {
    /** Of each side. */
    executions: { type: 'string', default: '500' },
    warmup: { type: 'string', default: '50' },
  },
});

type Side = 'NoOp' | 'Telemetry Emit';
type Times = Record<Side, ExecutionTime[]>;

const PARTS = { nextNode: 'until the next node runs', whole: 'whole execution' };
const random = seededRandom(1);
const load = (): number => loadavg()[0] ?? NaN;
const loadBefore = load();
// n8n writes a key file there as soon as it is asked for the instance's id.
const n8nFolder = mkdtempSync(join(tmpdir(), 'rollcall-bench-n8n-'));
process.env.N8N_USER_FOLDER = n8nFolder;
process.env.N8N_LOG_LEVEL = 'silent';
const dataDir = makeDataDir();
const server = await startRollcall({ dataDir, environment: { ROLLCALL_LOG_LEVEL: 'error' } });
try {
  const { noOp, prepareWorkflow } = await import('./n8n-execution.ts');
  const sides = {
    NoOp: prepareWorkflow(noOp),
    'Telemetry Emit': prepareWorkflow(builtNode(), {
      name: 'measured',
      credentials: { rollcallApi: { id: 'cred-1', name: 'Rollcall' } },
    }),
  };
  Object.assign(stored, { baseUrl: server.url, apiKey: server.key });
  await measure(sides, Number(options.warmup));
  const present = await measure(sides, Number(options.executions));
  await expectStored(Number(options.warmup) + Number(options.executions));
  await server.stop();
  // The port is free now: whoever connects is refused.
  const absent = await measure(sides, Number(options.executions));
  report('with a Rollcall server', present);
  report('with the server absent (connection refused)', absent);
  const load_average = { before: loadBefore, after: load() };
  console.log(`Load average ${loadBefore.toFixed(1)} before, ${load().toFixed(1)} after`);
  saveResults('emit', {
    options,
    load_average,
    present: summaryOf(present),
    absent: summaryOf(absent),
  });
} finally {
  await server.stop();
  await removeDataDir(dataDir);
  rmSync(n8nFolder, { recursive: true });
}

/** The node as n8n loads it: what `npm run build` has made. */
function builtNode(): INodeType {
  const require = createRequire(import.meta.url);
  const { TelemetryEmit } = require('../dist/nodes/TelemetryEmit/TelemetryEmit.node.js') as {
    TelemetryEmit: new () => INodeType;
  };
  return new TelemetryEmit();
}

/** Executes both sides equally often, in random order, one execution at a time. */
async function measure(
  sides: Record<Side, () => Promise<ExecutionTime>>,
  executions: number,
): Promise<Times> {
  const times: Times = { NoOp: [], 'Telemetry Emit': [] };
  for (let pair = 0; pair < executions; pair++) {
    const order: Side[] = ['NoOp', 'Telemetry Emit'];
    if (random() < 0.5) order.reverse();
    for (const side of order) times[side].push(await sides[side]());
  }
  return times;
}

/** Every execution has to have left its event, or what was measured is not a delivery. */
async function expectStored(events: number): Promise<void> {
  const count = 'select count(*)::int as n from rollcall.telemetry';
  const [row] = await run<{ n: number }>(server.databaseUrl, count);
  if (row?.n !== events) throw new Error(`${events} events were emitted, ${row?.n} are stored`);
}

function summaryOf(times: Times) {
  const of = (side: Side, part: keyof ExecutionTime) => {
    const values = times[side].map((time) => time[part]);
    return { median: median(values), p95: quantile(values, 0.95) };
  };
  return (['nextNode', 'whole'] as const).map((part) => ({
    part,
    noOp: of('NoOp', part),
    telemetryEmit: of('Telemetry Emit', part),
    executions: times.NoOp.length,
  }));
}

function report(title: string, times: Times): void {
  printTable(
    `Milliseconds of an execution ${title}, ${times.NoOp.length} of each side`,
    ['', 'NoOp median', 'p95', 'Emit median', 'p95', 'added median', 'p95'],
    summaryOf(times).map(({ part, noOp, telemetryEmit: emit }) => [
      PARTS[part],
      ...[noOp.median, noOp.p95, emit.median, emit.p95].map((value) => value.toFixed(2)),
      ...[emit.median - noOp.median, emit.p95 - noOp.p95].map((value) => value.toFixed(2)),
    ]),
  );
}
