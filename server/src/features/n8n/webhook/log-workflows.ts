import type { EntityState } from '@rollcall/client/contract';
import { id, present, text } from './fields.ts';
import type { Effects, LogEvent } from './log-events.ts';
import { wordsOf, type WorkflowSaying } from './workflow-words.ts';

const PREFIX = 'n8n.audit.workflow.';

/** By the last part of the event's name: the state it leads to, if any. */
const CHANGES: Record<string, EntityState | undefined> = {
  created: 'inactive',
  updated: undefined,
  'version.updated': undefined,
  activated: 'active',
  deactivated: 'inactive',
  archived: 'archived',
  unarchived: 'inactive',
  deleted: 'deleted',
};

/** What an audit event says of a workflow, and not of the person who did it. */
export function workflowChange({ name, at, payload }: LogEvent): Effects | undefined {
  const change = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : '';
  const workflow_id = id(payload, 'workflowId');
  if (!Object.hasOwn(CHANGES, change) || !workflow_id) return undefined;
  const state = CHANGES[change];
  const saying = present<WorkflowSaying>({
    workflow_id,
    present: change !== 'deleted',
    // What is updated may be published or not: somebody else has to say.
    register: state !== undefined,
    name: text(payload, 255, 'workflowName'),
    state,
    cause: `workflow.${change}`,
    // The name of a version and its description are people's words on something else.
    version_id: change === 'version.updated' ? undefined : id(payload, 'versionId'),
    active_version_id:
      change === 'activated'
        ? id(payload, 'activeVersionId')
        : change === 'deactivated'
          ? null
          : undefined,
  });
  return { workflows: [wordsOf(saying, at, 1)] };
}
