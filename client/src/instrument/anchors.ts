import { mainOutputs, WorkflowFormatError, type NodeJson, type WorkflowJson } from './workflow.ts';

export const ROLES = ['register', 'start', 'end', 'error'] as const;
/** What an inserted node is for. */
export type Role = (typeof ROLES)[number];

/** Where an inserted node hangs: on one main output of one node. */
export interface Anchor {
  role: Role;
  node: NodeJson;
  output: number;
}

const TRIGGERS = new Set(
  ['webhook', 'cron', 'interval', 'start', 'emailReadImap', 'workflowTrigger'].map(
    (name) => `n8n-nodes-base.${name}`,
  ),
);
/** They start something, but hand no items to a next node. */
const WITHOUT_ITEMS = new Set(['@n8n/n8n-nodes-langchain.mcpTrigger']);
const WITHOUT_OUTPUT = new Set(['n8n-nodes-base.stopAndError', 'n8n-nodes-base.stickyNote']);
/** Far more than any workflow has that people draw or factories generate. */
const MOST_ANCHORS = 5_000;

export const isTrigger = ({ type }: NodeJson): boolean =>
  (type.endsWith('Trigger') || TRIGGERS.has(type)) && !WITHOUT_ITEMS.has(type);

/**
 * Every place where a run starts, ends, or goes wrong without failing: behind each trigger, at each main output
 * that leads nowhere, and at each error output. Only nodes that a trigger reaches count; the nodes below an
 * agent (models, tools, memory) hang on other connections and are left alone.
 *
 * @throws {WorkflowFormatError} when there are more than 5,000 of them
 */
export function findAnchors(workflow: WorkflowJson): Anchor[] {
  const entered = enteredNodes(workflow);
  const triggers = workflow.nodes.filter(
    (node) => isTrigger(node) && !node.disabled && !entered.has(node.name),
  );
  const anchors: Anchor[] = triggers.flatMap((node) => [
    { role: 'register', node, output: 0 },
    { role: 'start', node, output: 0 },
  ]);
  for (const node of reachedFrom(triggers, workflow)) {
    for (const end of endsOf(node, workflow)) anchors.push(end);
    if (anchors.length > MOST_ANCHORS) {
      throw new WorkflowFormatError('nodes', `have more than ${MOST_ANCHORS} starts and ends`);
    }
  }
  return anchors;
}

function enteredNodes(workflow: WorkflowJson): Set<string> {
  const names = workflow.nodes.flatMap(({ name }) => mainOutputs(workflow, name).flat());
  return new Set(names.map(({ node }) => node));
}

function reachedFrom(triggers: NodeJson[], workflow: WorkflowJson): NodeJson[] {
  const byName = new Map(workflow.nodes.map((node) => [node.name, node]));
  const reached = new Set(triggers);
  // A set hands out what is added while it is walked.
  for (const node of reached) {
    for (const { node: name } of mainOutputs(workflow, node.name).flat()) {
      const next = byName.get(name);
      if (next) reached.add(next);
    }
  }
  return workflow.nodes.filter((node) => reached.has(node));
}

function endsOf(node: NodeJson, workflow: WorkflowJson): Anchor[] {
  if (WITHOUT_OUTPUT.has(node.type)) return [];
  const outputs = mainOutputs(workflow, node.name);
  const failing = !node.disabled && node.onError === 'continueErrorOutput';
  const regular = regularOutputs(node, failing ? outputs.length - 1 : outputs.length);
  const ends: Anchor[] = [];
  for (let output = 0; output < regular && ends.length <= MOST_ANCHORS; output++) {
    const open = (outputs[output] ?? []).length === 0;
    if (open && !isLoopBody(node, output)) ends.push({ role: 'end', node, output });
  }
  if (failing) ends.push({ role: 'error', node, output: regular });
  return ends;
}

/** @param connected outputs that the connections speak of */
function regularOutputs(node: NodeJson, connected: number): number {
  return Math.max(1, connected, statedOutputs(node));
}

/** How many outputs a node has by its type and parameters; 1 where neither says so. */
function statedOutputs({ type, parameters }: NodeJson): number {
  switch (type) {
    case 'n8n-nodes-base.if':
    case 'n8n-nodes-base.splitInBatches':
      return 2;
    case 'n8n-nodes-base.compareDatasets':
      return 4;
    case 'n8n-nodes-base.switch':
      return switchOutputs(parameters);
    default:
      return 1;
  }
}

function switchOutputs(parameters: NodeJson['parameters']): number {
  if (parameters?.mode === 'expression') {
    const stated = parameters.numberOutputs;
    return typeof stated === 'number' && stated >= 1 ? Math.floor(stated) : 4;
  }
  const rules = parameters?.rules as { values?: unknown; rules?: unknown } | null | undefined;
  const listed = rules?.values ?? rules?.rules;
  const fallback = (parameters?.options as { fallbackOutput?: unknown } | null | undefined)
    ?.fallbackOutput;
  return (Array.isArray(listed) ? listed.length : 0) + (fallback === 'extra' ? 1 : 0);
}

/** Items that a loop hands out come back; only what it is done with ends a branch. */
function isLoopBody({ type, typeVersion = 1 }: NodeJson, output: number): boolean {
  return type === 'n8n-nodes-base.splitInBatches' && output === (typeVersion >= 3 ? 1 : 0);
}
