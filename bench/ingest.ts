import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { printIngest, type Cell, type Measurement } from './ingest-report.ts';
import { startSides, type Job, type Side } from './ingest-sides.ts';
import type { LoadResult } from './load.ts';
import { cpuSeconds, processTree } from './processes.ts';
import { saveResults, thousands } from './report.ts';
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
const cells: Cell[] = numbers(options.events).flatMap((eventsPerRequest) =>
  numbers(options.connections).map((connections) => ({ eventsPerRequest, connections })),
);

const WARM_UP_SECONDS = 1.5;
/** Before the first round every side takes the smallest requests for so long: Node compiles what some ten thousand have run. */
const SETTLE_SECONDS = 10;
/** Of one core; a load process that uses more may be what limits. */
const LOAD_AT_MOST = 0.8;

const load = (): number => loadavg()[0] ?? NaN;
const loadBefore = load();
const dataDir = makeDataDir();
const profiling = ['--cpu-prof', `--cpu-prof-dir=${new URL('results', import.meta.url).pathname}`];
const server = await startRollcall({ dataDir, nodeArguments: options.profile ? profiling : [] });
try {
  const { sides, stop } = await startSides(server);
  const chosen = sides.filter(({ name }) => options.sides.split(',').includes(name));
  const measurements = await measureAll(chosen).finally(stop);
  printIngest(chosen, cells, measurements);
  const busiest = Math.max(...measurements.map(({ cpu }) => cpu));
  const load_average = { before: loadBefore, after: load() };
  console.log(
    `The load process used at most ${busiest.toFixed(2)} of a core. ` +
      `Load average ${load_average.before.toFixed(1)} before, ${load_average.after.toFixed(1)} after.`,
  );
  if (busiest > LOAD_AT_MOST) throw new Error('The load process may be what limits: no result.');
  saveResults('ingest', { options, load_average, measurements });
} finally {
  await server.stop();
  await removeDataDir(dataDir);
}

/** Every side of a cell right after the other, each round beginning with another one. */
async function measureAll(sides: Side[]): Promise<Measurement[]> {
  const measurements: Measurement[] = [];
  for (const side of sides) {
    await side.clear?.();
    const settling = { number: 0, seconds: SETTLE_SECONDS, warmUpSeconds: 0 };
    await side.load({ ...settling, eventsPerRequest: 1, connections: 64 });
    await side.clear?.();
  }
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const [index, cell] of cells.entries()) {
      const turn = (round + index) % sides.length;
      for (const side of [...sides.slice(turn), ...sides.slice(0, turn)]) {
        const job = {
          ...cell,
          number: measurements.length + 1,
          seconds: Number(options.seconds),
          warmUpSeconds: WARM_UP_SECONDS,
        };
        const measured = { round, side: side.name, ...cell, ...(await measure(side, job)) };
        measurements.push(measured);
        console.log(describe(side, measured));
      }
    }
  }
  return measurements;
}

async function measure(
  side: Side,
  job: Job,
): Promise<LoadResult & Pick<Measurement, 'cores' | 'cpuPerEvent'>> {
  await side.clear?.();
  const used = () => cpuSeconds(side.roots.flatMap(processTree));
  const usedBefore = used();
  const began = performance.now();
  const result = await side.load(job);
  const cpu = used() - usedBefore;
  const stored = (await side.stored?.()) ?? result.acknowledged;
  if (stored !== result.acknowledged) {
    throw new Error(`${side.label}: ${result.acknowledged} acknowledged, ${stored} stored`);
  }
  await side.clear?.();
  return {
    ...result,
    cores: cpu / ((performance.now() - began) / 1000),
    cpuPerEvent: (cpu * 1e6) / result.acknowledged,
  };
}

function describe(side: Side, one: Measurement): string {
  return (
    `${one.eventsPerRequest} x ${one.connections} ${side.label}: ${thousands(one.eventsPerSecond)} events/s, ` +
    `p50 ${one.p50.toFixed(1)} ms, p99 ${one.p99.toFixed(1)} ms, ${one.cpuPerEvent.toFixed(0)} us of CPU an event` +
    (one.refused > 0 ? `, ${one.refused} requests sent away` : '')
  );
}
