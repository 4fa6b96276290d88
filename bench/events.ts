import { Buffer } from 'node:buffer';

/** One event as a column-to-value record; ids are marks that `Stamp` fills in anew for every request. */
export type EventRow = Record<string, string | number | object>;

const SOURCES = 50;
const TARGETS = 20;
const MODELS = ['claude-sonnet-4-5', 'gpt-5-mini', 'gemini-2.5-flash'];
const OPERATIONS = [
  'tools/call search',
  'tools/call fetch',
  'HTTP Request',
  'AI Agent',
  'Postgres',
];

/** A small seeded generator (mulberry32): runs are alike, and cheap. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const lognormal = (random: () => number, median: number, spread: number): number =>
  median *
  Math.exp(spread * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()));

/** Marks of `group`: where one stands, `Stamp` writes an id; the same mark always gets the same one. */
const uuidMark = (group: number) => `rrrrrrrr-0000-4000-8000-${String(group).padStart(12, '0')}`;
const traceMark = (group: number) => `rrrrrrrr000000000000${String(group).padStart(12, '0')}`;
const executionMark = (group: number) => `x${String(group).padStart(12, '0')}`;

/** Groups from here on are of runs. */
const RUN_GROUPS = 1_000_000;
const EVENTS_A_RUN = 5;

export interface Pair {
  source: string;
  target: string;
  protocol: 'mcp' | 'n8n' | 'http';
}

/** Any of 50 workflows calling any of 20 servers, sub-workflows and services, all alike. */
export function anyPair(random: () => number): Pair {
  const target = Math.floor(random() * TARGETS);
  const [kind, protocol] =
    target < 12
      ? (['mcp-server', 'mcp'] as const)
      : target < 17
        ? (['sub-workflow', 'n8n'] as const)
        : (['service', 'http'] as const);
  return {
    source: `workflow-${Math.floor(random() * SOURCES)}`,
    target: `${kind}-${target}`,
    protocol,
  };
}

/**
 * `count` events as an n8n fleet with MCP servers sends them: about 20 fields each, durations lognormal, one
 * correlation id and execution to five events, one in twenty failed.
 */
export function makeEvents(
  count: number,
  random: () => number,
  timeOf: (index: number) => Date,
  pairOf: (random: () => number) => Pair = anyPair,
): EventRow[] {
  return Array.from({ length: count }, (_, index) => {
    const { source, target, protocol } = pairOf(random);
    const run = RUN_GROUPS + Math.floor(index / EVENTS_A_RUN);
    const failed = random() < 0.05;
    const usesModel = random() < 0.5;
    const tokens = Math.round(lognormal(random, 900, 0.8));
    return {
      event_id: uuidMark(index),
      timestamp: timeOf(index).toISOString(),
      protocol,
      source_id: source,
      target_id: target,
      operation: OPERATIONS[Math.floor(random() * OPERATIONS.length)] as string,
      status: failed ? (random() < 0.7 ? 'error' : 'timeout') : 'success',
      duration_ms: Math.round(lognormal(random, 180, 1.1) * 1000) / 1000,
      ...(usesModel && {
        tokens_used: tokens,
        cost_micros: tokens * 3,
        currency: 'USD',
        model: MODELS[Math.floor(random() * MODELS.length)],
      }),
      correlation_id: uuidMark(run),
      trace_id: traceMark(run),
      workflow_id: source,
      execution_id: executionMark(run),
      user_id: `user-${Math.floor(random() * 200)}`,
      project_id: 'default',
      ...(failed && {
        error_type: 'NodeApiError',
        error_message: 'The service answered 502 Bad Gateway after 3 attempts',
      }),
      metadata: {
        workflow_name: `Nightly sync of ${source}`,
        node_name: 'Call the tool',
        mode: 'trigger',
        instance_id: 'n8n-production-1',
        item_count: Math.ceil(random() * 40),
      },
    };
  });
}

const MARKS = /rrrrrrrr-0000-4000-8000-(\d{12})|rrrrrrrr000000000000(\d{12})|x(\d{12})/g;
const HEX = Buffer.from('0123456789abcdef');

interface Place {
  /** Where eight random hex digits go; -1 for none. */
  random: number;
  /** Where the counter's twelve hex digits go. */
  counter: number;
}

/**
 * Bytes with the marks of `makeEvents` in them, and the way to turn the marks into fresh ids in place: a
 * request costs its sender a few writes per event and no serialisation.
 */
export class Stamp {
  readonly bytes: Buffer;
  readonly #groups: { places: Place[]; ofRun: boolean }[];
  /** How often in a row a run's ids stay: requests of fewer events than a run has. */
  readonly #kept: number;
  #renewals = 0;

  constructor(text: string) {
    this.bytes = Buffer.from(text, 'latin1');
    const groups = new Map<string, Place[]>();
    for (const match of text.matchAll(MARKS)) {
      const group = match[1] ?? match[2] ?? match[3] ?? '';
      const counter = match.index + match[0].length - 12;
      const place = { random: match[3] === undefined ? match.index : -1, counter };
      groups.set(group, [...(groups.get(group) ?? []), place]);
    }
    this.#groups = [...groups].map(([group, places]) => ({
      places,
      ofRun: Number(group) >= RUN_GROUPS,
    }));
    const events = this.#groups.filter(({ ofRun }) => !ofRun).length;
    this.#kept = Math.max(1, Math.floor(EVENTS_A_RUN / Math.max(1, events)));
  }

  /** Writes ids that no other call with the same `fresh` has written. */
  renew(fresh: FreshIds): Buffer {
    const keepRuns = this.#renewals++ % this.#kept !== 0;
    for (const { places, ofRun } of this.#groups) {
      if (ofRun && keepRuns) continue;
      const random = fresh.random();
      const count = fresh.next++;
      for (const place of places) {
        if (place.random >= 0) writeHex(this.bytes, place.random, 8, random);
        writeHex(this.bytes, place.counter, 12, count);
      }
    }
    return this.bytes;
  }
}

export interface FreshIds {
  /** Random digits come first, so that ids land anywhere in an index, as version 4 UUIDs do. */
  random: () => number;
  next: number;
}

/** @param start ids of two sources with starts that are 2^36 apart never meet */
export function freshIds(start: number): FreshIds {
  const random = seededRandom(start ^ Date.now());
  return { random: () => Math.floor(random() * 4_294_967_296), next: start };
}

function writeHex(bytes: Buffer, offset: number, digits: number, value: number): void {
  let rest = value;
  for (let at = offset + digits - 1; at >= offset; at--) {
    const next = Math.floor(rest / 16);
    bytes[at] = HEX[rest - next * 16] as number;
    rest = next;
  }
}
