import { findAnchors, type Anchor, type Role } from './anchors.ts';
import { insertedId, isInserted } from './identity.ts';
import { createCanvas, positionOf, type Position } from './placement.ts';
import {
  copyWorkflow,
  mainOutputs,
  type NodeConnections,
  type NodeJson,
  type Target,
  type WorkflowJson,
} from './workflow.ts';

export interface InstrumentOptions {
  /** Name of the *Rollcall API* credential in n8n; n8n finds it by this name at import. Default `Rollcall`. */
  credential?: string;
  /** Its id in n8n, where it is known. */
  credentialId?: string;
  /** Whether each run registers the workflow. Default true. */
  register?: boolean;
}

export interface InsertedNode {
  id: string;
  name: string;
  role: Role;
  /** Name of the node that it hangs on. */
  after: string;
  output: number;
}

export interface Instrumented {
  workflow: WorkflowJson;
  /** What was put in now; empty when all of it was there. */
  inserted: InsertedNode[];
  /** Names of inserted nodes whose place is gone. */
  removed: string[];
}

const TITLES: Record<Role, string> = {
  register: 'Rollcall register',
  start: 'Rollcall start',
  end: 'Rollcall end',
  error: 'Rollcall error',
};

/**
 * Puts Rollcall's nodes into n8n workflow JSON: at each trigger one that registers the workflow and one that tells
 * of the start, at each end of a branch one that tells of the end, at each error output one that tells of the
 * error. They hang beside the flow and pass nothing on, so no other node sees a difference. The same place gets
 * the same node each time: a second call changes nothing, and after a change of the workflow it adds what is
 * missing and takes out what hangs nowhere. Pure: the argument stays as it is.
 *
 * @throws {WorkflowFormatError}
 */
export function instrumentWorkflow(
  workflow: unknown,
  options: InstrumentOptions = {},
): Instrumented {
  const given = copyWorkflow(workflow);
  const bare = withoutInserted(given);
  const before = new Set(given.nodes.filter(isInserted).map(({ id }) => id));
  const wanted = findAnchors(bare)
    .filter(({ role }) => role !== 'register' || options.register !== false)
    .map((anchor) => ({ anchor, id: insertedId(anchor, before) }));
  const ids = new Set(wanted.map(({ id }) => id));

  const result = withoutInserted(given, (node) => ids.has(node.id as string));
  const present = new Set(result.nodes.map(({ id }) => id));
  const names = new Set(given.nodes.map(({ name }) => name));
  const canvas = createCanvas(result.nodes);
  const inserted: InsertedNode[] = [];
  for (const { anchor, id } of wanted) {
    if (present.has(id)) continue;
    const name = freeName(TITLES[anchor.role], names);
    const position = placeFor(anchor, bare, canvas);
    result.nodes.push(nodeFor(anchor.role, { id, name, position }, options));
    connect(result, anchor, name);
    const { role, node, output } = anchor;
    inserted.push({ id, name, role, after: node.name, output });
  }
  const kept = new Set(result.nodes.map(({ name }) => name));
  const removed = given.nodes.map(({ name }) => name).filter((name) => !kept.has(name));
  return { workflow: result, inserted, removed };
}

/**
 * Takes out what `instrumentWorkflow` has put in, and nothing else. Pure.
 *
 * @throws {WorkflowFormatError}
 */
export function uninstrumentWorkflow(workflow: unknown): WorkflowJson {
  return withoutInserted(copyWorkflow(workflow));
}

function withoutInserted(
  workflow: WorkflowJson,
  keep: (node: NodeJson) => boolean = () => false,
): WorkflowJson {
  const gone = new Set(
    workflow.nodes.filter((node) => isInserted(node) && !keep(node)).map(({ name }) => name),
  );
  const connections = Object.fromEntries(
    Object.entries(workflow.connections)
      .filter(([name]) => !gone.has(name))
      .map(([name, outputs]) => [name, targetsLeft(outputs, gone)] as const)
      .filter((entry): entry is [string, NodeConnections] => entry[1] !== undefined),
  );
  const nodes = workflow.nodes.filter(({ name }) => !gone.has(name));
  return { ...workflow, nodes, connections };
}

/** Without what leads to nodes that are gone; undefined when nothing is left of it but what led there. */
function targetsLeft(outputs: NodeConnections, gone: Set<string>): NodeConnections | undefined {
  const main = outputs.main;
  if (!main?.some((targets) => targets?.some((target) => leadsTo(target, gone)))) return outputs;
  const left = main.map((targets) => {
    const stay = targets?.filter((target) => !leadsTo(target, gone));
    return stay?.length === targets?.length ? targets : stay;
  });
  while (left.length > 0 && !left.at(-1)?.length) left.pop();
  if (left.length > 0) return { ...outputs, main: left };
  const others = Object.entries(outputs).filter(([type]) => type !== 'main');
  return others.length > 0 ? Object.fromEntries(others) : undefined;
}

/** A list of targets may hold anything: only what is written at nodes and outputs was checked. */
const leadsTo = (target: Target | null | undefined, names: Set<string>): boolean =>
  names.has(target?.node as string);

function freeName(title: string, names: Set<string>): string {
  let name = title;
  for (let number = 2; names.has(name); number++) name = `${title} ${number}`;
  names.add(name);
  return name;
}

/**
 * What starts goes above everything that the trigger leads to, for n8n runs branches from top to bottom; what
 * ends or fails goes beside or below.
 */
function placeFor(
  { role, node, output }: Anchor,
  workflow: WorkflowJson,
  canvas: ReturnType<typeof createCanvas>,
): Position {
  const [, y] = positionOf(node);
  if (role === 'end' || role === 'error') return canvas.place(node, y + output * 160, 'down');
  const next = new Set(mainOutputs(workflow, node.name).flatMap((all) => all.map((to) => to.node)));
  const heights = workflow.nodes
    .filter(({ name }) => next.has(name))
    .map((to) => positionOf(to)[1]);
  return canvas.place(node, canvas.above(Math.min(y, ...heights)), 'up');
}

function nodeFor(
  role: Role,
  place: { id: string; name: string; position: Position },
  { credential = 'Rollcall', credentialId }: InstrumentOptions,
): NodeJson {
  const kinds: Record<Role, { type: string; parameters: Record<string, unknown> }> = {
    register: { type: 'registerWorkflow', parameters: {} },
    start: { type: 'telemetryEmit', parameters: { operation_name: 'workflow.started' } },
    end: { type: 'telemetryEmit', parameters: { operation_name: 'workflow.finished' } },
    error: { type: 'telemetryEmit', parameters: { operation: 'error' } },
  };
  const { type, parameters } = kinds[role];
  return {
    ...place,
    type: `n8n-nodes-rollcall.${type}`,
    typeVersion: 1,
    parameters,
    // A server that is away must not fail somebody's workflow.
    onError: 'continueRegularOutput',
    credentials: { rollcallApi: { id: credentialId ?? null, name: credential } },
  };
}

function connect(workflow: WorkflowJson, { role, node, output }: Anchor, name: string): void {
  const own = Object.hasOwn(workflow.connections, node.name) ? workflow.connections[node.name] : {};
  const main = [...(own?.main ?? [])];
  while (main.length <= output) main.push([]);
  const target = { node: name, type: 'main', index: 0 };
  const others = main[output] ?? [];
  // n8n's older order follows this list.
  const first = role === 'register' || role === 'start';
  main[output] = first ? [target, ...others] : [...others, target];
  workflow.connections = { ...workflow.connections, [node.name]: { ...own, main } };
}
