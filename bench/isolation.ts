import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { run } from './equal-table.ts';
import { freshIds, makeEvents, seededRandom, Stamp } from './events.ts';
import { printTable, quantile, saveResults } from './report.ts';
import { makeDataDir, removeDataDir, startRollcall } from './rollcall-server.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '15' },
    /** Length of the query, and of the time without it that each is compared with. */
    seconds: { type: 'string', default: '2' },
    /** Queries at the same time. */
    queries: { type: 'string', default: '1' },
  },
});
const seconds = Number(options.seconds);

/** Between two samples: the measurement shall not be what keeps the machine busy. */
const PAUSE_MS = 5;
const TARGET_MS = 50;

const DOORS = ['/healthz', 'ingest'] as const;
type Door = (typeof DOORS)[number];
type Samples = Record<Door, number[]>;

const dataDir = makeDataDir();
const server = await startRollcall({ dataDir });
// Each keeps a connection of its own, so that none waits in another's line.
const agents = { probe: keepAlive(), query: keepAlive() };
const fresh = freshIds(0);
const event = new Stamp(JSON.stringify(makeEvents(1, seededRandom(1), () => new Date())));
try {
  await slowOverview();
  // Opens connections and compiles what is hot.
  await sample(1);
  const quiet: Samples = { '/healthz': [], ingest: [] };
  const busy: Samples = { '/healthz': [], ingest: [] };
  const queryTimes: number[] = [];
  for (let round = 0; round < Number(options.rounds); round++) {
    add(quiet, await sample(seconds));
    const queries = Array.from({ length: Number(options.queries) }, overview);
    add(busy, await sample(seconds));
    queryTimes.push(...(await Promise.all(queries)));
  }
  report(quiet, busy, queryTimes);
} finally {
  for (const agent of Object.values(agents)) agent.destroy();
  await server.stop();
  await removeDataDir(dataDir);
}

/** In this database alone: makes the dashboard's overview compute for as long as is asked. */
async function slowOverview(): Promise<void> {
  await run(
    server.databaseUrl,
    `alter function rollcall_api.overview(text, int, timestamptz) rename to quick_overview;
     create function rollcall_api.overview(p_tenant text, p_window_seconds int, p_now timestamptz) returns jsonb
     language plpgsql volatile security definer set search_path = rollcall, rollcall_api, pg_temp as $$
     declare v_end timestamptz := clock_timestamp() + make_interval(secs => ${seconds});
     begin
       while clock_timestamp() < v_end loop
         perform sum(sqrt(n)) from generate_series(1, 1000) n;
       end loop;
       return quick_overview(p_tenant, p_window_seconds, p_now);
     end $$;
     alter function rollcall_api.overview owner to rollcall_owner;
     grant execute on function rollcall_api.overview to rollcall_server;`,
  );
}

/** Milliseconds that the slow query took. */
async function overview(): Promise<number> {
  const took = await timed(agents.query, 'GET', '/api/v1/overview');
  if (took < seconds * 1000) throw new Error(`The slow query took only ${took.toFixed(0)} ms`);
  return took;
}

/** Knocks at both doors in turn, one request at a time, for so many seconds. */
async function sample(forSeconds: number): Promise<Samples> {
  const samples: Samples = { '/healthz': [], ingest: [] };
  const end = performance.now() + forSeconds * 1000;
  while (performance.now() < end) {
    samples['/healthz'].push(await timed(agents.probe, 'GET', '/healthz'));
    await pause();
    const body = event.renew(fresh);
    samples.ingest.push(await timed(agents.probe, 'POST', '/api/v1/telemetry', body));
    await pause();
  }
  return samples;
}

function pause(): Promise<unknown> {
  return new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}

async function timed(agent: Agent, method: string, path: string, body?: Buffer): Promise<number> {
  const began = performance.now();
  const sent = request(server.url + path, {
    agent,
    method,
    headers: {
      Authorization: `Bearer ${server.key}`,
      ...(body && { 'Content-Type': 'application/json', 'Content-Length': body.length }),
    },
  }).end(body);
  const [response] = await once(sent, 'response');
  response.resume();
  await once(response, 'end');
  if (response.statusCode !== 200) throw new Error(`${path} answered ${response.statusCode}`);
  return performance.now() - began;
}

function keepAlive(): Agent {
  return new Agent({ keepAlive: true });
}

function add(all: Samples, more: Samples): void {
  for (const door of DOORS) all[door].push(...more[door]);
}

function report(quiet: Samples, busy: Samples, queryTimes: number[]): void {
  const summary = (times: number[]) => ({
    requests: times.length,
    p50_ms: quantile(times, 0.5),
    p99_ms: quantile(times, 0.99),
    max_ms: quantile(times, 1),
  });
  const doors = DOORS.map((door) => ({
    door,
    without: summary(quiet[door]),
    with: summary(busy[door]),
  }));
  const figures = ['p50_ms', 'p99_ms', 'max_ms'] as const;
  printTable(
    `What a dashboard query of ${seconds} s adds, milliseconds (target: at most ${TARGET_MS})`,
    ['', 'requests', ...figures.flatMap((name) => [`${name.slice(0, 3)} without`, 'with', 'adds'])],
    doors.map((one) => [
      one.door === 'ingest' ? 'acknowledgement of one event' : one.door,
      one.without.requests + one.with.requests,
      ...figures.flatMap((name) =>
        [one.without[name], one.with[name], one.with[name] - one.without[name]].map((value) =>
          value.toFixed(1),
        ),
      ),
    ]),
  );
  console.log(
    `${queryTimes.length} queries, median ${quantile(queryTimes, 0.5).toFixed(0)} ms. ` +
      `Load average ${loadavg()
        .map((value) => value.toFixed(2))
        .join(' ')}`,
  );
  saveResults('isolation', { options, load_average: loadavg(), doors, query_ms: queryTimes });
}
