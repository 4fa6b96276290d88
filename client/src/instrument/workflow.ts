/** The part of n8n's workflow JSON that instrumenting reads and writes; everything else is carried along. */
export interface WorkflowJson {
  nodes: NodeJson[];
  connections: Record<string, NodeConnections>;
  [field: string]: unknown;
}

export interface NodeJson {
  id?: string;
  name: string;
  type: string;
  typeVersion?: number;
  position?: [number, number];
  parameters?: Record<string, unknown>;
  disabled?: boolean;
  onError?: string;
  [field: string]: unknown;
}

/** By connection type (`main`, `ai_tool`, ...), then by output; an output without targets may be null. */
export type NodeConnections = Record<string, (Target[] | null | undefined)[] | null | undefined>;

export interface Target {
  node: string;
  type?: string;
  index?: number;
}

/** The JSON is not an n8n workflow. `path` says where, such as `nodes.3.name`. */
export class WorkflowFormatError extends Error {
  override readonly name = 'WorkflowFormatError';
  readonly path: string;
  /** What is wrong there. */
  readonly reason: string;

  constructor(path: string, reason: string) {
    super(`${path || 'workflow'}: ${reason}`);
    this.path = path;
    this.reason = reason;
  }
}

/**
 * A copy of the workflow with `connections` where there were none.
 *
 * @throws {WorkflowFormatError} when it is no workflow, or two nodes have one name
 */
export function copyWorkflow(workflow: unknown): WorkflowJson {
  if (!isObject(workflow)) throw new WorkflowFormatError('', 'must be a JSON object');
  if (!Array.isArray(workflow.nodes)) throw new WorkflowFormatError('nodes', 'must be a list');
  if (workflow.connections !== undefined && !isObject(workflow.connections)) {
    throw new WorkflowFormatError('connections', 'must be an object');
  }
  const names = new Set<string>();
  for (const [index, node] of (workflow.nodes as unknown[]).entries()) {
    const path = `nodes.${index}`;
    if (!isObject(node)) throw new WorkflowFormatError(path, 'must be an object');
    for (const field of ['name', 'type']) {
      if (typeof node[field] !== 'string' || node[field] === '') {
        throw new WorkflowFormatError(`${path}.${field}`, 'must be a text');
      }
    }
    if (names.has(node.name as string)) {
      throw new WorkflowFormatError(`${path}.name`, 'is the name of two nodes; n8n needs one each');
    }
    names.add(node.name as string);
  }
  for (const [name, outputs] of Object.entries(workflow.connections ?? {})) {
    const path = `connections.${name}`;
    if (!isObject(outputs)) throw new WorkflowFormatError(path, 'must be an object');
    const main = outputs.main ?? [];
    if (!Array.isArray(main) || !main.every((targets) => targets == null || Array.isArray(targets)))
      throw new WorkflowFormatError(`${path}.main`, 'must be a list of lists, one for each output');
  }
  const copy = structuredClone(workflow) as WorkflowJson;
  copy.connections ??= {};
  return copy;
}

/** The targets of each main output, up to the last one that leads somewhere. */
export function mainOutputs(workflow: WorkflowJson, name: string): Target[][] {
  const main = Object.hasOwn(workflow.connections, name)
    ? workflow.connections[name]?.main
    : undefined;
  const outputs = Array.isArray(main) ? main.map((targets) => targets?.filter(isTarget) ?? []) : [];
  while (outputs.at(-1)?.length === 0) outputs.pop();
  return outputs;
}

const isTarget = (target: unknown): target is Target =>
  isObject(target) && typeof target.node === 'string';

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
