import type { Database } from '../../platform/database/port.ts';
import type { PlacedSpan } from './meaning.ts';

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
    const runs = new Map<string, number>();
    // Thousands of spans share a few resources.
    const resources = new Map<object, number>();
    const rows = spans.map(({ span: { duration_ms: _, resource, ...span }, run, anchor }) => {
      const origin = numberOf(resource, resources);
      if (!run) return { ...span, origin, ...(anchor ? { anchor } : {}) };
      const { execution_id, instance_id, workflow_id } = run.report;
      const key = JSON.stringify({ execution_id, instance_id, workflow_id });
      return { ...span, origin, run: numberOf(key, runs) };
    });
    const starts = spans.map(({ span }) => span.started_at).sort();
    const ends = spans.map(({ span }) => span.ended_at ?? span.started_at).sort();
    const day = (moment: string, days: number) =>
      new Date(Date.parse(moment) + days * DAY_MS).toISOString();
    return ingest.call<StoredSpans>('ingest_spans', {
      p_tenant: tenant,
      p_spans: inKeyOrder(rows),
      p_resources: [...resources].map(([resource, n]) => ({ n, resource })),
      p_runs: [...runs].map(([key, n]) => ({ n, ...(JSON.parse(key) as object) })),
      p_days: [...new Set(starts.map((start) => start.slice(0, 10)))],
      p_from: day(starts[0] as string, -1),
      p_to: day(ends.at(-1) as string, 1),
      p_rank: rank,
    });
  },
});

/** The number of a key, in order of first appearance. */
function numberOf<Key>(key: Key, numbers: Map<Key, number>): number {
  const number = numbers.get(key) ?? numbers.size;
  numbers.set(key, number);
  return number;
}

/** Two servers that store the same spans in other orders would deadlock. */
const inKeyOrder = <Row extends { trace_id: string; span_id: string }>(rows: Row[]): Row[] =>
  rows.toSorted((a, b) =>
    a.trace_id === b.trace_id ? (a.span_id < b.span_id ? -1 : 1) : a.trace_id < b.trace_id ? -1 : 1,
  );

export type OtlpStore = ReturnType<typeof otlpStore>;
