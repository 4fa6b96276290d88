import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { memoryOf, type Memory } from './memory.ts';
import { npmStart } from './npm-start.ts';
import { findTemplate } from '../server/src/platform/database/template.ts';
import { median, printTable, saveResults } from './report.ts';
import {
  makeDataDir,
  removeDataDir,
  startRollcall,
  type ServerOptions,
} from './rollcall-server.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    /** Seconds without a request before memory is looked at. */
    rest: { type: 'string', default: '20' },
  },
});

const TARGET_MS = { new: 3_000, old: 1_500 };
const TARGET_MB = 250;

interface Started {
  pid: number;
  startMs: number;
  stop(): Promise<void>;
}

/** A way to start, on a folder in which a server has run (old) or not. A first start has no compile cache. */
interface Way {
  name: string;
  folder: 'new' | 'old';
  first?: true;
  start: (options: ServerOptions) => Promise<Started>;
}

const NODE = 'node server/bin/rollcall.js start';
const WAYS: Way[] = [
  { name: `${NODE}, new folder, first start`, folder: 'new', first: true, start: startRollcall },
  { name: `${NODE}, new folder`, folder: 'new', start: startRollcall },
  { name: `${NODE}, old folder`, folder: 'old', start: startRollcall },
  { name: 'npm start, new folder, first start', folder: 'new', first: true, start: npmStart },
  { name: 'npm start, old folder', folder: 'old', start: npmStart },
];

interface AtRest extends Memory {
  server: Memory;
}

const load = (): number => loadavg()[0] ?? NaN;
const loadBefore = load();
const starts: { round: number; way: string; ms: number }[] = [];
const oldFolder = makeDataDir();
const compiled = makeCompileCache();
try {
  // Makes the old folder's database, and fills the compile cache.
  await startAndStop(startRollcall, oldFolder, compiled);
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const way of WAYS) {
      const ms = await time(way);
      starts.push({ round, way: way.name, ms });
      console.log(`round ${round + 1}: ${way.name}: ${ms.toFixed(0)} ms`);
    }
  }
  const newFolder = makeDataDir();
  const memory = {
    'new folder': await restOn(newFolder).finally(() => removeDataDir(newFolder)),
    'old folder': await restOn(oldFolder),
  };
  const load_average = { before: loadBefore, after: load() };
  report(memory);
  console.log(`Load average ${loadBefore.toFixed(1)} before, ${load().toFixed(1)} after`);
  const copied = (await findTemplate()) !== undefined;
  console.log(
    `New folders ${copied ? 'got a copy of the database that npm ci made' : 'were made by initdb: no npm ci since the schema changed'}`,
  );
  saveResults('startup', { options, load_average, copied, starts, memory });
} finally {
  await removeDataDir(oldFolder);
  rmSync(compiled, { recursive: true });
}

/** Milliseconds from starting the process to the first 200 of /healthz. */
async function time({ folder, first, start }: Way): Promise<number> {
  const dataDir = folder === 'old' ? oldFolder : makeDataDir();
  const cache = first ? makeCompileCache() : compiled;
  try {
    return await startAndStop(start, dataDir, cache);
  } finally {
    if (folder === 'new') await removeDataDir(dataDir);
    if (first) rmSync(cache, { recursive: true });
  }
}

async function startAndStop(start: Way['start'], dataDir: string, cache: string): Promise<number> {
  const server = await start({ dataDir, environment: { NODE_COMPILE_CACHE: cache } });
  await server.stop();
  return server.startMs;
}

/** What the server and its database hold when nobody has asked anything for a while. */
async function restOn(dataDir: string): Promise<AtRest> {
  const server = await startRollcall({ dataDir, environment: { NODE_COMPILE_CACHE: compiled } });
  try {
    await new Promise((resolve) => setTimeout(resolve, Number(options.rest) * 1000));
    return { ...memoryOf(server.pid), server: memoryOf(server.pid, 'alone') };
  } finally {
    await server.stop();
  }
}

function makeCompileCache(): string {
  return mkdtempSync(join(tmpdir(), 'rollcall-bench-compiled-'));
}

function report(memory: Record<string, AtRest>): void {
  printTable(
    'Milliseconds from starting the process to the first 200 of /healthz',
    ['', 'median', 'least', 'most', 'target'],
    WAYS.map(({ name, folder }) => {
      const times = starts.filter(({ way }) => way === name).map(({ ms }) => ms);
      return [
        name,
        ...[median(times), Math.min(...times), Math.max(...times)].map((ms) => ms.toFixed(0)),
        `< ${TARGET_MS[folder]}`,
      ];
    }),
  );
  printTable(
    `Server and database at rest for ${options.rest} s, MB (target: below ${TARGET_MB})`,
    ['', 'sum of RSS', 'sum of PSS', 'RSS of the server', 'processes'],
    Object.entries(memory).map(([name, { rss, pss, server, processes }]) => [
      name,
      ...[rss, pss, server.rss].map((megabytes) => megabytes.toFixed(0)),
      processes,
    ]),
  );
}
