import type { EntityReference, FixChange } from '@rollcall/client/contract';

/** A workflow as n8n has it. */
export interface StoredWorkflow {
  id: string;
  name: string;
  active: boolean;
  nodes: unknown[];
  connections: Record<string, unknown>;
  settings?: Record<string, unknown>;
  [field: string]: unknown;
}

/** What differs between two versions, node by node and source by source of connections. */
export function workflowChanges(
  entity: EntityReference,
  before: StoredWorkflow,
  after: StoredWorkflow,
): FixChange[] {
  const was = partsOf(before);
  const becomes = partsOf(after);
  return [...new Set([...was.keys(), ...becomes.keys()])]
    .filter((field) => stable(was.get(field)) !== stable(becomes.get(field)))
    .map((field) => ({
      entity,
      field,
      from: was.get(field) ?? null,
      to: becomes.get(field) ?? null,
    }));
}

/** Whether they hold the same, whatever the order of keys and of nodes; ids of versions and times aside. */
export const sameWorkflow = (left: StoredWorkflow, right: StoredWorkflow): boolean =>
  workflowChanges({ entity_type: 'workflow', entity_id: '' }, left, right).length === 0;

function partsOf({ name, active, nodes, connections, settings }: StoredWorkflow) {
  return new Map<string, unknown>([
    ['name', name],
    ['active', active],
    ...nodes.map((node): [string, unknown] => {
      const { name: title, id } = node as { name?: unknown; id?: unknown };
      return [`nodes.${String(title ?? id)}`, node];
    }),
    ...Object.entries(connections).map(([source, outputs]): [string, unknown] => [
      `connections.${source}`,
      outputs,
    ]),
    ...Object.entries(settings ?? {}).map(([field, value]): [string, unknown] => [
      `settings.${field}`,
      value,
    ]),
  ]);
}

/** JSON with its keys in order. */
function stable(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(
          Object.entries(member).sort(([one], [other]) => (one < other ? -1 : Number(one > other))),
        )
      : member,
  );
}
