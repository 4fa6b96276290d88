import { fork } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import type { CopyTarget } from './copy-load.ts';
import { EVENT_COLUMNS, makeEqualTable, run, WRITER } from './equal-table.ts';
import type { HttpTarget } from './http-load.ts';
import { runLoad, type LoadJob, type LoadResult } from './load.ts';
import { startPostgrest } from './postgrest.ts';
import { cpuSeconds, processTree } from './processes.ts';
import { median, printTable, saveResults, thousands } from './report.ts';
import { makeDataDir, removeDataDir, startRollcall } from './rollcall-server.ts';

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
    events: { type: 'string', default: '1,100,1000' },
    connections: { type: 'string', default: '1,16,64' },
    sides: { type: 'string', default: 'rollcall,copy,postgrest,http' },
    /** Writes a CPU profile of the server beside the results. */
    profile: { type: 'boolean', default: false },
  },
});
const numbers = (text: string) => text.split(',').map(Number);

/** The embedded database takes 60 connections in all; COPY gains nothing beyond one per core anyway. */
const COPY_CONNECTIONS = 32;
const WARM_UP_SECONDS = 1.5;

interface Side {
  name: string;
  label: string;
  /** Whose CPU it uses. */
  roots: number[];
  load: (job: Omit<LoadJob<unknown>, 'target'>) => Promise<LoadResult>;
  /** Rows that are there; what was acknowledged has to be. */
  stored?: () => Promise<number>;
  clear?: () => Promise<unknown>;
}

interface Measurement extends LoadResult {
  side: string;
  round: number;
  eventsPerRequest: number;
  connections: number;
  /** Cores that the side used, load process not included. */
  cores: number;
}

const dataDir = makeDataDir();
const profiling = ['--cpu-prof', `--cpu-prof-dir=${new URL('results', import.meta.url).pathname}`];
const server = await startRollcall({ dataDir, nodeArguments: options.profile ? profiling : [] });
const endings: (() => Promise<unknown>)[] = [server.stop, () => removeDataDir(dataDir)];
try {
  const sides = await prepareSides();
  const measurements = await measureAll(sides.filter(({ name }) => options.sides.includes(name)));
  report(sides, measurements);
} finally {
  // The server last: the others use its database.
  for (const end of endings) await end();
}

async function prepareSides(): Promise<Side[]> {
  const { databaseUrl } = server;
  const copyUrl = await makeEqualTable(databaseUrl, 'bench_copy');
  const postgrestUrl = await makeEqualTable(databaseUrl, 'bench_postgrest');
  const postgrest = await startPostgrest({
    databaseUrl: postgrestUrl,
    schema: 'equal',
    role: WRITER,
    pool: 16,
  });
  endings.unshift(postgrest.stop);
  const answering = fork(new URL('answering-server.ts', import.meta.url), {
    env: { PATH: process.env.PATH },
  });
  endings.unshift(async () => {
    answering.disconnect();
    await once(answering, 'exit');
  });
  const [answeringPort] = (await once(answering, 'message')) as [number];

  const authorization = { Authorization: `Bearer ${server.key}` };
  const path = '/api/v1/telemetry';
  const post = (target: HttpTarget) => (job: Omit<LoadJob<unknown>, 'target'>) =>
    runLoad<HttpTarget>('http-load.ts', { ...job, target });
  const columns = EVENT_COLUMNS.join(',');
  return [
    {
      name: 'rollcall',
      label: 'Rollcall',
      roots: [server.pid],
      load: post({ port: server.port, path, headers: authorization }),
      stored: () => count(databaseUrl, 'select count(*)::int as n from rollcall.telemetry'),
      clear: () =>
        run(
          databaseUrl,
          'truncate rollcall.telemetry, rollcall.telemetry_minutes, rollcall.telemetry_pairs, rollcall.activity; checkpoint',
        ),
    },
    {
      name: 'copy',
      label: 'COPY',
      roots: [server.pid],
      load: (job) =>
        runLoad<CopyTarget>('copy-load.ts', {
          ...job,
          connections: Math.min(job.connections, COPY_CONNECTIONS),
          target: { databaseUrl: copyUrl, table: 'equal.telemetry', columns: EVENT_COLUMNS },
        }),
      ...equalTable(copyUrl),
    },
    {
      name: 'postgrest',
      label: 'PostgREST',
      roots: [server.pid, postgrest.pid],
      load: post({
        port: postgrest.port,
        path: `/telemetry?columns=${columns}`,
        headers: { Prefer: 'return=minimal' },
      }),
      ...equalTable(postgrestUrl),
    },
    {
      name: 'http',
      label: 'HTTP only',
      roots: [answering.pid as number],
      load: post({ port: answeringPort, path, headers: authorization }),
    },
  ];
}

