import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { run } from './equal-table.ts';
import { freshIds, makeEvents, seededRandom, Stamp } from './events.ts';
import { makeFleet, type Fleet } from './fleet.ts';
import { median, printTable, quantile, saveResults, thousands } from './report.ts';
import {
  makeDataDir,
  removeDataDir,
  startRollcall,
  type RollcallServer,
} from './rollcall-server.ts';

const { values: options } = parseArgs({
  options: {
    /** Stored events at which to measure, each in a database of its own. */
    events: { type: 'string', default: '100000,1000000' },
    entities: { type: 'string', default: '10000' },
    requests: { type: 'string', default: '200' },
  },
});
const sizes = options.events.split(',').map(Number);

const BATCH = 2_000;
const SENDERS = 4;
const DAY_MS = 86_400_000;

/** What a dashboard asks; those with a target are what the issue names. */
const QUESTIONS: { name: string; method?: string; path: string; target?: number }[] = [
  { name: 'overview, last hour', path: '/api/v1/overview', target: 50 },
  { name: 'overview, last day', path: '/api/v1/overview?window_seconds=86400', target: 50 },
  { name: 'top pairs, last day', path: '/api/v1/pairs', target: 50 },
  { name: 'top pairs, last hour', path: '/api/v1/pairs?window_seconds=3600', target: 50 },
  { name: 'patterns, last day', path: '/api/v1/patterns' },
  { name: 'patterns of one source', path: '/api/v1/patterns?source_id=workflow-7' },
  { name: 'gaps', path: '/api/v1/gaps', target: 50 },
  { name: 'gaps, silent ones', path: '/api/v1/gaps?kind=silent', target: 50 },
  { name: 'gaps, stuck ones', path: '/api/v1/gaps?kind=stuck', target: 50 },
  { name: 'gap check', method: 'POST', path: '/api/v1/gaps/check' },
  { name: 'entities by name', path: '/api/v1/entities' },
  { name: 'entities, newest', path: '/api/v1/entities?sort=created_at' },
  { name: 'entities with a tag', path: '/api/v1/entities?tag=finance' },
  { name: 'entities with a capability', path: '/api/v1/entities?capability=app:slack' },
  {
    name: 'entities of a type and health',
    path: '/api/v1/entities?entity_type=agent&health_status=degraded',
  },
  { name: 'entities, text search', path: '/api/v1/entities?text=nightly%20workflow' },
  { name: 'entities, text of few', path: '/api/v1/entities?text=workflow-77' },
  { name: 'one entity', path: '/api/v1/entities/workflow/workflow-7' },
  { name: 'telemetry, newest', path: '/api/v1/telemetry' },
  { name: 'telemetry of one source', path: '/api/v1/telemetry?source_id=workflow-7' },
];

interface Measured {
  events: number;
  name: string;
  times: number[];
}

const load = [sayLoad()];
const measured: Measured[] = [];
for (const events of sizes) measured.push(...(await measure(events)));
load.push(sayLoad());
report();

/** Fills a new database and asks every question in turn, over and over, one at a time. */
async function measure(events: number): Promise<Measured[]> {
  const dataDir = makeDataDir();
  const server = await startRollcall({ dataDir });
  try {
    const fleet = makeFleet(Number(options.entities));
    await timed(`${thousands(fleet.entities.length)} entities registered`, register(server, fleet));
    await timed(`${thousands(events)} events sent`, send(server, fleet, events));
    await timed('folded and vacuumed', settle(server));
    return (await ask(server)).map((one) => ({ ...one, events }));
  } finally {
    await server.stop();
    await removeDataDir(dataDir);
  }
}

