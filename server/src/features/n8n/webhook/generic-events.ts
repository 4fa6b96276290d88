import {
  ENTITY_STATES,
  HEALTH_STATUSES,
  type EntityState,
  type ExecutionReport,
  type HealthStatus,
  type ReportedStatus,
} from '@rollcall/client/contract';
import { count, field, id, isFields, moment, momentOf, ownUuid, present, text } from './fields.ts';
import type { Fields, Heard, Reading, Refusal } from './heard.ts';
import { wordsOf, type WorkflowSaying } from './workflow-words.ts';

const STATES = new Map<string, EntityState | undefined>([
  ['created', undefined],
  ['registered', undefined],
  ['updated', undefined],
  ['saved', undefined],
  ['state', undefined],
  ['activated', 'active'],
  ['published', 'active'],
  ['deactivated', 'inactive'],
  ['unpublished', 'inactive'],
  ['archived', 'archived'],
  ['unarchived', 'inactive'],
  ['deleted', 'deleted'],
  ['removed', 'deleted'],
]);

const RUNS = new Map<string, ReportedStatus>([
  ['queued', 'queued'],
  ['started', 'running'],
  ['running', 'running'],
  ['resumed', 'running'],
  ['waiting', 'waiting'],
  ['success', 'success'],
  ['succeeded', 'success'],
  ['completed', 'success'],
  ['finished', 'success'],
  ['error', 'error'],
  ['failed', 'error'],
  ['crashed', 'crashed'],
  ['cancelled', 'cancelled'],
  ['canceled', 'cancelled'],
]);

/** Names as people write them: `workflow.created`, `workflow_created`, `Workflow Created`, `workflowCreated`. */
export const eventName = (item: unknown): string | undefined =>
  text(item, 120, 'event', 'event_type', 'eventType', 'type', 'action');

const wordsIn = (name: string): string[] =>
  name
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter(Boolean);

/**
 * An event in nobody's format but an obvious one: a name, a workflow, and perhaps a run, either side by side or in a
 * `workflow` and an `execution` of their own. Without a name, a workflow with a name, nodes or a state is registered.
 */
export function genericEvent(item: Fields, reading: Reading): Heard | Refusal | undefined {
  const body = isFields(item.data) ? { ...item, ...item.data } : item;
  const nested = field(body, 'workflow');
  const workflow: Fields = isFields(nested) ? { ...body, ...nested, workflow_id: nested.id } : body;
  const workflow_id = id(workflow, 'workflow_id', 'workflowId');
  if (!workflow_id) return undefined;
  const at = momentOf(body, reading, 'timestamp', 'occurred_at', 'ts', 'time');
  if (typeof at !== 'string') return at;
  const instance_id = id(body, 'instance_id', 'instanceId') ?? reading.instance_id;
  const given = ownUuid(item);
  const name = eventName(item);
  const said = name === undefined ? undefined : wordsIn(name);
  const isTimed = ['timestamp', 'occurred_at', 'ts', 'time'].some(
    (key) => field(body, key) !== undefined,
  );
  const heard: Heard = {
    name: name ?? 'workflow',
    handling: 'applied',
    at,
    ...(given ? { id: given, identity: given } : isTimed && { identity: JSON.stringify(item) }),
    ...(instance_id && { instance_id }),
  };
  const report = runIn(said, body, { workflow, workflow_id, at, instance_id, reading });
  if (report) return { ...heard, reports: [report] };
  const saying = changeIn(said, workflow, workflow_id);
  return saying && { ...heard, workflows: [wordsOf(saying, at, 1)] };
}

interface Told {
  workflow: Fields;
  workflow_id: string;
  at: string;
  instance_id: string | undefined;
  reading: Reading;
}

function runIn(
  name: string[] | undefined,
  body: Fields,
  { workflow, workflow_id, at, instance_id, reading }: Told,
): ExecutionReport | undefined {
  const nested = field(body, 'execution');
  const run: Fields = isFields(nested) ? { ...body, ...nested, execution_id: nested.id } : body;
  const execution_id = id(run, 'execution_id', 'executionId');
  const word = text(run, 64, 'status')?.toLowerCase() ?? name?.at(-1) ?? '';
  const status = RUNS.get(word);
  if (!execution_id || !status) return undefined;
  const error = field(run, 'error');
  const message =
    text(error, 2_000, 'message') ?? text(run, 2_000, 'error', 'error_message', 'errorMessage');
  const type = text(error, 255, 'name', 'type');
  const ended = !['queued', 'running', 'waiting'].includes(status);
  return present<ExecutionReport>({
    execution_id,
    instance_id,
    workflow_id,
    workflow_name: text(workflow, 255, 'workflow_name', 'workflowName', 'name'),
    status,
    mode: text(run, 64, 'mode'),
    started_at: moment(run.started_at ?? run.startedAt) ?? (word === 'started' ? at : undefined),
    completed_at: ended
      ? (moment(run.completed_at ?? run.stoppedAt ?? run.finished_at) ?? at)
      : undefined,
    duration_ms: count(run, 'duration_ms', 'durationMs'),
    at,
    source: 'webhook',
    last_node: text(run, 255, 'last_node', 'lastNodeExecuted'),
    error: message ? { message: reading.redactor.text(message), ...(type && { type }) } : undefined,
  });
}

function changeIn(
  name: string[] | undefined,
  workflow: Fields,
  workflow_id: string,
): WorkflowSaying | undefined {
  const stated = text(workflow, 32, 'state', 'current_state', 'new_state')?.toLowerCase();
  const health = text(workflow, 32, 'health_status')?.toLowerCase();
  const nodes = Array.isArray(workflow.nodes) ? (workflow.nodes as unknown[]) : undefined;
  const title = text(workflow, 255, 'workflow_name', 'workflowName', 'name');
  const change = name?.at(-1);
  const isChange = change !== undefined && name?.[0] === 'workflow' && STATES.has(change);
  const isPlain =
    name === undefined && [stated, health, nodes, title].some((one) => one !== undefined);
  if (!isChange && !isPlain) return undefined;
  const state =
    (isChange ? STATES.get(change) : undefined) ??
    ENTITY_STATES.find((known) => known === stated) ??
    activeIn(workflow);
  return present<WorkflowSaying>({
    workflow_id,
    present: state !== 'deleted',
    register: true,
    name: title,
    description: text(workflow, 2_000, 'description'),
    state,
    cause: name ? name.join('.') : 'told',
    health: HEALTH_STATUSES.find((known): known is HealthStatus => known === health),
    version_id: id(workflow, 'version_id', 'versionId'),
    tags: tagsIn(workflow.tags),
    json: nodes && { id: workflow_id, nodes, connections: workflow.connections ?? {} },
  });
}

function activeIn({ active }: Fields): EntityState | undefined {
  return typeof active === 'boolean' ? (active ? 'active' : 'inactive') : undefined;
}

/** Texts, or n8n's objects with a name. */
function tagsIn(tags: unknown): string[] | undefined {
  if (!Array.isArray(tags)) return undefined;
  return tags
    .slice(0, 100)
    .flatMap((tag: unknown) => text({ tag }, 120, 'tag') ?? text(tag, 120, 'name') ?? []);
}
