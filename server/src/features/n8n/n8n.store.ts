import type {
  N8nEventCount,
  N8nEventFilter,
  N8nInstance,
  N8nKnownWorkflow,
  N8nWorkflowFilter,
} from '@rollcall/client/contract';
import type { Database } from '../../platform/database/port.ts';
import type { Rows } from '../../platform/http/page.ts';
import type { Outline } from './outline.ts';
import type { Heard, Word, WorkflowFacts } from './webhook/heard.ts';

/** A heard event with the UUID it is counted under, and on whose behalf it came. */
export interface Counted {
  id: string;
  heard: Pick<
    Heard,
    'name' | 'handling' | 'at' | 'instance_id' | 'n8n_version' | 'workflows' | 'page' | 'process'
  >;
  sample?: unknown;
  project: string;
  actor: string;
}

interface WordsRow {
  instance_id: string;
  workflow_id: string;
  said: Record<string, Word>;
  facts_at: number | null;
  facts: WorkflowFacts | null;
  project: string;
  actor: string;
}

interface DefinitionRow extends Omit<Outline, 'json'> {
  workflow_id: string;
  version_id: unknown;
  /** Microseconds since 1970. */
  at: number;
  /** JSON. */
  outline: string;
}

/** Stands in the database where the sender did not know its instance. */
const NOWHERE = '';

export const n8nStore = (database: Database) => ({
  /** One transaction; answers the ids that were counted before. */
  record: (tenant: string, now: Date, events: Counted[]) =>
    database.call<{ duplicates: string[] }>('record_lifecycle', {
      p_tenant: tenant,
      p_now: now.toISOString(),
      p_events: events.map(({ id, heard, sample }) => ({
        id,
        instance_id: heard.instance_id ?? NOWHERE,
        name: heard.name,
        handling: heard.handling,
        at: heard.at,
        sample: sample ?? null,
      })),
      p_instances: instancesIn(events),
      p_processes: events.flatMap(({ heard: { process, instance_id, n8n_version, at } }) =>
        process
          ? [{ ...process, instance_id, n8n_version: n8n_version ?? null, reported_at: at }]
          : [],
      ),
      p_pages: events.flatMap(({ heard: { page, instance_id } }) =>
        page ? [{ ...page, instance_id }] : [],
      ),
      p_words: events.flatMap(wordsIn),
      p_definitions: events.flatMap(definitionsIn),
    }),

  forget: (tenant: string, before: Date) =>
    database.call<{ forgotten: number }>('forget_lifecycle', {
      p_tenant: tenant,
      p_before: before.toISOString(),
    }),

  listInstances: (tenant: string, limit: number, after: unknown[] | null) =>
    database.call<Rows<N8nInstance>>('list_instances', {
      p_tenant: tenant,
      p_limit: limit,
      p_after: after,
    }),

  listWorkflows: (
    tenant: string,
    filter: N8nWorkflowFilter,
    limit: number,
    after: unknown[] | null,
  ) =>
    database.call<Rows<N8nKnownWorkflow>>('list_instance_workflows', {
      p_tenant: tenant,
      p_filter: filter,
      p_limit: limit,
      p_after: after,
    }),

  listEvents: (tenant: string, filter: N8nEventFilter, limit: number, after: unknown[] | null) =>
    database.call<Rows<N8nEventCount>>('list_lifecycle_events', {
      p_tenant: tenant,
      p_filter: filter,
      p_limit: limit,
      p_after: after,
    }),
});

export type N8nStore = ReturnType<typeof n8nStore>;

/** What events say of instances, each thing once. */
function instancesIn(events: Counted[]): object[] {
  const seen = new Map<string, object>();
  for (const { heard } of events) {
    const { instance_id, n8n_version = null, at } = heard;
    if (instance_id === undefined) continue;
    seen.set(JSON.stringify([instance_id, n8n_version, at]), { instance_id, n8n_version, at });
  }
  return [...seen.values()];
}

const wordsIn = ({ heard, project, actor }: Counted): WordsRow[] =>
  (heard.workflows ?? []).map(({ workflow_id, said, facts }) => ({
    instance_id: heard.instance_id ?? NOWHERE,
    workflow_id,
    said,
    facts_at: facts ? (said.facts?.[0] ?? null) : null,
    facts: facts ?? null,
    project,
    actor,
  }));

const definitionsIn = ({ heard }: Counted): DefinitionRow[] =>
  (heard.workflows ?? []).flatMap(({ workflow_id, said, outline }) => {
    if (!outline) return [];
    const { definition_hash, outline_hash, json } = outline;
    return {
      workflow_id,
      version_id: said.version_id?.[2] ?? null,
      at: said.present?.[0] ?? Date.parse(heard.at) * 1000,
      definition_hash,
      outline_hash,
      outline: json,
    };
  });