function equalTable(url: string): Pick<Side, 'stored' | 'clear'> {
  return {
    stored: () => count(url, 'select count(*)::int as n from equal.telemetry'),
    clear: () => run(url, 'truncate equal.telemetry; checkpoint'),
  };
}

async function count(url: string, statement: string): Promise<number> {
  const [row] = await run<{ n: number }>(url, statement);
  return row?.n ?? 0;
}

/** Every side of a cell right after the other, each round beginning with another one. */
async function measureAll(sides: Side[]): Promise<Measurement[]> {
  const measurements: Measurement[] = [];
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const eventsPerRequest of numbers(options.events)) {
      for (const connections of numbers(options.connections)) {
        const turn = (round + measurements.length / sides.length) % sides.length;
        for (const side of [...sides.slice(turn), ...sides.slice(0, turn)]) {
          const number = measurements.length + 1;
          const job = {
            eventsPerRequest,
            connections,
            number,
            seconds: Number(options.seconds),
            warmUpSeconds: WARM_UP_SECONDS,
          };
          const measured = { round, side: side.name, ...job, ...(await measure(side, job)) };
          measurements.push(measured);
          console.log(
            `${eventsPerRequest} x ${connections} ${side.label}: ${thousands(measured.eventsPerSecond)} events/s, ` +
              `p50 ${measured.p50.toFixed(1)} ms, p99 ${measured.p99.toFixed(1)} ms, ` +
              `${measured.cores.toFixed(2)} cores + ${measured.cpu.toFixed(2)} for the load` +
              (measured.refused > 0 ? `, ${measured.refused} requests sent away` : ''),
          );
        }
      }
    }
  }
  return measurements;
}

async function measure(
  side: Side,
  job: Omit<LoadJob<unknown>, 'target'>,
): Promise<LoadResult & { cores: number }> {
  await side.clear?.();
  const used = () => cpuSeconds(side.roots.flatMap(processTree));
  const before = used();
  const began = performance.now();
  const result = await side.load(job);
  const cores = (used() - before) / ((performance.now() - began) / 1000);
  const stored = (await side.stored?.()) ?? result.acknowledged;
  if (stored !== result.acknowledged) {
    throw new Error(`${side.label}: ${result.acknowledged} acknowledged, ${stored} stored`);
  }
  await side.clear?.();
  return { ...result, cores };
}

function report(sides: Side[], measurements: Measurement[]): void {
  const cells = numbers(options.events).flatMap((events) =>
    numbers(options.connections).map((connections) => {
      const of = (name: string) =>
        measurements.filter(
          (one) =>
            one.side === name && one.eventsPerRequest === events && one.connections === connections,
        );
      const rate = (name: string) => median(of(name).map((one) => one.eventsPerSecond));
      // Within a round the sides follow each other closely, so a ratio is taken there.
      const ratio = (name: string) =>
        median(
          of('rollcall').map(
            (one, round) => one.eventsPerSecond / (of(name)[round]?.eventsPerSecond ?? NaN),
          ),
        );
      return { events, connections, of, rate, ratio };
    }),
  );
  printTable(
    'Durable ingest, events a second, and what Rollcall reaches of each side',
    [
      'events x connections',
      ...sides.map(({ label }) => label),
      '/ COPY',
      '/ PostgREST',
      '/ HTTP only',
    ],
    cells.map(({ events, connections, rate, ratio }) => [
      `${events} x ${connections}`,
      ...sides.map(({ name }) => thousands(rate(name))),
      ...['copy', 'postgrest', 'http'].map((name) => ratio(name).toFixed(2)),
    ]),
  );
  printTable(
    'Rollcall: milliseconds to the acknowledgement, and cores in use',
    ['events x connections', 'p50', 'p99', 'server + database', 'load'],
    cells.map(({ events, connections, of }) => {
      const typical = (value: (one: Measurement) => number) => median(of('rollcall').map(value));
      return [
        `${events} x ${connections}`,
        typical(({ p50 }) => p50).toFixed(1),
        typical(({ p99 }) => p99).toFixed(1),
        typical(({ cores }) => cores).toFixed(2),
        typical(({ cpu }) => cpu).toFixed(2),
      ];
    }),
  );
  saveResults('ingest', { options, measurements });
}
