import { fork } from 'node:child_process';
import { once } from 'node:events';
import { loadavg } from 'node:os';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { run } from './equal-table.ts';
import type { ExecutionsJob, ExecutionsResult } from './executions-load.ts';
import { cpuSeconds, processTree } from './processes.ts';
import { median, printTable, saveResults, thousands } from './report.ts';
import { makeDataDir, removeDataDir, startRollcall } from './rollcall-server.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    executions: { type: 'string', default: '3000' },
    rows: { type: 'string', default: '20' },
    connections: { type: 'string', default: '16' },
    streams: { type: 'string', default: '4' },
  },
});
const [rounds, executions, rows, connections, streams] = [
  Number(options.rounds),
  Number(options.executions),
  Number(options.rows),
  Number(options.connections),
  Number(options.streams),
] as const;

/** Everything that one execution leaves behind. */
const TABLES = [
  'executions',
  'execution_keys',
  'node_executions',
  'telemetry_spans',
  'telemetry_events',
];

const dataDir = makeDataDir();
const server = await startRollcall({ dataDir });
const clear = (schema: string) =>
  run(
    server.databaseUrl,
    `truncate ${TABLES.map((table) => `${schema}.${table}`).join(', ')}; checkpoint`,
  );
const measured: {
  rollcall: ExecutionsResult & { perSecond: number; cpuMs: number };
  copy: number;
}[] = [];
try {
  await makeEqualTables();
  for (let round = 0; round < rounds; round++) {
    const used = () => cpuSeconds(processTree(server.pid));
    const before = used();
    const load = await sendAll(round * executions);
    const cpuMs = ((used() - before) / executions) * 1000;
    const [stored] = await run<{ n: number }>(
      server.databaseUrl,
      'select count(*)::int as n from rollcall.node_executions',
    );
    if (stored?.n !== executions * rows) throw new Error(`${stored?.n} node rows are stored`);
    const copied = await copyAll();
    await clear('rollcall');
    await clear('equal');
    const perSecond = executions / load.seconds;
    measured.push({ rollcall: { ...load, perSecond, cpuMs }, copy: executions / copied });
    console.log(
      `Rollcall ${perSecond.toFixed(0)} executions/s, p50 ${load.p50.toFixed(0)} ms, p99 ${load.p99.toFixed(0)} ms, ` +
        `${cpuMs.toFixed(2)} ms of CPU each, ${load.cpu.toFixed(2)} cores for the load; COPY ${(executions / copied).toFixed(0)}/s`,
    );
  }
} finally {
  await server.stop();
  await removeDataDir(dataDir);
}
const typical = (of: (one: (typeof measured)[0]) => number) => median(measured.map(of));
printTable(
  `Executions with ${rows} nodes, ${rows} spans and ${rows} events, a second`,
  ['connections', 'Rollcall', `COPY (${streams} streams)`, '/ COPY', 'p50 ms', 'p99 ms'],
  [
    [
      connections,
      thousands(typical((one) => one.rollcall.perSecond)),
      thousands(typical((one) => one.copy)),
      typical((one) => one.rollcall.perSecond / one.copy).toFixed(2),
      typical((one) => one.rollcall.p50).toFixed(0),
      typical((one) => one.rollcall.p99).toFixed(0),
    ],
  ],
);
console.log(`Load average ${(loadavg()[0] ?? NaN).toFixed(1)} at the end.`);
saveResults('executions', { options, measured });

async function sendAll(first: number): Promise<ExecutionsResult> {
  const child = fork(new URL('executions-load.ts', import.meta.url));
  const { port, key } = server;
  const job: ExecutionsJob = { port, key, executions, rows, connections, first };
  child.send(job);
  const [result] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`The load ended with ${code}`);
    }),
  ])) as [ExecutionsResult];
  return result;
}

/** Tables with the columns, indexes and partitions of Rollcall's own, without tenancy or functions. */
async function makeEqualTables(): Promise<void> {
  const days = [-1, 0].map(
    (
      offset,
    ) => `do $$ declare v_name text := to_char(current_date + ${offset}, '"spans_"YYYYMMDD'); begin
      execute format('create table equal.%I partition of equal.telemetry_spans for values from (%L) to (%L)',
                     v_name, current_date + ${offset}, current_date + ${offset} + 1);
      execute format('create unique index on equal.%I (tenant_id, trace_id, span_id)', v_name);
    end $$;`,
  );
  await run(
    server.databaseUrl,
    `create schema equal;
     ${TABLES.map((table) => `create table equal.${table} (like rollcall.${table} including all) ${table === 'telemetry_spans' ? 'partition by range (started_at)' : ''};`).join('\n')}
     ${days.join('\n')}`,
  );
}

/** Copies what Rollcall has stored into the equal tables; answers the seconds that the way in took. */
async function copyAll(): Promise<number> {
  const parts = await Promise.all(TABLES.map(readTable));
  const clients = await Promise.all(
    Array.from({ length: streams }, async () => {
      const client = new pg.Client({ connectionString: server.databaseUrl });
      await client.connect();
      return client;
    }),
  );
  const began = performance.now();
  await Promise.all(
    clients.map(async (client, index) => {
      for (const [place, table] of TABLES.entries()) {
        const stream = client.query(copyFrom(`copy equal.${table} from stdin`));
        await pipeline([parts[place]?.[index] ?? Buffer.alloc(0)], stream);
      }
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  await Promise.all(clients.map((client) => client.end()));
  return seconds;
}

/** A table's rows as COPY writes them, in as many parts as there are streams. */
async function readTable(table: string): Promise<Buffer[]> {
  const client = new pg.Client({ connectionString: server.databaseUrl });
  await client.connect();
  const chunks: Buffer[] = [];
  for await (const chunk of client.query(
    copyTo(`copy (select * from rollcall.${table}) to stdout`),
  )) {
    chunks.push(chunk as Buffer);
  }
  await client.end();
  const lines = Buffer.concat(chunks).toString('utf8').split('\n').slice(0, -1);
  const size = Math.ceil(lines.length / streams);
  return Array.from({ length: streams }, (_, index) =>
    Buffer.from(
      lines
        .slice(index * size, (index + 1) * size)
        .map((text) => `${text}\n`)
        .join(''),
    ),
  );
}
