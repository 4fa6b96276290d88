import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { CopyTarget } from './copy-load.ts';
import { EVENT_COLUMNS, makeEqualTable, run, WRITER } from './equal-table.ts';
import type { HttpTarget } from './http-load.ts';
import { runLoad, type LoadJob, type LoadResult } from './load.ts';
import { startPostgrest } from './postgrest.ts';
import type { RollcallServer } from './rollcall-server.ts';

export type Job = Omit<LoadJob<unknown>, 'target'>;

/** One way of taking events in. */
export interface Side {
  name: 'rollcall' | 'copy' | 'postgrest' | 'http';
  label: string;
  /** Processes that it runs in, children included. */
  roots: number[];
  load: (job: Job) => Promise<LoadResult>;
  /** Rows that are there; what was acknowledged has to be. */
  stored?: () => Promise<number>;
  clear?: () => Promise<unknown>;
}

/** The embedded database takes 60 connections in all, and COPY gains nothing from more than it has cores. */
const COPY_CONNECTIONS = 32;
const POSTGREST_POOL = 16;
const PATH = '/api/v1/telemetry';

/** Everything beside the server, on databases of its own in the server's cluster: its disk, its settings. */
export async function startSides(
  server: RollcallServer,
): Promise<{ sides: Side[]; stop(): Promise<void> }> {
  const copyUrl = await makeEqualTable(server.databaseUrl, 'bench_copy');
  const postgrestUrl = await makeEqualTable(server.databaseUrl, 'bench_postgrest');
  const postgrest = await startPostgrest({
    databaseUrl: postgrestUrl,
    schema: 'equal',
    role: WRITER,
    pool: POSTGREST_POOL,
  });
  const answering = fork(new URL('answering-server.ts', import.meta.url), {
    env: { PATH: process.env.PATH },
  });
  const [answeringPort] = (await once(answering, 'message')) as [number];

  const headers = { Authorization: `Bearer ${server.key}` };
  const rollcall: Side = {
    name: 'rollcall',
    label: 'Rollcall',
    roots: [server.pid],
    load: post({ port: server.port, path: PATH, headers }),
    stored: () => count(server.databaseUrl, 'rollcall.telemetry'),
    clear: () =>
      run(
        server.databaseUrl,
        `truncate rollcall.telemetry, rollcall.telemetry_minutes, rollcall.telemetry_pairs, rollcall.activity;
         checkpoint`,
      ),
  };
  const copy: Side = {
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
  };
  const bare: Side = {
    name: 'postgrest',
    label: 'PostgREST',
    roots: [server.pid, postgrest.pid],
    load: post({
      port: postgrest.port,
      path: `/telemetry?columns=${EVENT_COLUMNS.join(',')}`,
      headers: { Prefer: 'return=minimal' },
    }),
    ...equalTable(postgrestUrl),
  };
  const http: Side = {
    name: 'http',
    label: 'HTTP only',
    roots: [answering.pid as number],
    load: post({ port: answeringPort, path: PATH, headers }),
  };
  return {
    sides: [rollcall, copy, bare, http],
    stop: async () => {
      answering.disconnect();
      await once(answering, 'exit');
      await postgrest.stop();
    },
  };
}

const post =
  (target: HttpTarget): Side['load'] =>
  (job) =>
    runLoad<HttpTarget>('http-load.ts', { ...job, target });

const equalTable = (url: string): Pick<Side, 'stored' | 'clear'> => ({
  stored: () => count(url, 'equal.telemetry'),
  clear: () => run(url, 'truncate equal.telemetry; checkpoint'),
});

async function count(url: string, table: string): Promise<number> {
  const [row] = await run<{ n: number }>(url, `select count(*)::int as n from ${table}`);
  return row?.n ?? 0;
}
