import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { seededRandom } from './events.ts';
import { LARGE, seedExecutions } from './execution-seed.ts';
import { median, printTable, quantile, saveResults, thousands } from './report.ts';
import { makeDataDir, removeDataDir, startRollcall } from './rollcall-server.ts';

const { values: options } = parseArgs({
  options: {
    executions: { type: 'string', default: '100000' },
    nodes: { type: 'string', default: '20' },
    workflows: { type: 'string', default: '200' },
    requests: { type: 'string', default: '100' },
  },
});
const executions = Number(options.executions);
const nodes = Number(options.nodes);
const WARM_UP = 5;
const TARGET_MS = 50;

const random = seededRandom(7);
/** Another execution each time; one in twenty of them has spans, events and states, too. */
const any = () => String(1 + Math.floor(random() * executions));
const full = () => String(20 * (1 + Math.floor(random() * Math.floor(executions / 20))));
const workflow = () => `workflow-${Math.floor(random() ** 3 * Number(options.workflows))}`;
const list = (query = '') => `/api/v1/executions${query}`;

/** What is asked; those with a target are what the issue names. */
const QUESTIONS: { name: string; path: () => string; target?: number }[] = [
  { name: 'list, newest', path: () => list(), target: TARGET_MS },
  { name: 'list, 500 of them', path: () => list('?limit=500') },
  {
    name: 'list, of a workflow',
    path: () => list(`?workflow_id=${workflow()}`),
    target: TARGET_MS,
  },
  { name: 'list, failed', path: () => list('?status=error,lost'), target: TARGET_MS },
  {
    name: 'list, failed of a workflow',
    path: () => list(`?status=error&workflow_id=${workflow()}`),
    target: TARGET_MS,
  },
  { name: 'list, of an error type', path: () => list('?error_type=Timeout'), target: TARGET_MS },
  { name: 'list, of a rare mode', path: () => list('?mode=retry'), target: TARGET_MS },
  { name: 'list, slow ones', path: () => list('?min_duration_ms=4000'), target: TARGET_MS },
  {
    name: 'list, a time range',
    path: () => list(`?to=${new Date(Date.now() - 3 * 86_400_000).toISOString()}`),
    target: TARGET_MS,
  },
  { name: 'list, text that many have', path: () => list('?text=billing'), target: TARGET_MS },
  { name: 'list, text that nobody has', path: () => list('?text=nowhere'), target: TARGET_MS },
  {
    name: 'list, text in what failed',
    path: () => list('?text=nowhere&status=error'),
    target: TARGET_MS,
  },
  { name: 'detail', path: () => list(`/${any()}`), target: TARGET_MS },
  {
    name: `detail, ${thousands(LARGE.nodes)} node runs`,
    path: () => list(`/${LARGE.execution_id}`),
  },
  { name: 'timeline', path: () => list(`/${full()}/timeline`), target: TARGET_MS },
  {
    name: `timeline, ${thousands(LARGE.nodes)} node runs`,
    path: () => list(`/${LARGE.execution_id}/timeline`),
  },
  { name: 'spans', path: () => list(`/${full()}/telemetry-spans`) },
  { name: 'events', path: () => list(`/${full()}/telemetry-events`) },
  { name: 'states', path: () => list(`/${full()}/state`) },
  { name: 'comparison', path: () => list(`/compare?left=${full()}&right=${full()}`) },
  {
    name: 'regressions of the busiest workflow',
    path: () => list('/regressions?workflow_id=workflow-0'),
  },
];

const dataDir = makeDataDir();
const server = await startRollcall({ dataDir });
try {
  const began = performance.now();
  await seedExecutions(server.databaseUrl, {
    executions,
    nodes,
    workflows: Number(options.workflows),
  });
  const took = ((performance.now() - began) / 1000).toFixed(0);
  console.log(
    `${thousands(executions)} executions, ${thousands(executions * nodes)} node rows in ${took} s`,
  );
  report(await ask());
} finally {
  await server.stop();
  await removeDataDir(dataDir);
}

/** Every question in turn, over and over, one at a time. */
async function ask(): Promise<Map<string, number[]>> {
  const times = new Map(QUESTIONS.map(({ name }): [string, number[]] => [name, []]));
  for (let round = 0; round < Number(options.requests) + WARM_UP; round++) {
    for (const { name, path } of QUESTIONS) {
      const address = path();
      const began = performance.now();
      const answer = await fetch(server.url + address, {
        headers: { Authorization: `Bearer ${server.key}` },
      });
      const body = await answer.text();
      if (answer.status !== 200) throw new Error(`${address}: ${answer.status} ${body}`);
      if (round >= WARM_UP) times.get(name)?.push(performance.now() - began);
    }
  }
  return times;
}

function report(measured: Map<string, number[]>): void {
  const rows = QUESTIONS.map(({ name, target }) => {
    const times = measured.get(name) ?? [];
    return { name, median: median(times), p95: quantile(times, 0.95), target };
  });
  printTable(
    `Executions: ${thousands(executions)}, with ${thousands(executions * nodes)} node rows; milliseconds over HTTP`,
    ['question', 'median', 'p95', 'target'],
    rows.map(({ name, median, p95, target }) => [
      name,
      median.toFixed(1),
      p95.toFixed(1),
      target ? `< ${target}` : '',
    ]),
  );
  const load = loadavg()[0] ?? 0;
  console.log(`Load average ${load.toFixed(1)} at the end`);
  saveResults('execution-reads', { options, load_average: load, questions: rows });
}
