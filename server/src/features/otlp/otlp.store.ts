import type { Database } from '../../platform/database/port.ts';
import type { Span } from './decode.ts';
import type { PlacedSpan } from './meaning.ts';
import type { WorkflowRun } from './n8n-spans.ts';

/** A run that turned out to have a parent when both were stored. */
export interface FoundParent {
  execution_id: string;
  instance_id: string | null;
  workflow_id: string;
  project_id: string;
  /** When what is known of it was so. */
  at: string;
  parent_execution_id: string;
  parent_workflow_id: string;
}

/** A node's run that told how many tokens its model used. */
export interface ModelUse {
  trace_id: string;
  span_id: string;
  started_at: string;
  /** Milliseconds; `null` while it runs. */
  duration_ms: number | null;
  status: 'unset' | 'ok' | 'error';
  attributes: Record<string, unknown>;
  workflow_id: string;
  execution_id: string | null;
  project_id: string;
  tokens_used: number;
}

export interface StoredSpans {
  /** Spans that are new. */
  stored: number;
  parents: FoundParent[];
  models: ModelUse[];
}

const DAY_MS = 86_400_000;

/** @param rank what tracing's word weighs where several tell of one run */
export const otlpStore = (ingest: Database, rank: number) => ({
  ingest(tenant: string, spans: PlacedSpan[]): Promise<StoredSpans> {
    const runs = new Map<RunReport, number>();
    // Thousands of spans share a few resources.
    const resources = new Map<object, number>();
    let [first, last] = ['9999', ''];
    const rows = spans.map(({ span: { duration_ms: _, resource, ...span }, run, anchor }) => {
      if (span.started_at < first) first = span.started_at;
      if ((span.ended_at ?? span.started_at) > last) last = span.ended_at ?? span.started_at;
      const row: Row = Object.assign(span, { origin: numberOf(resource, resources) });
      if (run) row.run = numberOf(run.report, runs);
      else if (anchor) row.anchor = anchor;
      return row;
    });
    const day = (moment: string, days: number) =>
      new Date(Date.parse(moment) + days * DAY_MS).toISOString();
    return ingest.call<StoredSpans>('ingest_spans', {
      p_tenant: tenant,
      p_spans: inKeyOrder(rows),
      p_resources: [...resources].map(([resource, n]) => ({ n, resource })),
      p_runs: [...runs].map(([{ workflow_id, execution_id, instance_id }, n]) => ({
        n,
        workflow_id,
        execution_id,
        instance_id,
      })),
      p_days: [...new Set(rows.map(({ started_at }) => started_at.slice(0, 10)))],
      p_from: day(first, -1),
      p_to: day(last, 1),
      p_rank: rank,
    });
  },
});

type RunReport = WorkflowRun['report'];

/** A span as the database takes it: with the numbers of its resource and its run. */
type Row = Omit<Span, 'duration_ms' | 'resource'> & {
  origin: number;
  run?: number;
  anchor?: string;
};

/** The number of a key, in order of first appearance. */
function numberOf<Key>(key: Key, numbers: Map<Key, number>): number {
  const number = numbers.get(key) ?? numbers.size;
  numbers.set(key, number);
  return number;
}

/** Two servers that store the same spans in other orders would deadlock. */
const inKeyOrder = (rows: Row[]): Row[] =>
  rows.toSorted((a, b) =>
    a.trace_id === b.trace_id ? (a.span_id < b.span_id ? -1 : 1) : a.trace_id < b.trace_id ? -1 : 1,
  );

export type OtlpStore = ReturnType<typeof otlpStore>;
