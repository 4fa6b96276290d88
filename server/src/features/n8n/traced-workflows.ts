import type { Clock } from '../../platform/clock.ts';
import type { Database } from '../../platform/database/port.ts';
import type { Word } from './webhook/heard.ts';

/** A workflow as a traced run of it tells. */
export interface TracedWorkflow {
  workflow_id: string;
  workflow_name: string | null;
  /** n8n's `versionId` of what ran. */
  version: string | null;
  /** Whether that is the version that n8n runs on its own, and not somebody's draft. */
  is_published: boolean;
  instance_id: string | null;
  n8n_version: string | null;
  n8n_project_id: string | null;
  node_count: number | null;
  /** When the run began. */
  seen_at: string;
}

interface Teller {
  tenant: string;
  project: string;
  actor: string;
}

const TOLD_AT_MOST = 20_000;
/** What is known already is told again this often, for it also says that the workflow is still there. */
const AGAIN_MS = 600_000;
const NOWHERE = '';

/**
 * Tells the registry of n8n's workflows what traced runs say of them: that they are there, under which name, in which
 * instance, project and version. Resolves after that is stored; most runs tell nothing new and cost nothing.
 */
export function tracedWorkflows(database: Database, clock: Clock) {
  const told = new Map<string, { facts: string; at: number }>();

  return async function tell(teller: Teller, workflows: TracedWorkflow[]): Promise<void> {
    const now = clock().getTime();
    const news = new Map<string, { workflow: TracedWorkflow; facts: string }>();
    for (const workflow of workflows) {
      const key = JSON.stringify([teller.tenant, workflow.instance_id, workflow.workflow_id]);
      const facts = JSON.stringify({ ...workflow, seen_at: undefined });
      const known = told.get(key);
      if (known?.facts !== facts || now - known.at > AGAIN_MS) news.set(key, { workflow, facts });
    }
    if (news.size === 0) return;
    await record([...news.values()].map(({ workflow }) => workflow));
    if (told.size + news.size > TOLD_AT_MOST) told.clear();
    for (const [key, { facts }] of news) told.set(key, { facts, at: now });

    async function record(fresh: TracedWorkflow[]): Promise<void> {
      await database.call('record_lifecycle', {
        p_tenant: teller.tenant,
        p_now: new Date(now).toISOString(),
        p_events: [],
        p_instances: fresh.flatMap(({ instance_id, n8n_version, seen_at }) =>
          instance_id === null ? [] : [{ instance_id, n8n_version, at: seen_at }],
        ),
        p_processes: [],
        p_pages: [],
        p_words: fresh.map((workflow) => ({
          instance_id: workflow.instance_id ?? NOWHERE,
          workflow_id: workflow.workflow_id,
          said: wordsOf(workflow),
          facts_at: null,
          facts: null,
          project: teller.project,
          actor: teller.actor,
        })),
        p_definitions: [],
      });
    }
  };
}

/**
 * That it runs, it says for certain. What it was when it ran yields to what n8n itself tells of the stored workflow,
 * whenever that was: so these words are dated in seconds where others are in microseconds.
 */
function wordsOf(workflow: TracedWorkflow): Record<string, Word> {
  const { workflow_name, version, is_published, n8n_project_id, node_count, seen_at } = workflow;
  const time = Date.parse(seen_at);
  const weak = (value: unknown): Word => [Math.floor(time / 1000), 0, value];
  return {
    present: [time * 1000, 0, true],
    ...(workflow_name === null ? {} : { name: weak(workflow_name) }),
    ...(version === null ? {} : { version_id: weak(version) }),
    ...(version === null || !is_published ? {} : { active_version_id: weak(version) }),
    ...(n8n_project_id === null ? {} : { project: weak({ id: n8n_project_id }) }),
    ...(node_count === null ? {} : { node_count: weak(node_count) }),
  };
}
