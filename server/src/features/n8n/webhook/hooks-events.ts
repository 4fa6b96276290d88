import type { EntityState, ExecutionReport, N8nWorkflowKind } from '@rollcall/client/contract';
import { fieldErrors, REPORT } from '../../../platform/http/validate.ts';
import { pickedOutline } from '../outline.ts';
import { present, tooEarly } from './fields.ts';
import type { Heard, Reading, Refusal, WorkflowWords } from './heard.ts';
import { HooksEventSchema, type HooksEvent, type HooksWorkflow } from './hooks-events.schema.ts';
import { wordsOf, type WorkflowSaying } from './workflow-words.ts';

/** What the kind says of the state, whatever the workflow in it says. */
const STATES: Partial<Record<N8nWorkflowKind, EntityState>> = {
  'workflow.activated': 'active',
  'workflow.deactivated': 'inactive',
  'workflow.archived': 'archived',
  'workflow.unarchived': 'inactive',
  'workflow.deleted': 'deleted',
};

/** An event of the hooks package, checked field by field. */
export function hooksEvent(item: unknown, reading: Reading): Heard | Refusal {
  const parsed = HooksEventSchema.safeParse(item, REPORT);
  if (!parsed.success) {
    const [{ path, code, message } = UNREADABLE] = fieldErrors(parsed.error);
    return { path: path === 'body' ? '' : path, code, message };
  }
  const event = parsed.data;
  return tooEarly(event.occurred_at, 'occurred_at', reading.now) ?? heardOf(event, reading);
}

const UNREADABLE: Refusal = { path: '', code: 'invalid', message: 'is not an event' };

function heardOf(event: HooksEvent, reading: Reading): Heard | Refusal {
  const at = new Date(event.occurred_at).toISOString();
  const heard: Heard = {
    name: event.kind,
    handling: 'applied',
    at,
    id: event.id,
    identity: event.id,
    instance_id: event.instance_id,
    ...(event.n8n_version && { n8n_version: event.n8n_version }),
  };
  switch (event.kind) {
    case 'execution.started':
    case 'execution.finished':
      return { ...heard, reports: [reportOf(event)] };
    case 'inventory':
      return inventory(event, heard, reading);
    case 'hooks.status': {
      const { started_at, last_error, ...counts } = event.hooks;
      const hooks = { ...counts, last_error: last_error && reading.redactor.text(last_error) };
      const role = event.instance_role ?? 'main';
      const { hooks_version } = event;
      return { ...heard, process: { role, started_at, hooks_version, hooks: present(hooks) } };
    }
    default: {
      const saying = { ...sayingOf(event.workflow), ...sayingOfKind(event.kind, event.workflow) };
      return { ...heard, workflows: [wordsOf(saying, at, 1)] };
    }
  }
}

/** Whoever writes executions judges it. */
const reportOf = ({ report, instance_id }: Extract<HooksEvent, { report: object }>) =>
  ({ ...report, instance_id, source: 'hooks' }) as unknown as ExecutionReport;

function inventory(
  { inventory: told }: Extract<HooksEvent, { kind: 'inventory' }>,
  heard: Heard,
  { now }: Reading,
): Heard | Refusal {
  const { id, page, pages, complete } = told;
  const early = tooEarly(told.started_at, 'inventory.started_at', now);
  if (early) return early;
  // What it holds was so at the latest when it began: a change while it is read is told by an event of its own.
  const started_at = new Date(told.started_at).toISOString();
  return {
    ...heard,
    page: { inventory_id: id, started_at, page, pages: complete ? (pages ?? page) : null },
    workflows: told.workflows.map((workflow): WorkflowWords => {
      const state = stateOf(workflow);
      const saying = { ...sayingOf(workflow), inventory: id, ...(state && { state }) };
      return wordsOf({ ...saying, cause: 'inventory' }, started_at, 0);
    }),
  };
}

function sayingOf(workflow: HooksWorkflow): WorkflowSaying {
  const { id, project, nodes, connections = {}, settings = {}, definition } = workflow;
  return present<WorkflowSaying>({
    workflow_id: id,
    present: true,
    register: true,
    name: workflow.name || undefined,
    version_id: workflow.version_id,
    active_version_id: workflow.active_version_id,
    trigger_count: workflow.trigger_count,
    node_count: workflow.node_count,
    tags: workflow.tags?.filter((tag) => tag !== ''),
    project: project && present({ id: project.id, name: project.name, type: project.type }),
    definition: definition && ((definition === 'stored' && workflow.definition_hash) || null),
    json: nodes && { id, nodes, connections, settings },
    outline:
      definition === 'stored' && workflow.definition_hash
        ? pickedOutline(workflow, workflow.definition_hash)
        : undefined,
  });
}

function sayingOfKind(kind: N8nWorkflowKind, workflow: HooksWorkflow): Partial<WorkflowSaying> {
  const gone = kind === 'workflow.deleted';
  // A new workflow is not published yet.
  const unsaid = kind === 'workflow.created' ? 'inactive' : undefined;
  const state = STATES[kind] ?? stateOf(workflow) ?? unsaid;
  return { present: !gone, cause: kind, ...(state && { state }) };
}

function stateOf({ active, is_archived }: HooksWorkflow): EntityState | undefined {
  if (is_archived) return 'archived';
  return active === undefined ? undefined : active ? 'active' : 'inactive';
}
