import type {
  DefinitionChanges,
  ExecutionDetail,
  ExecutionFilter,
  ExecutionReference,
  ExecutionSummary,
  RunEvent,
  StateSnapshot,
  VersionChange,
} from '@rollcall/client/contract';
import type { Database } from '../../platform/database/port.ts';
import type { Rows } from '../../platform/http/page.ts';
import { Problem } from '../../platform/problem.ts';
import type { ComparisonSide } from './compare.ts';
import type { StoredSpan } from './read-spans.ts';
import type { TimelineSource } from './timeline.ts';

/** Rows that one answer holds at most. */
const DETAIL_NODES = 1_000;
const TIMELINE_NODES = 5_000;
const TIMELINE_SPANS = 5_000;
/** Bytes of attributes or states that one answer holds at most, as JSON text. */
const PAGE_BYTES = 8_000_000;

/** Which execution: ours or its own system's id, the latter within an instance where one is named. */
export interface ExecutionName {
  id: string;
  instance_id?: string | undefined;
}

export interface RunEventFilter {
  level?: string | undefined;
  name?: string | undefined;
  node_name?: string | undefined;
}

export interface VersionFilter {
  instance_id?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
}

interface Ambiguous {
  candidates: (ExecutionReference & { instance_id: string | null })[];
  of?: 'left' | 'right';
}

export const executionReadsStore = (database: Database) => {
  /** @throws Problem 404; 409 with the candidates when several executions could be meant */
  async function one<Result extends object>(name: string, args: Record<string, unknown>) {
    const result = await database.call<Result | Ambiguous>(name, args);
    if ('candidates' in result) throw ambiguous(result);
    return result;
  }

  const named = (tenant: string, { id, instance_id }: ExecutionName) => ({
    p_tenant: tenant,
    p_id: id,
    p_instance: instance_id ?? null,
  });

  return {
    list: (tenant: string, filter: ExecutionFilter, limit: number, after: unknown[] | null) =>
      database.call<Rows<ExecutionSummary>>('list_executions', {
        p_tenant: tenant,
        p_filter: filter,
        p_limit: limit,
        p_after: after,
      }),

    get: (tenant: string, name: ExecutionName) =>
      one<ExecutionDetail>('get_execution', { ...named(tenant, name), p_nodes: DETAIL_NODES }),

    timeline: (tenant: string, name: ExecutionName) =>
      one<TimelineSource>('get_execution_timeline', {
        ...named(tenant, name),
        p_nodes: TIMELINE_NODES,
        p_spans: TIMELINE_SPANS,
      }),

    spans: (tenant: string, name: ExecutionName, limit: number, after: unknown[] | null) =>
      one<Rows<StoredSpan>>('list_execution_spans', {
        ...named(tenant, name),
        p_limit: limit,
        p_bytes: PAGE_BYTES,
        p_after: after,
      }),

    events: (
      tenant: string,
      name: ExecutionName,
      filter: RunEventFilter,
      limit: number,
      after: unknown[] | null,
    ) =>
      one<Rows<RunEvent>>('list_execution_events', {
        ...named(tenant, name),
        p_filter: filter,
        p_limit: limit,
        p_after: after,
      }),

    /** `before`: the snapshot that the first one of the page follows. */
    states: (tenant: string, name: ExecutionName, limit: number, after: unknown[] | null) =>
      one<Rows<Omit<StateSnapshot, 'diff'>> & { before: { state: unknown } | null }>(
        'list_execution_states',
        { ...named(tenant, name), p_limit: limit, p_bytes: PAGE_BYTES, p_after: after },
      ),

    comparison: (tenant: string, left: ExecutionName, right: ExecutionName) =>
      one<{ left: ComparisonSide; right: ComparisonSide; changes: DefinitionChanges }>(
        'get_execution_comparison',
        {
          p_tenant: tenant,
          p_left: left.id,
          p_left_instance: left.instance_id ?? null,
          p_right: right.id,
          p_right_instance: right.instance_id ?? null,
          p_nodes: TIMELINE_NODES,
          p_bytes: PAGE_BYTES,
        },
      ),

    versionChanges: (
      tenant: string,
      workflow: string,
      filter: VersionFilter,
      limit: number,
      after: unknown[] | null,
    ) =>
      database.call<Rows<VersionChange>>('list_version_changes', {
        p_tenant: tenant,
        p_workflow: workflow,
        p_filter: filter,
        p_limit: limit,
        p_after: after,
      }),
  };
};

export type ExecutionReadsStore = ReturnType<typeof executionReadsStore>;

function ambiguous({ candidates, of }: Ambiguous): Problem {
  const path = of ? `query.${of}` : 'path.id';
  const instance = of ? `${of}_instance_id` : 'instance_id';
  const message = `Several executions have this id. Give ${instance}, or the id of the one you mean: \`candidates\` holds them.`;
  return new Problem(409, 'ambiguous_execution', {
    detail: message,
    errors: [{ path, code: 'ambiguous_execution', message }],
    members: { candidates },
  });
}
