import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { run } from './equal-table.ts';
import { runLoad, type LoadResult } from './load.ts';
import type { OtlpCopyTarget } from './otlp-copy.ts';
import type { OtlpTarget } from './otlp-load.ts';
import { makeEqualRows } from './otlp-rows.ts';
import { REQUESTS_PER_UNIT, SPANS_PER_REQUEST, Unit } from './otlp-unit.ts';
import { freshIds, seededRandom } from './events.ts';
import { cpuSeconds, processTree } from './processes.ts';
import { median, printTable, saveResults, thousands } from './report.ts';
import { makeDataDir, removeDataDir, startRollcall } from './rollcall-server.ts';

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '1,4,16' },
    /** Writes a CPU profile of the server beside the results. */
    profile: { type: 'boolean', default: false },
  },
});

const WARM_UP_SECONDS = 2;
const TABLES = `rollcall.telemetry_spans, rollcall.node_executions, rollcall.executions, rollcall.execution_keys,
  rollcall.workflow_nodes, rollcall.telemetry, rollcall.telemetry_minutes, rollcall.telemetry_pairs, rollcall.activity`;

type SideName = 'rollcall' | 'copy';
interface Measurement extends LoadResult {
  side: SideName;
  round: number;
  connections: number;
  /** Microseconds of CPU for one span, load process not included. */
  cpuPerSpan: number;
}

const loadBefore = loadavg()[0] ?? NaN;
const dataDir = makeDataDir();
const profiling = ['--cpu-prof', `--cpu-prof-dir=${new URL('results', import.meta.url).pathname}`];
const server = await startRollcall({ dataDir, nodeArguments: options.profile ? profiling : [] });
const headers = { Authorization: `Bearer ${server.key}` };
const measurements: Measurement[] = [];
try {
  await sendOneUnit();
  const copy: OtlpCopyTarget = await makeEqualRows(server.databaseUrl, dataDir);
  const http: OtlpTarget = { port: server.port, headers };
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const connections of options.connections.split(',').map(Number)) {
      for (const side of round % 2
        ? (['copy', 'rollcall'] as const)
        : (['rollcall', 'copy'] as const)) {
        measurements.push(await measure(side, round, connections, { http, copy }));
      }
    }
  }
  print();
  saveResults('otlp', {
    options,
    load_average: { before: loadBefore, after: loadavg()[0] ?? NaN },
    measurements,
  });
} finally {
  await server.stop();
  await removeDataDir(dataDir);
}

/** So that there are rows for the other side to copy. */
async function sendOneUnit(): Promise<void> {
  const requests = new Unit(seededRandom(1), Date.now()).renew(freshIds(4_000 * 2 ** 36));
  for (const body of requests) {
    const answer = await fetch(`${server.url}/v1/traces`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/x-protobuf' },
      body: new Uint8Array(body),
    });
    if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`);
  }
}

async function measure(
  side: SideName,
  round: number,
  connections: number,
  targets: { http: OtlpTarget; copy: OtlpCopyTarget },
): Promise<Measurement> {
  const job = {
    eventsPerRequest: SPANS_PER_REQUEST,
    connections,
    seconds: Number(options.seconds),
    warmUpSeconds: WARM_UP_SECONDS,
    number: measurements.length + 1,
  };
  await run(server.databaseUrl, `truncate ${TABLES}; checkpoint`);
  await run(
    targets.copy.databaseUrl,
    'truncate equal.telemetry_spans, equal.node_executions, equal.executions; checkpoint',
  );
  const used = () => cpuSeconds(processTree(server.pid));
  const before = used();
  const result =
    side === 'rollcall'
      ? await runLoad('otlp-load.ts', { ...job, target: targets.http })
      : await runLoad('otlp-copy.ts', { ...job, target: targets.copy });
  const cpuPerSpan = ((used() - before) * 1e6) / result.acknowledged;
  if (side === 'rollcall') await verify(result);
  console.log(
    `${connections} connections, ${side}: ${thousands(result.eventsPerSecond)} spans/s, ` +
      `p50 ${result.p50.toFixed(0)} ms, p99 ${result.p99.toFixed(0)} ms, ${cpuPerSpan.toFixed(0)} us of CPU a span`,
  );
  return { side, round, connections, ...result, cpuPerSpan };
}

/** What was acknowledged is there, and every span has found its execution. */
async function verify({ acknowledged }: LoadResult): Promise<void> {
  const [row] = await run<{ spans: number; loose: number; nodes: number; runs: number }>(
    server.databaseUrl,
    `select (select count(*)::int from rollcall.telemetry_spans) as spans,
            (select count(*)::int from rollcall.telemetry_spans where id is null) as loose,
            (select count(*)::int from rollcall.node_executions) as nodes,
            (select count(*)::int from rollcall.executions) as runs`,
  );
  if (row?.spans !== acknowledged || row.loose > 0 || row.nodes + row.runs !== acknowledged) {
    throw new Error(`${acknowledged} spans acknowledged, but stored ${JSON.stringify(row)}`);
  }
}

function print(): void {
  const of = (side: SideName, connections: number) =>
    measurements.filter((one) => one.side === side && one.connections === connections);
  const typical = (
    side: SideName,
    connections: number,
    field: 'eventsPerSecond' | 'p50' | 'p99' | 'cpuPerSpan',
  ) => median(of(side, connections).map((one) => one[field]));
  printTable(
    `Spans a second in requests of ${SPANS_PER_REQUEST}, and COPY of the same rows, ${REQUESTS_PER_UNIT} requests at a time`,
    ['connections', 'Rollcall', 'COPY', '/ COPY', 'p50 ms', 'p99 ms', 'CPU us', 'COPY CPU us'],
    options.connections
      .split(',')
      .map(Number)
      .map((connections) => [
        connections,
        thousands(typical('rollcall', connections, 'eventsPerSecond')),
        thousands(typical('copy', connections, 'eventsPerSecond')),
        median(
          of('rollcall', connections).map(
            (one, index) =>
              one.eventsPerSecond / (of('copy', connections)[index]?.eventsPerSecond ?? NaN),
          ),
        ).toFixed(2),
        typical('rollcall', connections, 'p50').toFixed(0),
        typical('rollcall', connections, 'p99').toFixed(0),
        typical('rollcall', connections, 'cpuPerSpan').toFixed(0),
        typical('copy', connections, 'cpuPerSpan').toFixed(0),
      ]),
  );
}
