import {
  editWorkflow,
  WorkflowFormatError,
  type GapFixOutcome,
  type GapFixResult,
} from '@rollcall/client/contract';
import type { Clock } from '../../platform/clock.ts';
import { Problem } from '../../platform/problem.ts';
import type { Author, FixesStore, N8nFix, N8nPlan } from './fixes.store.ts';
import { sameWorkflow, workflowChanges, type StoredWorkflow } from './workflow-changes.ts';

/** What fixes ask of a connected n8n. It throws a Problem; one of 404 means that there is no such workflow. */
export interface FixableN8n {
  getWorkflow(id: string): Promise<StoredWorkflow>;
  /** What n8n keeps of an earlier version. */
  getVersion(id: string, version: string): Promise<Pick<StoredWorkflow, 'nodes' | 'connections'>>;
  updateWorkflow(id: string, workflow: StoredWorkflow): Promise<StoredWorkflow>;
  activate(id: string): Promise<StoredWorkflow>;
  deactivate(id: string): Promise<StoredWorkflow>;
}

/** What fixes in n8n ask of those who know n8n. */
export interface N8nAccess {
  /** The connection to an instance; undefined when there is none. */
  find(tenant: string, instanceId: string): Promise<FixableN8n | undefined>;
  /** Tells the registry of a workflow as n8n has it now. */
  tell(author: Author, instanceId: string, workflow: StoredWorkflow, now: Date): Promise<void>;
}

/** After these nobody knows whether n8n did what it was asked. */
const OUTCOME_UNKNOWN = new Set(['n8n_unreachable', 'n8n_busy']);

/**
 * Fixes that n8n carries out. A request to n8n cannot be part of a transaction, so the record goes first: `pending`
 * with the workflow as it was, then n8n is asked, then the outcome is kept. What fell between stays `pending`. What n8n
 * has before and after is told to the registry at once, so that the check that follows judges by it.
 */
export function fixesInN8n(store: FixesStore, { find, tell }: N8nAccess, clock: Clock) {
  async function open(tenant: string, instanceId: string): Promise<FixableN8n> {
    const n8n = await find(tenant, instanceId);
    if (n8n) return n8n;
    throw new Problem(409, 'no_connection', {
      detail: `Rollcall has no connection to the n8n instance ${instanceId}. Connect it first: POST /api/v1/n8n/connections.`,
    });
  }

  async function fix(author: Author, plan: N8nPlan, dryRun: boolean): Promise<GapFixResult> {
    const { action, summary, gap } = plan;
    const { instance_id, workflow_id } = plan.arguments;
    const n8n = await open(author.tenant, instance_id);
    const before = await n8n.getWorkflow(workflow_id);
    if (action !== 'reactivate') refuseDraft(before);
    const after = await edited(n8n, before, plan);
    const changes = workflowChanges(entityOf(workflow_id), before, after);
    if (changes.length === 0) throw nothingToChange(plan);
    const said = { action, summary, changes };
    if (dryRun) return { ...said, dry_run: true, fix_id: null, status: null, gap };
    // A moment earlier, for of two words of one moment none is the later one.
    await tell(author, instance_id, before, new Date(clock().getTime() - 1));
    const texts = { before: JSON.stringify(before), after: JSON.stringify(after), changes };
    const begun = await store.begin(author, plan, texts, clock());
    const done = await carryOut(author, begun.fix.id, instance_id, () =>
      apply(n8n, { action, from: before, to: after }),
    );
    return { ...said, dry_run: false, fix_id: done.fix.id, status: done.fix.status, gap: done.gap };
  }

  /** Asks n8n and keeps what came of it. @throws Problem with the id of the fix, whose record says the same */
  async function carryOut(
    author: Author,
    fixId: string,
    instanceId: string,
    ask: () => Promise<StoredWorkflow>,
    status: 'done' | 'undone' = 'done',
  ): Promise<GapFixOutcome> {
    let workflow: StoredWorkflow;
    try {
      workflow = await ask();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const unknown = OUTCOME_UNKNOWN.has(error.code) || status === 'undone';
      // A failed undo leaves the fix as it was.
      if (status === 'done') {
        const outcome = { status: unknown ? 'pending' : 'failed', error: error.message } as const;
        await store.finish(author, fixId, outcome, clock());
      }
      throw new Problem(error.status, error.code, {
        detail: unknown
          ? `${error.message} The fix ${fixId} can be retried, or undone.`
          : error.message,
        ...(error.errors && { errors: error.errors }),
        members: { fix_id: fixId },
        cause: error,
      });
    }
    return keep(author, fixId, instanceId, workflow, status);
  }

  /** Tells what n8n has now, and then what became of the fix. */
  async function keep(
    author: Author,
    fixId: string,
    instanceId: string,
    workflow: StoredWorkflow,
    status: 'done' | 'undone',
  ): Promise<GapFixOutcome> {
    await tell(author, instanceId, workflow, clock());
    const outcome = { status, ...(status === 'done' && { workflow: JSON.stringify(workflow) }) };
    return store.finish(author, fixId, outcome, clock());
  }

  /** Puts the version before the fix back, unless somebody has changed it since. */
  async function undo(author: Author, kept: N8nFix): Promise<GapFixOutcome> {
    const { id, action, arguments: to } = kept.fix;
    const { n8n, before, after, now } = await compare(author, kept);
    if (sameWorkflow(now, before)) return keep(author, id, to.instance_id, now, 'undone');
    if (!sameWorkflow(now, after)) throw changedSince(kept, after, now);
    return carryOut(
      author,
      id,
      to.instance_id,
      () => restore(n8n, { action, from: after, to: before }),
      'undone',
    );
  }

  /** Finds out what became of a pending fix, and does it if n8n has not. */
  async function retry(author: Author, kept: N8nFix): Promise<GapFixOutcome> {
    const { id, action, arguments: to } = kept.fix;
    const { n8n, before, after, now } = await compare(author, kept);
    const isDone = sameWorkflow(now, after);
    if (isDone && !isDraft(now)) return keep(author, id, to.instance_id, now, 'done');
    if (!isDone && !sameWorkflow(now, before)) throw changedSince(kept, after, now);
    return carryOut(author, id, to.instance_id, () =>
      apply(n8n, { action, from: before, to: after }),
    );
  }

  async function compare({ tenant }: Author, { fix: kept, ...workflow }: N8nFix) {
    const { instance_id, workflow_id } = kept.arguments;
    const n8n = await open(tenant, instance_id);
    return {
      n8n,
      before: JSON.parse(workflow.workflow_before) as StoredWorkflow,
      after: JSON.parse(workflow.workflow_after) as StoredWorkflow,
      now: await n8n.getWorkflow(workflow_id),
    };
  }

  return { fix, undo, retry };
}

