import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer, type AddressInfo } from 'node:net';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { seededRandom } from './events.ts';
import type { Ended } from './n8n-execution.ts';
import { median, printTable, quantile, saveResults } from './report.ts';

const { values: options } = parseArgs({
  options: {
    /** Of each side, in turns. */
    rounds: { type: 'string', default: '4' },
    /** Of each turn. */
    seconds: { type: 'string', default: '2' },
    /** Nodes of the workflow, three at least. */
    nodes: { type: 'string', default: '10' },
  },
});

type Hook = (this: unknown, ...told: unknown[]) => unknown;
type HooksFile = Record<string, Record<string, Hook[]>>;
const SIDES = ['without hooks', 'hooks, server answers', 'hooks, server absent'] as const;
type Side = (typeof SIDES)[number];
interface Measured {
  /** Milliseconds of each execution. */
  times: number[];
  /** Of the whole process, what is sent included. */
  cpuMs: number;
}

const require = createRequire(import.meta.url);
const random = seededRandom(1);
const load = (): number => loadavg()[0] ?? NaN;
const loadBefore = load();
const n8nFolder = mkdtempSync(join(tmpdir(), 'rollcall-bench-n8n-'));
Object.assign(process.env, { N8N_USER_FOLDER: n8nFolder, N8N_LOG_LEVEL: 'silent' });
Object.assign(process.env, { N8N_INSTANCE_ID: 'bench', ROLLCALL_API_KEY: 'rc_bench' });

const sink = fork(new URL('./hooks-sink.ts', import.meta.url));
try {
  const [{ port }] = (await once(sink, 'message')) as [{ port: number }];
  const hooks = {
    'without hooks': undefined,
    'hooks, server answers': loadHooks(`http://127.0.0.1:${port}`),
    'hooks, server absent': loadHooks(`http://127.0.0.1:${await freePort()}`),
  };
  const { noOp, prepareWorkflow } = await import('./n8n-execution.ts');
  const more = Math.max(Number(options.nodes) - 3, 0);
  const runs = Object.fromEntries(
    SIDES.map((side) => [side, prepareWorkflow(noOp, {}, { more, ended: endedBy(hooks[side]) })]),
  );
  const measured = Object.fromEntries(
    SIDES.map((side): [Side, Measured] => [side, { times: [], cpuMs: 0 }]),
  ) as Record<Side, Measured>;
  for (let round = -1; round < Number(options.rounds); round++) {
    const order = SIDES.toSorted(() => random() - 0.5);
    for (const side of order) {
      const into = round < 0 ? { times: [], cpuMs: 0 } : measured[side];
      await turn(runs[side] as () => Promise<{ whole: number }>, hooks[side], into);
    }
  }
  report(measured, await told(sink));
} finally {
  sink.disconnect();
  rmSync(n8nFolder, { recursive: true });
}

/** Where nothing listens: whoever connects is refused. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** The built file, as n8n loads it, with hooks of its own. */
function loadHooks(url: string): HooksFile {
  process.env['ROLLCALL_URL'] = url;
  const file = require.resolve('../hooks/dist/rollcall-hooks.cjs');
  delete require.cache[file];
  return { ...(require(file) as HooksFile) };
}

function endedBy(file: HooksFile | undefined): Ended | undefined {
  const [hook] = file?.['workflow']?.['postExecute'] ?? [];
  const context = { dbCollections: {} };
  return hook && ((...told) => hook.apply(context, [...told, {}]));
}

/** One execution after the other for so long; what waits is sent before the next side's turn. */
async function turn(
  execute: () => Promise<{ whole: number }>,
  file: HooksFile | undefined,
  into: Measured,
): Promise<void> {
  const cpu = process.cpuUsage();
  const end = performance.now() + Number(options.seconds) * 1000;
  while (performance.now() < end) into.times.push((await execute()).whole);
  await file?.['n8n']?.['stop']?.[0]?.call({ dbCollections: {} });
  const { user, system } = process.cpuUsage(cpu);
  into.cpuMs += (user + system) / 1000;
}

async function told(
  child: ChildProcess,
): Promise<{ events: number; requests: number; bytes: number }> {
  child.send('how much?');
  const [seen] = (await once(child, 'message')) as [
    { events: number; requests: number; bytes: number },
  ];
  return seen;
}

function report(measured: Record<Side, Measured>, seen: Awaited<ReturnType<typeof told>>): void {
  const sent = measured['hooks, server answers'].times.length;
  if (seen.events < sent) throw new Error(`${sent} executions ended, ${seen.events} were told`);
  const summary = SIDES.map((side) => {
    const { times, cpuMs } = measured[side];
    const [middle, p95, p99] = [median(times), quantile(times, 0.95), quantile(times, 0.99)];
    return { side, executions: times.length, median: middle, p95, p99, cpu: cpuMs / times.length };
  });
  const [base] = summary;
  printTable(
    `Milliseconds of an execution of ${options.nodes} nodes`,
    ['', 'executions', 'median', 'p95', 'p99', 'CPU each', 'added median', 'added CPU'],
    summary.map((row) => [
      row.side,
      row.executions,
      ...[row.median, row.p95, row.p99, row.cpu].map((value) => value.toFixed(3)),
      (row.median - (base?.median ?? 0)).toFixed(3),
      (row.cpu - (base?.cpu ?? 0)).toFixed(3),
    ]),
  );
  const each = Math.round(seen.bytes / seen.events);
  console.log(`${seen.events} events in ${seen.requests} requests, ${each} bytes each as sent`);
  const load_average = { before: loadBefore, after: load() };
  console.log(
    `Load average ${loadBefore.toFixed(1)} before, ${load_average.after.toFixed(1)} after`,
  );
  saveResults('hooks', { options, load_average, summary, sent: seen });
}
