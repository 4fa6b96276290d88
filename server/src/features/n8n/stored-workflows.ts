import { randomUUID } from 'node:crypto';
import type { EntityState, N8nProject } from '@rollcall/client/contract';
import { Problem } from '../../platform/problem.ts';
import type { N8nStore } from './n8n.store.ts';
import { readWorkflow } from './read-workflow.ts';
import { count, id, present, text } from './webhook/fields.ts';
import type { WorkflowWords } from './webhook/heard.ts';
import { storableFacts, wordsOf, type WorkflowSaying } from './webhook/workflow-words.ts';

/** On whose behalf something is told. */
interface Teller {
  tenant: string;
  project: string;
  actor: string;
}

/** The state of what an inventory no longer has; not for good, for it may come back. */
const GONE = 'inventory without it';
const TAGS_AT_MOST = 1_000;

/**
 * A workflow as n8n stores it and its API answers it, in words of one moment. Undefined without an id. It is there,
 * but that alone does not register it: what nobody has registered is what gap checks look for.
 * @param project that owns it, where that is known
 * @param inventory UUID of the listing that it stands in, where it stands in one
 */
export function storedWorkflow(
  workflow: Record<string, unknown>,
  at: string,
  project?: N8nProject,
  inventory?: string,
): WorkflowWords | undefined {
  const workflow_id = id(workflow, 'id');
  if (workflow_id === undefined) return undefined;
  const state: EntityState =
    workflow.isArchived === true ? 'archived' : workflow.active === true ? 'active' : 'inactive';
  return wordsOf(
    present<WorkflowSaying>({
      workflow_id,
      present: true,
      state,
      cause: 'inventory',
      inventory,
      name: text(workflow, 255, 'name'),
      version_id: id(workflow, 'versionId'),
      active_version_id: workflow.activeVersionId === null ? null : id(workflow, 'activeVersionId'),
      trigger_count: count(workflow, 'triggerCount'),
      project,
      tags: Array.isArray(workflow.tags) ? tagsOf(workflow.tags) : undefined,
      ...definitionOf(workflow),
    }),
    at,
    0,
  );
}

/** That n8n no longer has it. */
export const vanishedWorkflow = (workflow_id: string, at: string): WorkflowWords =>
  wordsOf({ workflow_id, present: false, state: 'deleted', cause: GONE }, at, 0);

/** Tells the registry of n8n's workflows, in one transaction, what was found of an instance at a moment. */
export const recordWorkflows =
  (store: Pick<N8nStore, 'record'>) =>
  async (
    teller: Teller,
    instance_id: string,
    at: string,
    workflows: WorkflowWords[],
    now: Date,
  ) => {
    const { tenant, project, actor } = teller;
    // Not the name that the hooks give theirs: they tell of runs, too, and an inventory through the API does not.
    const name = 'connection.inventory';
    const heard = { name, handling: 'applied' as const, at, instance_id, workflows };
    await store.record(tenant, now, [{ id: randomUUID(), heard, project, actor }]);
  };

/** Tells the registry of one workflow as n8n has it at a moment. */
export const recordWorkflow = (store: Pick<N8nStore, 'record'>) => {
  const record = recordWorkflows(store);
  return async (
    { tenant, actor }: Omit<Teller, 'project'>,
    instance_id: string,
    workflow: Record<string, unknown>,
    now: Date,
  ): Promise<void> => {
    const at = now.toISOString();
    const words = storedWorkflow(workflow, at);
    if (words) await record({ tenant, actor, project: 'default' }, instance_id, at, [words], now);
  };
};

const tagsOf = (tags: unknown[]): string[] =>
  tags.slice(0, TAGS_AT_MOST).flatMap((tag) => text(tag, 255, 'name') ?? []);

function definitionOf(workflow: Record<string, unknown>): Partial<WorkflowSaying> {
  try {
    const read = readWorkflow(workflow);
    const { definition_hash, outline, metadata } = read;
    return {
      definition: definition_hash,
      facts: storableFacts(read),
      node_count: metadata.n8n.node_count,
      ...(outline && { outline }),
    };
  } catch (error) {
    // Not to be read: the rest is told, and that the definition is not known.
    if (error instanceof Problem) return { definition: null };
    throw error;
  }
}