const entityOf = (workflow_id: string) => ({ entity_type: 'workflow', entity_id: workflow_id });

async function edited(
  n8n: FixableN8n,
  workflow: StoredWorkflow,
  { action, arguments: { version = '', credential } }: N8nPlan,
): Promise<StoredWorkflow> {
  if (action === 'reactivate') return { ...workflow, active: true };
  if (action === 'restore') {
    const { nodes, connections } = await n8n.getVersion(workflow.id, version);
    return { ...workflow, nodes, connections };
  }
  try {
    return editWorkflow({ workflow, options: { credential } }).workflow as StoredWorkflow;
  } catch (error) {
    if (!(error instanceof WorkflowFormatError)) throw error;
    const detail = `n8n's workflow cannot be instrumented: ${error.message}.`;
    throw new Problem(422, 'not_a_workflow', { detail, cause: error });
  }
}

/** Whether what runs is another version than the one that is shown. */
const isDraft = ({ active, versionId, activeVersionId }: StoredWorkflow): boolean =>
  active && typeof activeVersionId === 'string' && activeVersionId !== versionId;

/** n8n publishes what it is given: somebody's unfinished work would go live with it. */
function refuseDraft(workflow: StoredWorkflow): void {
  if (!isDraft(workflow)) return;
  throw new Problem(409, 'unpublished_changes', {
    detail: `${workflow.name} has changes in n8n that are not published, and would be with this fix. Publish or discard them first.`,
  });
}

type Change = { action: N8nPlan['action']; from: StoredWorkflow; to: StoredWorkflow };

const apply = (n8n: FixableN8n, { action, from, to }: Change) =>
  action === 'reactivate' ? n8n.activate(to.id) : updated(n8n, from, to);

const restore = (n8n: FixableN8n, { action, from, to }: Change) =>
  action === 'reactivate' ? n8n.deactivate(to.id) : updated(n8n, from, to);

/** Asked again, for n8n completes what it is given, and the undo compares with what it keeps. */
async function updated(n8n: FixableN8n, from: StoredWorkflow, to: StoredWorkflow) {
  try {
    await n8n.updateWorkflow(to.id, to);
  } catch (error) {
    if (error instanceof Problem && !OUTCOME_UNKNOWN.has(error.code)) await takeBack(n8n, from);
    throw error;
  }
  return n8n.getWorkflow(to.id);
}

/** What n8n refuses to publish it keeps as a draft, which somebody would publish unawares. */
async function takeBack(n8n: FixableN8n, workflow: StoredWorkflow): Promise<void> {
  const now = await n8n.getWorkflow(workflow.id).catch(() => workflow);
  if (sameWorkflow(now, workflow)) return;
  // Refused like the first, and kept like it.
  await n8n.updateWorkflow(workflow.id, workflow).catch(() => undefined);
}

function nothingToChange({ action, arguments: { workflow_id }, gap }: N8nPlan): Problem {
  const reasons: Record<N8nPlan['action'], string> = {
    instrument: `n8n's workflow ${workflow_id} has Rollcall's nodes already, or no trigger to put them behind. The gap closes when it first reports.`,
    restore: `Nodes and connections of n8n's workflow ${workflow_id} are those of the registered version; what differs are its settings.`,
    reactivate: `n8n has ${workflow_id} active already. The next check of this ${gap.kind} gap goes by that.`,
  };
  return new Problem(409, 'nothing_to_change', { detail: reasons[action] });
}

function changedSince({ fix }: N8nFix, after: StoredWorkflow, now: StoredWorkflow): Problem {
  const fields = workflowChanges(entityOf(fix.arguments.workflow_id), after, now).map(
    ({ field }) => field,
  );
  const message = `The workflow was changed in n8n since: ${fields.slice(0, 10).join(', ')}.`;
  return new Problem(409, 'changed_since', {
    detail: `${message} Put it right in n8n; its history of versions has the one before.`,
    errors: fields.slice(0, 20).map((path) => ({ path, code: 'changed_since', message })),
  });
}
