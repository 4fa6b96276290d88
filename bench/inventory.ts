import { readdirSync, readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Connection } from '../client/src/contract/index.ts';
import {
  n8nExecution,
  n8nWorkflow,
  startN8nServer,
  type N8nServerWorkflow,
} from '../test/rollcall/n8n-server.ts';
import { seededRandom } from './events.ts';
import { cpuSeconds, processTree } from './processes.ts';
import { printTable, saveResults, thousands } from './report.ts';
import { makeDataDir, removeDataDir, startRollcall } from './rollcall-server.ts';

const { values: options } = parseArgs({
  options: {
    workflows: { type: 'string', default: '5000' },
    executions: { type: 'string', default: '500' },
    changed: { type: 'string', default: '50' },
  },
});
const size = Number(options.workflows);
const TARGET_SECONDS = 10;
const FIXTURES = new URL('../test/fixtures/workflows/', import.meta.url);
const random = seededRandom(11);
const any = <Item>(items: Item[]): Item => items[Math.floor(random() * items.length)] as Item;

interface FixtureNode {
  name: string;
  [field: string]: unknown;
}

/** Nodes as people make them, with their parameters: of the real workflows among the tests' fixtures. */
const parts = readdirSync(FIXTURES)
  .filter((name) => name.endsWith('.json'))
  .flatMap((name) => {
    const text = readFileSync(new URL(name, FIXTURES), 'utf8');
    return (JSON.parse(text) as { nodes?: FixtureNode[] }).nodes ?? [];
  });

/** 20 to 40 such nodes in a line behind a webhook. */
function realisticWorkflow(place: number): N8nServerWorkflow {
  const workflow = n8nWorkflow(`bench${String(place).padStart(12, '0')}`);
  const nodes = Array.from({ length: 18 + Math.floor(random() * 21) }, (_, index) => ({
    ...any(parts),
    id: `node-${place}-${index}`,
    name: `Step ${index}`,
  }));
  const chain = ['Webhook', ...nodes.map(({ name }) => name), 'Slack'];
  const connections = Object.fromEntries(
    chain
      .slice(0, -1)
      .map((name, index) => [
        name,
        { main: [[{ node: chain[index + 1], type: 'main', index: 0 }]] },
      ]),
  );
  return { ...workflow, nodes: [...workflow.nodes, ...nodes], connections };
}

const n8n = await startN8nServer(
  Array.from({ length: size }, (_, place) => realisticWorkflow(place)),
);
n8n.executions = Array.from({ length: Number(options.executions) }, (_, place) =>
  n8nExecution(Number(options.executions) - place, any(n8n.workflows).id),
);

/** The stand-in shares the machine with what is measured: it has the pages of the first inventory ready. */
function preparePages(): void {
  for (let first = 0; first < size; first += n8n.pageSize) {
    const cursor = (place: number) => Buffer.from(String(place)).toString('base64');
    const next = first + n8n.pageSize;
    const query =
      first === 0
        ? 'limit=250&excludePinnedData=true$'
        : `cursor=${encodeURIComponent(cursor(first))}$`;
    n8n.fail(new RegExp(`^GET .*/workflows\\?.*${query}`), {
      status: 200,
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: JSON.stringify({
        data: n8n.workflows.slice(first, next),
        nextCursor: next < size ? cursor(next) : null,
      }),
    });
  }
}
preparePages();
const megabytes = Buffer.byteLength(JSON.stringify(n8n.workflows)) / 1e6;
const nodeCount = n8n.workflows.reduce((sum, { nodes }) => sum + nodes.length, 0);

const dataDir = makeDataDir();
const server = await startRollcall({ dataDir });
const loadBefore = loadavg()[0] ?? 0;

async function api<Answer>(method: string, path: string, body?: object): Promise<Answer> {
  const response = await fetch(server.url + path, {
    method,
    headers: { authorization: `Bearer ${server.key}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
  const answer = (await response.json()) as Answer;
  if (!response.ok) throw new Error(JSON.stringify(answer));
  return answer;
}

const PATH = '/api/v1/n8n/connections';
/** As the command line does. */
const POLL_MS = 250;

/** Seconds of CPU. */
interface Cpu {
  server: number;
  database: number;
}

function cpuUsed(): Cpu {
  const [own, ...below] = processTree(server.pid);
  return { server: cpuSeconds([own as number]), database: cpuSeconds(below) };
}

/** Seconds from asking for an inventory to its end, as somebody who waits for it sees them. */
async function timed(
  ask: () => Promise<string>,
): Promise<{ seconds: number; cpu: Cpu; seen: Connection }> {
  const began = performance.now();
  const before = cpuUsed();
  const id = await ask();
  for (;;) {
    const seen = await api<Connection>('GET', `${PATH}/${id}`);
    if (seen.last_error) throw new Error(seen.last_error.detail);
    if (seen.sync.state === 'idle') {
      const used = cpuUsed();
      const cpu = {
        server: used.server - before.server,
        database: used.database - before.database,
      };
      return { seconds: (performance.now() - began) / 1000, cpu, seen };
    }
    await pause(POLL_MS);
  }
}

let id = '';
const connect = async () => {
  const body = { base_url: n8n.url, api_key: n8n.key };
  id = (await api<Connection>('POST', PATH, body)).id;
  return id;
};
const again = async () => {
  await api('POST', `${PATH}/${id}/sync`);
  return id;
};

try {
  const rounds = [{ name: 'first, all of them', ...(await timed(connect)) }];
  rounds.push({ name: 'again, nothing changed', ...(await timed(again)) });
  for (const workflow of n8n.workflows.slice(0, Number(options.changed))) workflow.name += ' v2';
  n8n.workflows.splice(-Number(options.changed));
  const name = `again, ${options.changed} changed and ${options.changed} gone`;
  rounds.push({ name, ...(await timed(again)) });
  const load = { before: loadBefore, after: loadavg()[0] ?? 0 };
  printTable(
    `Inventory of ${thousands(size)} workflows (${thousands(nodeCount)} nodes, ${megabytes.toFixed(0)} MB) through n8n's API; load ${load.before.toFixed(1)} before, ${load.after.toFixed(1)} after`,
    [
      'inventory',
      'seconds',
      'CPU s of the server',
      'of the database',
      'workflows',
      'applied',
      'gone',
      'executions',
    ],
    rounds.map(({ name: round, seconds, cpu, seen: { last_result: result } }) => [
      round,
      seconds.toFixed(2),
      cpu.server.toFixed(2),
      cpu.database.toFixed(2),
      result?.workflows ?? 0,
      result?.applied ?? 0,
      result?.vanished_count ?? 0,
      result?.executions ?? 0,
    ]),
  );
  const first = rounds[0]?.seconds ?? NaN;
  console.log(
    `Target: all of them in under ${TARGET_SECONDS} s: ${first < TARGET_SECONDS ? 'met' : 'MISSED'}`,
  );
  saveResults('inventory', {
    workflows: size,
    nodes: nodeCount,
    megabytes,
    load,
    target_seconds: TARGET_SECONDS,
    rounds: rounds.map(({ name: round, seconds, cpu, seen }) => ({
      name: round,
      seconds,
      cpu_seconds: cpu,
      result: { ...seen.last_result, vanished: undefined },
    })),
  });
} finally {
  await server.stop();
  await n8n.stop();
  await removeDataDir(dataDir);
}
