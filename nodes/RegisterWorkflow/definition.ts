import type { IDataObject, IExecuteFunctions, INode } from 'n8n-workflow';

const NODE_FIELDS = [
  'id',
  'name',
  'type',
  'typeVersion',
  'disabled',
  'parameters',
  'webhookId',
  'onError',
  'continueOnFail',
  'alwaysOutputData',
  'executeOnce',
  'retryOnFail',
  'maxTries',
  'waitBetweenTries',
] as const satisfies ReadonlyArray<keyof INode>;

/** What n8n's execution context holds beside its public interface. */
interface RunningWorkflow {
  nodes?: Record<string, INode>;
  connectionsBySourceNode?: IDataObject;
  settings?: IDataObject;
}

/**
 * The definition of the workflow that the node stands in. n8n has no public way to it, so this
 * reads fields that n8n may rename; then the answer is `undefined`, and the workflow is registered
 * without what Rollcall would read from its definition.
 */
export function runningDefinition(context: IExecuteFunctions): IDataObject | undefined {
  const { workflow } = context as unknown as { workflow?: RunningWorkflow };
  if (!workflow?.nodes || !workflow.connectionsBySourceNode) return undefined;
  const { id, name } = context.getWorkflow();
  return withoutSecrets({
    id,
    name,
    nodes: Object.values(workflow.nodes),
    connections: workflow.connectionsBySourceNode,
    settings: workflow.settings,
  });
}

/** The definition without pinned data, static data, and what credentials are called. */
export function withoutSecrets({
  id,
  name,
  nodes,
  connections,
  settings,
}: IDataObject): IDataObject {
  return {
    id,
    name,
    nodes: Array.isArray(nodes) ? (nodes as IDataObject[]).map(nodeWithoutSecrets) : nodes,
    connections,
    settings,
  };
}

function nodeWithoutSecrets(node: IDataObject): IDataObject {
  const kept = NODE_FIELDS.filter((field) => node[field] !== undefined);
  return {
    ...Object.fromEntries(kept.map((field) => [field, node[field]])),
    credentials: Object.fromEntries(Object.keys(node.credentials ?? {}).map((type) => [type, {}])),
  };
}
