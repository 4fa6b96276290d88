import type { NodeExecutionReport, ReportedStatus } from '../../client/src/contract/index.ts';
import { amount, count, field, id, keys, lengthOf, list, moment, text } from './read.ts';
import { redactedCopy } from './redact.ts';
import { pickError } from './run-errors.ts';
import { modelUsage, tracedTokens } from './tokens.ts';

/** Runs of nodes that are told of one execution; of more, the first and the last. */
const MOST_RUNS = 1_000;
/** Runs that are looked at. */
const MOST_SEEN = 20_000;
const MOST_NODES = 2_000;
const MOST_OUTPUTS = 100;
const MOST_SOURCES = 20;
/** What n8n does with a node's `maxTries`. */
const TRIES = { least: 2, most: 5, unsaid: 3 };
const PAYLOAD_CHARACTERS = 8_000;

const STATUSES: ReadonlySet<string> = new Set([
  'new',
  'running',
  'success',
  'error',
  'crashed',
  'canceled',
  'waiting',
  'unknown',
]);

export interface NodeRuns {
  runs: NodeExecutionReport[];
  /** How many more there were. */
  omitted: number;
  tokens: number | undefined;
}

interface Seen {
  name: string;
  index: number;
  entry: unknown;
}

/** n8n's own word for a status; undefined when it is none. */
export function statusOf(value: unknown): ReportedStatus | undefined {
  return typeof value === 'string' && STATUSES.has(value) ? (value as ReportedStatus) : undefined;
}

/**
 * The node runs in `runData`: when, how long, how many items, from which nodes, and how it ended. `nodes` are the
 * workflow's. Items themselves are counted and not read, unless `payloads` asks for their beginning.
 */
export function pickNodeRuns(runData: unknown, nodes: unknown, payloads: boolean): NodeRuns {
  const { seen, total } = allRuns(runData);
  const kept =
    seen.length <= MOST_RUNS
      ? seen
      : [...seen.slice(0, MOST_RUNS / 2), ...seen.slice(-MOST_RUNS / 2)];
  const byName = new Map(
    list(nodes, MOST_NODES).map((node) => [field(node, 'name'), node] as const),
  );
  const runs = kept.map((one) => {
    const usage = modelUsage(one.entry);
    return { told: runOf(one, runData, byName.get(one.name), payloads), usage, entry: one.entry };
  });
  const modelsTell = runs.some(({ usage }) => usage.tokens !== undefined);
  for (const { told, usage, entry } of runs) {
    const tokens = modelsTell ? usage.tokens : tracedTokens(entry);
    if (tokens !== undefined) told.tokens_used = tokens;
    if (usage.model !== undefined) told.model = usage.model;
  }
  const tokens = runs.flatMap(({ told }) => told.tokens_used ?? []);
  return {
    runs: runs.map(({ told }) => told),
    omitted: total - kept.length,
    tokens: tokens.length === 0 ? undefined : tokens.reduce((sum, value) => sum + value, 0),
  };
}

/** In the order in which they began; `total` counts those that are too many to look at, too. */
function allRuns(runData: unknown): { seen: Seen[]; total: number } {
  const seen: Seen[] = [];
  let total = 0;
  for (const name of keys(runData, MOST_NODES)) {
    const told = field(runData, name);
    total += lengthOf(told) ?? 0;
    const entries = list(told, MOST_SEEN - seen.length);
    for (const [index, entry] of entries.entries()) seen.push({ name, index, entry });
  }
  const began = new Map(seen.map((one) => [one, amount(field(one.entry, 'startTime'), 1e15) ?? 0]));
  seen.sort((one, other) => (began.get(one) ?? 0) - (began.get(other) ?? 0));
  return { seen, total };
}

function runOf(
  { name, index, entry }: Seen,
  runData: unknown,
  node: unknown,
  payloads: boolean,
): NodeExecutionReport {
  const started = amount(field(entry, 'startTime'), 1e15);
  const duration = amount(field(entry, 'executionTime'));
  const error = pickError(field(entry, 'error'));
  const status = statusOf(field(entry, 'executionStatus')) ?? (error ? 'error' : 'success');
  const isOver = started !== undefined && duration !== undefined && status !== 'waiting';
  const sources = list(field(entry, 'source'), MOST_SOURCES);
  return {
    node_id: id(field(node, 'id')),
    node_name: text(name, 255) ?? '?',
    node_type: text(field(node, 'type'), 255),
    run_index: index,
    attempts: status === 'error' ? triesOf(node) : undefined,
    status,
    started_at: moment(started),
    completed_at: isOver ? moment(started + duration) : undefined,
    duration_ms: duration,
    items_in: itemsIn(sources, runData),
    items_out: itemsOut(field(entry, 'data')),
    previous_nodes: previousNodes(sources),
    child_execution_id: id(field(entry, 'metadata', 'subExecution', 'executionId')),
    error,
    metadata: payloads ? payloadOf(field(entry, 'data', 'main')) : undefined,
  };
}

/** A node that retries and failed has used all of its tries; one that succeeded leaves no trace of them. */
function triesOf(node: unknown): number | undefined {
  if (field(node, 'retryOnFail') !== true) return undefined;
  const most = amount(field(node, 'maxTries')) || TRIES.unsaid;
  return Math.round(Math.min(TRIES.most, Math.max(TRIES.least, most)));
}

function itemsOut(data: unknown): number | undefined {
  const [other] = keys(data, 1);
  const outputs = field(data, 'main') ?? (other === undefined ? undefined : field(data, other));
  if (lengthOf(outputs) === undefined) return undefined;
  return list(outputs, MOST_OUTPUTS).reduce(
    (sum: number, items) => sum + (lengthOf(items) ?? 0),
    0,
  );
}

/** What the nodes before it put out there; undefined when one of them cannot be told. */
function itemsIn(sources: unknown[], runData: unknown): number | undefined {
  let sum: number | undefined;
  for (const source of sources) {
    const name = field(source, 'previousNode');
    if (typeof name !== 'string') continue;
    const run = count(field(source, 'previousNodeRun')) ?? 0;
    const output = count(field(source, 'previousNodeOutput')) ?? 0;
    const items = lengthOf(field(runData, name, run, 'data', 'main', output));
    if (items === undefined) return undefined;
    sum = (sum ?? 0) + items;
  }
  return sum;
}

function previousNodes(sources: unknown[]): string[] | undefined {
  const names = sources.flatMap((source) => text(field(source, 'previousNode'), 255) ?? []);
  return names.length === 0 ? undefined : [...new Set(names)];
}

/** The first item of each output: its JSON, small and redacted. */
function payloadOf(outputs: unknown): Record<string, unknown> | undefined {
  const first = list(outputs, 10).map((items) => redactedCopy(field(items, 0, 'json')));
  const output = JSON.stringify(first).length <= PAYLOAD_CHARACTERS ? first : '[too large]';
  return first.length === 0 ? undefined : { output };
}
