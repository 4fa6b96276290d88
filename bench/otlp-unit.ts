import { Buffer } from 'node:buffer';
import { exportedBy, n8nRun, traceId, type SpanDraft } from '../test/rollcall/otlp.ts';
import type { FreshIds } from './events.ts';

export const SPANS_PER_REQUEST = 512;
/** Two requests: the run that lies across their border begins in the one and ends in the other. */
export const REQUESTS_PER_UNIT = 2;

const WORKFLOWS = 50;
/** Far from each other and from everything else in the bytes. */
const traceMark = (group: number) => 0x1f_e1_d2_c3_b4_00 + group;
const executionMark = (group: number) => `x-mark-${String(group).padStart(6, '0')}`;

/** The spans of n8n runs with three to fourteen nodes, in the order in which n8n ends them. */
function makeSpans(count: number, random: () => number, now: number): SpanDraft[] {
  const spans: SpanDraft[] = [];
  for (let group = 0; spans.length < count; group++) {
    const workflow = Math.floor(random() * WORKFLOWS);
    const nodes = 3 + (workflow % 12);
    // The last one ran as far as there is room.
    const ran = Math.min(nodes, count - spans.length - 1);
    const run = n8nRun({
      trace: traceMark(group),
      span: group * 100 + 1,
      startedAt: now - Math.floor(random() * 30_000) - 1_000,
      workflow: `workflow-${workflow}`,
      execution: executionMark(group),
      nodes: Array.from({ length: ran }, (_, index) => `Step ${index}`),
      attributes: { 'n8n.workflow.node_count': nodes },
      status: random() < 0.05 ? 'error' : 'success',
    });
    spans.push(...run.nodes, run.workflow);
  }
  return spans;
}

interface Place {
  bytes: Buffer;
  at: number;
}

/** Requests whose traces and executions get fresh ids in place, so that sending costs no serialisation. */
export class Unit {
  readonly requests: Buffer[];
  readonly #groups: { traces: Place[]; executions: Place[] }[] = [];

  constructor(random: () => number, now: number) {
    const spans = makeSpans(SPANS_PER_REQUEST * REQUESTS_PER_UNIT, random, now);
    this.requests = Array.from({ length: REQUESTS_PER_UNIT }, (_, index) =>
      exportedBy(spans.slice(index * SPANS_PER_REQUEST, (index + 1) * SPANS_PER_REQUEST)),
    );
    const groups = new Set(spans.map(({ trace }) => trace)).size;
    for (let group = 0; group < groups; group++) {
      this.#groups.push({
        traces: this.#find(Buffer.from(traceId(traceMark(group)), 'hex')),
        executions: this.#find(Buffer.from(executionMark(group))),
      });
    }
  }

  #find(mark: Buffer): Place[] {
    return this.requests.flatMap((bytes) => {
      const places: Place[] = [];
      for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at + mark.length)) {
        places.push({ bytes, at });
      }
      return places;
    });
  }

  /** Writes ids that no other call with the same `fresh` has written. */
  renew(fresh: FreshIds): Buffer[] {
    for (const { traces, executions } of this.#groups) {
      const random = fresh.random();
      const number = BigInt(fresh.next++);
      for (const { bytes, at } of traces) {
        bytes.writeUInt32BE(random, at);
        bytes.writeUInt32BE(1, at + 4);
        bytes.writeBigUInt64BE(number, at + 8);
      }
      const text = number.toString(36).padStart(executionMark(0).length, '0');
      for (const { bytes, at } of executions) bytes.write(text, at, 'latin1');
    }
    return this.requests;
  }
}
