import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { N8nLifecycleEvent, N8nWorkflow } from '../../client/src/contract/index.ts';
import { pickExecution } from '../../hooks/src/execution.ts';
import { pickStoredWorkflow, pickWorkflow } from '../../hooks/src/workflow.ts';

interface Recorded {
  hook: string;
  at: string;
  args?: unknown[];
}

const FILE = new URL('../fixtures/n8n-2.41/hooks.ndjson', import.meta.url);

export interface Origin {
  instance_id: string;
  /** ISO 8601. */
  occurred_at: string;
}

/** What all events of the hooks package have. */
export const originOf = ({ instance_id, occurred_at }: Origin) => ({
  id: randomUUID(),
  occurred_at,
  instance_id,
  instance_role: 'main' as const,
  n8n_version: '2.41.1',
  hooks_version: '0.1.0',
});

/**
 * The events that the hooks package makes of what a real n8n 2.41.1 handed to its hooks, in order, moved in time so that
 * the first one is at `start`.
 */
export function recordedEvents(instance_id: string, start: Date): N8nLifecycleEvent[] {
  const lines = readFileSync(FILE, 'utf8').trim().split('\n');
  const recorded = lines.map((line) => JSON.parse(line) as Recorded);
  const shift = start.getTime() - Date.parse(recorded[0]?.at ?? '');
  const moved = (at: string) => new Date(Date.parse(at) + shift).toISOString();
  return recorded.flatMap(({ hook, at, args = [] }) => {
    const body = bodyOf(hook, args, at);
    if (!body) return [];
    const event = { ...originOf({ instance_id, occurred_at: at }), ...body };
    const text = JSON.stringify(event).replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, moved);
    return [JSON.parse(text) as N8nLifecycleEvent];
  });
}

function bodyOf(hook: string, args: unknown[], at: string): object | undefined {
  const change = CHANGES[hook];
  if (change) {
    const [kind, pick] = change;
    const workflow = pick(args[0]);
    return workflow && { kind, workflow };
  }
  if (hook !== 'workflow.postExecute') return undefined;
  const report = pickExecution(args[0], args[1], args[2], { at, payloads: false });
  return report && { kind: 'execution.finished', report };
}

const CHANGES: Record<string, [string, (told: unknown) => N8nWorkflow | undefined]> = {
  'workflow.afterCreate': ['workflow.created', pickStoredWorkflow],
  'workflow.afterUpdate': ['workflow.updated', pickStoredWorkflow],
  'workflow.activate': ['workflow.activated', withoutState],
  'workflow.deactivate': ['workflow.deactivated', withoutState],
};

function withoutState(told: unknown): N8nWorkflow | undefined {
  const workflow = pickWorkflow(told);
  if (workflow) delete workflow.active;
  return workflow;
}
