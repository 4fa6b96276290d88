import { parseNodeType, STICKY_NOTE, type NodeType } from './nodeType.ts';
import { at, fields, literal } from './values.ts';

/** The JSON is not an n8n workflow. `path` says where, e.g. `nodes.3.type`; empty for the whole. */
export class WorkflowShapeError extends Error {
  override readonly name = 'WorkflowShapeError';
  readonly path: string;

  constructor(path: string, message: string) {
    super(message);
    this.path = path;
  }
}

export interface WorkflowNode {
  /** Where the node is in the JSON: `nodes.3`. */
  path: string;
  name: string;
  /** As written in the JSON. */
  fullType: string;
  type: NodeType;
  disabled: boolean;
  /** As written; read it with `at`, `stated` and `list`. */
  parameters: unknown;
  /** Types only: ids, names and values never leave the JSON. */
  credentialTypes: string[];
  webhookId: string | undefined;
  /** Connection types that leave the node, e.g. `main`, `ai_tool`. */
  outputs: ReadonlySet<string>;
  /** The node as written. */
  source: unknown;
}

export interface WorkflowShape {
  id: string | undefined;
  /** Without sticky notes. */
  nodes: WorkflowNode[];
  connections: Record<string, unknown>;
  settings: Record<string, unknown>;
}

/**
 * Checks the little that makes JSON a workflow (`nodes` is a list of objects, each with a type) and
 * tolerates everything else.
 *
 * @throws {WorkflowShapeError}
 */
export function parseWorkflow(workflow: unknown): WorkflowShape {
  if (typeof workflow !== 'object' || workflow === null || Array.isArray(workflow)) {
    throw new WorkflowShapeError('', 'A workflow is a JSON object with a list of nodes.');
  }
  const nodes = at(workflow, 'nodes');
  if (!Array.isArray(nodes)) {
    throw new WorkflowShapeError('nodes', 'The nodes of a workflow are a list; send [] for none.');
  }
  const connections = fields(at(workflow, 'connections'));
  const outputsOf = outputReader(connections);
  return {
    id: literal(at(workflow, 'id')),
    nodes: nodes
      .map((node: unknown, index) => parseNode(node, index, outputsOf))
      .filter((node) => node.fullType !== STICKY_NOTE),
    connections,
    settings: fields(at(workflow, 'settings')),
  };
}

function parseNode(
  node: unknown,
  index: number,
  outputsOf: (name: string) => ReadonlySet<string>,
): WorkflowNode {
  const path = `nodes.${index}`;
  if (typeof node !== 'object' || node === null || Array.isArray(node)) {
    throw new WorkflowShapeError(path, 'A node is a JSON object.');
  }
  const type = at(node, 'type');
  if (typeof type !== 'string' || type === '') {
    throw new WorkflowShapeError(
      `${path}.type`,
      'A node names its type, e.g. n8n-nodes-base.webhook.',
    );
  }
  const name = at(node, 'name');
  const known = typeof name === 'string' ? name : '';
  return {
    path,
    name: known,
    fullType: type,
    type: parseNodeType(type),
    disabled: at(node, 'disabled') === true,
    parameters: at(node, 'parameters'),
    credentialTypes: Object.keys(fields(at(node, 'credentials'))),
    webhookId: literal(at(node, 'webhookId')),
    outputs: outputsOf(known),
    source: node,
  };
}

/** Reads each name once: nodes of one name would otherwise cost their number squared. */
function outputReader(connections: Record<string, unknown>): (name: string) => ReadonlySet<string> {
  const known = new Map<string, ReadonlySet<string>>();
  return (name) => {
    const outputs = fields(at(connections, name));
    const connected =
      known.get(name) ??
      new Set(Object.keys(outputs).filter((output) => isConnected(outputs[output])));
    known.set(name, connected);
    return connected;
  };
}

function isConnected(output: unknown): boolean {
  return Array.isArray(output) && output.some((targets) => Array.isArray(targets) && targets[0]);
}
