import type { RunStatus } from '@rollcall/client/contract';
import type { Database } from '../../platform/database/port.ts';
import type { Run } from './gather.ts';

/** What was written of a run; the counts are of new rows. */
export interface Written {
  id: string;
  status: RunStatus;
  created: boolean;
  changed: boolean;
  nodes: number;
  spans: number;
  events: number;
  states: number;
}

/** Nothing was written: these runs, by their numbers from 1, are one each, and are to be sent as one. */
export interface SameRuns {
  same: number[][];
}

/** Nothing was written: executions have to be united, which is done by a call of its own that nobody runs beside. */
export interface NeedsToBeAlone {
  alone: true;
}

export const executionsStore = (database: Database) => ({
  /** One transaction for all of them; answers in their order. */
  ingest: ingestInto(database, knownNames()),

  markLost: (tenant: string, now: Date, afterSeconds: number) =>
    database.call<{ lost: number }>('mark_lost_executions', {
      p_tenant: tenant,
      p_now: now.toISOString(),
      p_after_seconds: afterSeconds,
    }),

  enforceRetention: (tenant: string, now: Date, days: number) =>
    database.call<{ deleted: number; more: boolean }>('delete_old_executions', {
      p_tenant: tenant,
      p_before: new Date(now.getTime() - days * 86_400_000).toISOString(),
    }),

  dropSpans: (now: Date, days: number) =>
    database.call<{ dropped: string[] }>('drop_old_spans', {
      p_before: new Date(now.getTime() - days * 86_400_000).toISOString(),
    }),
});

export type ExecutionsStore = ReturnType<typeof executionsStore>;

function ingestInto(database: Database, known: ReturnType<typeof knownNames>) {
  const ingest = async (
    tenant: string,
    runs: Run[],
    alone = keysIn(runs) > KEYS_BESIDE_OTHERS,
  ): Promise<Written[] | SameRuns> => {
    const names = namesOf(runs).filter((name) => !known.has(tenant, name));
    const written = await database.call<Written[] | SameRuns | NeedsToBeAlone>(
      'ingest_executions',
      {
        p_tenant: tenant,
        p_runs: runs.map((run, index) => ({
          n: index + 1,
          keys: [...run.keys],
          instance_id: run.instance_id,
          execution_id: run.execution_id,
          workflow_id: run.workflow_id,
          said: run.said,
          sources: [...run.sources],
          first_at: run.first_at,
          last_at: run.last_at,
          node_tokens: [...run.rows.nodes.values()].some((node) => node.tokens_used != null),
        })),
        p_nodes: numbered(runs, ({ nodes }) => nodes),
        p_marks: numbered(runs, ({ marks }) => marks),
        p_names: names,
        p_spans: numbered(runs, ({ spans }) => spans),
        p_events: numbered(runs, ({ events }) => events),
        p_states: numbered(runs, ({ states }) => states),
        p_days: [...new Set(runs.flatMap(({ rows }) => [...rows.spans.values()].map(dayOf)))],
        p_alone: alone,
      },
    );
    if (!Array.isArray(written)) return 'alone' in written ? ingest(tenant, runs, true) : written;
    for (const name of names) known.add(tenant, name);
    return written;
  };
  return (tenant: string, runs: Run[]) => ingest(tenant, runs);
}

/** Each is a lock of its own in the database; calls with more hold all of the tenant's. */
const KEYS_BESIDE_OTHERS = 500;

const keysIn = (runs: Run[]): number => runs.reduce((sum, { keys }) => sum + keys.size, 0);

const numbered = (runs: Run[], of: (rows: Run['rows']) => Map<unknown, object>): object[] =>
  runs.flatMap(({ rows }, index) =>
    [...of(rows).values()].map((row) => ({ n: index + 1, ...row })),
  );

interface NodeName {
  workflow_id: string;
  node_name: string;
  node_id: string;
}

/** Names whose ids were stored by this process: most reports tell nothing new. Forgets all when it has grown large. */
function knownNames(most = 50_000) {
  const ids = new Map<string, string>();
  const keyOf = (tenant: string, { workflow_id, node_name }: NodeName) =>
    JSON.stringify([tenant, workflow_id, node_name]);
  return {
    has: (tenant: string, name: NodeName) => ids.get(keyOf(tenant, name)) === name.node_id,
    add(tenant: string, name: NodeName) {
      if (ids.size >= most) ids.clear();
      ids.set(keyOf(tenant, name), name.node_id);
    },
  };
}

/** What nodes are called and which id they have, each once. */
function namesOf(runs: Run[]): NodeName[] {
  const names = new Map<string, NodeName>();
  for (const { rows } of runs) {
    for (const row of [...rows.nodes.values(), ...rows.marks.values()]) {
      const { workflow_id, node_name, node_id } = row as Partial<NodeName>;
      if (node_id !== undefined && node_name !== undefined) {
        const name = { workflow_id, node_name, node_id } as NodeName;
        names.set(JSON.stringify([workflow_id, node_name]), name);
      }
    }
  }
  return [...names.values()];
}

/** In UTC, as partitions are. */
const dayOf = (span: object): string => {
  const { started_at } = span as { started_at: string };
  return (started_at.endsWith('Z') ? started_at : new Date(started_at).toISOString()).slice(0, 10);
};
