import { parseArgs } from 'node:util';
import { run } from './equal-table.ts';
import { freshIds, makeEvents, seededRandom, Stamp } from './events.ts';
import { makeFleet } from './fleet.ts';
import { median, printTable, quantile, saveResults, thousands } from './report.ts';
import { makeDataDir, removeDataDir, startRollcall } from './rollcall-server.ts';

const { values: options } = parseArgs({
  options: {
    /** Stored events at which to measure. */
    events: { type: 'string', default: '100000,1000000' },
    entities: { type: 'string', default: '10000' },
    requests: { type: 'string', default: '200' },
  },
});
const stages = options.events.split(',').map(Number);

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
  { name: 'gap check', method: 'POST', path: '/api/v1/gaps/check' },
  { name: 'entities', path: '/api/v1/entities' },
  { name: 'entities, text search', path: '/api/v1/entities?text=nightly%20workflow' },
  { name: 'one entity', path: '/api/v1/entities/workflow/workflow-7' },
  { name: 'telemetry, newest', path: '/api/v1/telemetry' },
  { name: 'telemetry of one source', path: '/api/v1/telemetry?source_id=workflow-7' },
];

const dataDir = makeDataDir();
const server = await startRollcall({ dataDir });
const authorization = { Authorization: `Bearer ${server.key}` };
try {
  const fleet = makeFleet(Number(options.entities));
  await registerAll();
  const measured: { events: number; name: string; times: number[] }[] = [];
  const send = sender();
  for (const [index, events] of stages.entries()) {
    await send(events - (stages[index - 1] ?? 0));
    measured.push(...(await ask()).map((one) => ({ ...one, events })));
  }
  report(measured);

  async function registerAll(): Promise<void> {
    const began = performance.now();
    for (let at = 0; at < fleet.entities.length; at += 500) {
      const some = JSON.stringify(fleet.entities.slice(at, at + 500)).replaceAll("'", "''");
      await run(
        server.databaseUrl,
        `select count(rollcall_api.register_entity('default', e, 'bench'))
           from jsonb_array_elements('${some}') e`,
      );
    }
    log(`${thousands(fleet.entities.length)} entities registered`, began);
  }

  /** Sends events in the order of their time, evenly over the day before the run, the newest stage last. */
  function sender() {
    const random = seededRandom(1);
    const fresh = freshIds(1);
    const end = Date.now() - 1000;
    return async (count: number): Promise<void> => {
      const began = performance.now();
      let sent = 0;
      await Promise.all(
        Array.from({ length: SENDERS }, async () => {
          while (sent < count) {
            const from = sent;
            sent += BATCH;
            const timeOf = (index: number) =>
              new Date(end - DAY_MS + ((from + index) / count) * DAY_MS);
            const events = makeEvents(BATCH, random, timeOf, fleet.pairOf);
            const body = new Stamp(JSON.stringify(events)).renew(fresh);
            const answer = await fetch(`${server.url}/api/v1/telemetry`, {
              method: 'POST',
              headers: { ...authorization, 'Content-Type': 'application/json' },
              body,
            });
            const { accepted } = (await answer.json()) as { accepted: number };
            if (accepted !== BATCH) throw new Error(`${answer.status}: ${accepted} accepted`);
          }
        }),
      );
      log(`${thousands(count)} events more`, began);
    };
  }
} finally {
  await server.stop();
  await removeDataDir(dataDir);
}

function log(what: string, began: number): void {
  console.log(`${what} in ${((performance.now() - began) / 1000).toFixed(1)} s`);
}

/** Every question in turn, over and over, one at a time. */
async function ask(): Promise<{ name: string; times: number[] }[]> {
  const asked = QUESTIONS.map((question) => ({ ...question, times: [] as number[] }));
  const warmUp = 5;
  for (let round = 0; round < Number(options.requests) + warmUp; round++) {
    for (const { method = 'GET', path, times } of asked) {
      const began = performance.now();
      const answer = await fetch(server.url + path, { method, headers: authorization });
      const body = await answer.text();
      if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${body}`);
      if (round >= warmUp) times.push(performance.now() - began);
    }
  }
  return asked;
}

function report(measured: { events: number; name: string; times: number[] }[]): void {
  const ms = (times: number[], share: number) => quantile(times, share).toFixed(1);
  printTable(
    `Dashboards with ${thousands(Number(options.entities))} entities, milliseconds over HTTP`,
    ['question', ...stages.flatMap((events) => [`${thousands(events)}: median`, 'p95']), 'target'],
    QUESTIONS.map(({ name, target }) => [
      name,
      ...stages.flatMap((events) => {
        const { times = [] } =
          measured.find((one) => one.name === name && one.events === events) ?? {};
        return [ms(times, 0.5), ms(times, 0.95)];
      }),
      target ? `< ${target}` : '',
    ]),
  );
  saveResults('dashboards', {
    options,
    questions: measured.map(({ times, ...rest }) => ({
      ...rest,
      median: median(times),
      p95: quantile(times, 0.95),
    })),
  });
}