async function register({ databaseUrl }: RollcallServer, { entities }: Fleet): Promise<void> {
  for (let at = 0; at < entities.length; at += 500) {
    const some = JSON.stringify(entities.slice(at, at + 500)).replaceAll("'", "''");
    await run(
      databaseUrl,
      `select count(rollcall_api.register_entity('default', e, 'bench'))
         from jsonb_array_elements('${some}') e`,
    );
  }
  await run(
    databaseUrl,
    `update rollcall.entities set state_since = now() - interval '2 hours' where current_state = 'deploying'`,
  );
}

/** Sends events in the order of their time, evenly over the day before now. */
async function send({ url, key }: RollcallServer, fleet: Fleet, count: number): Promise<void> {
  const random = seededRandom(1);
  const fresh = freshIds(1);
  const end = Date.now() - 1000;
  let sent = 0;
  async function sendSome(): Promise<void> {
    while (sent < count) {
      const from = sent;
      sent += BATCH;
      const timeOf = (index: number) => new Date(end - DAY_MS + ((from + index) / count) * DAY_MS);
      const events = makeEvents(BATCH, random, timeOf, fleet.pairOf);
      const answer = await fetch(`${url}/api/v1/telemetry`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
        body: new Stamp(JSON.stringify(events)).renew(fresh),
      });
      const { accepted } = (await answer.json()) as { accepted: number };
      if (accepted !== BATCH) throw new Error(`${answer.status}: ${accepted} accepted`);
    }
  }
  await Promise.all(Array.from({ length: SENDERS }, sendSome));
}

/** What the server does by itself within minutes: hours that are over folded, tables vacuumed. */
async function settle({ databaseUrl }: RollcallServer): Promise<void> {
  for (;;) {
    // The server may be folding too; one of the two does each hour.
    await run(databaseUrl, `select rollcall_api.fold_hour('default', now())`);
    const unfolded = await run(
      databaseUrl,
      `select from rollcall.telemetry_minutes m
        where m.minute < date_trunc('hour', now() - interval '2 minutes')
          and not exists (select from rollcall.telemetry_folded f where f.hour = date_trunc('hour', m.minute))
        limit 1`,
    );
    if (unfolded.length === 0) break;
  }
  await run(databaseUrl, 'vacuum analyze');
}

async function ask({ url, key }: RollcallServer): Promise<{ name: string; times: number[] }[]> {
  const asked = QUESTIONS.map((question) => ({ ...question, times: [] as number[] }));
  const warmUp = 5;
  for (let round = 0; round < Number(options.requests) + warmUp; round++) {
    for (const { method = 'GET', path, times } of asked) {
      const began = performance.now();
      const headers = { Authorization: `Bearer ${key}` };
      const answer = await fetch(url + path, { method, headers });
      const body = await answer.text();
      if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${body}`);
      if (round >= warmUp) times.push(performance.now() - began);
    }
  }
  return asked;
}

function report(): void {
  const ms = (times: number[], share: number) => quantile(times, share).toFixed(1);
  printTable(
    `Dashboards with ${thousands(Number(options.entities))} entities, milliseconds over HTTP`,
    ['question', ...sizes.flatMap((events) => [`${thousands(events)}: median`, 'p95']), 'target'],
    QUESTIONS.map(({ name, target }) => [
      name,
      ...sizes.flatMap((events) => {
        const { times = [] } =
          measured.find((one) => one.name === name && one.events === events) ?? {};
        return [ms(times, 0.5), ms(times, 0.95)];
      }),
      target ? `< ${target}` : '',
    ]),
  );
  saveResults('dashboards', {
    options,
    load_average: load,
    questions: measured.map(({ times, ...rest }) => ({
      ...rest,
      median: median(times),
      p95: quantile(times, 0.95),
    })),
  });
}

async function timed(what: string, work: Promise<void>): Promise<void> {
  const began = performance.now();
  await work;
  console.log(`${what} in ${((performance.now() - began) / 1000).toFixed(1)} s`);
}

function sayLoad(): string {
  const load = loadavg()
    .map((value) => value.toFixed(1))
    .join(' ');
  console.log(`Load average: ${load}`);
  return load;
}
