import type { DefinitionHashes } from '@rollcall/client/contract';
import { aiCapabilities, isAiPart } from './ai.ts';
import { definitionHashes } from './definitionHash.ts';
import { mcpServerOf } from './mcpServers.ts';
import { cadence, schedulesOf, triggerTimes, type Schedule } from './schedules.ts';
import { parseWorkflow, type WorkflowNode, type WorkflowShape } from './shape.ts';
import { errorWorkflowOf, subWorkflowOf } from './subWorkflows.ts';
import { printable, tidy } from './tokens.ts';
import { appOf, isApp, triggerOf, webhookPathOf, type Trigger } from './triggers.ts';
import { at, byCodeUnit } from './values.ts';

/** Something that a workflow calls and cannot work without. */
export interface WorkflowDependency {
  entity_type: 'workflow' | 'mcp_server';
  entity_id: string;
  entity_name?: string;
}

/**
 * What a workflow's JSON says of it. Lists are sorted, hold each thing once and at most 200 of
 * them; texts are at most 120 characters. Nodes that are switched off count in `definition_hash`
 * and `node_count` alone.
 */
export interface WorkflowFacts {
  /** Tokens such as `trigger:schedule`, `app:slack`, `model:gpt-4o`, `credential:slackApi`. */
  capabilities: string[];
  /** Never the workflow itself, as far as the JSON carries its id. */
  dependencies: WorkflowDependency[];
  /** `sha256:<hex>`; see `definitionHash` for what makes a difference. */
  definition_hash: string;
  triggers: Trigger[];
  schedules: Schedule[];
  webhook_paths: string[];
  /** Without sticky notes. */
  node_count: number;
}

/** What one node adds. */
interface NodeFacts {
  capabilities: string[];
  dependencies: WorkflowDependency[];
  triggers: Trigger[];
  schedules: Schedule[];
  webhook_paths: string[];
}

/**
 * Reads an n8n workflow (as exported, stored, or answered by n8n's public API) without running
 * anything. Values of parameters and credentials stay out, except the few that the facts name.
 *
 * @throws {WorkflowShapeError} when the JSON is not a workflow
 */
export function extractWorkflow(workflow: unknown): WorkflowFacts {
  return readDefinition(workflow).facts;
}

/** As `extractWorkflow`, with the hashes of its nodes, as the same reading makes them. */
export function readDefinition(workflow: unknown): {
  facts: WorkflowFacts;
  hashesOf: DefinitionHashes['hashesOf'];
} {
  const shape = parseWorkflow(workflow);
  const { hash, hashesOf } = definitionHashes(shape);
  return { facts: factsOf(shape, hash), hashesOf };
}

function factsOf(shape: WorkflowShape, definition_hash: string): WorkflowFacts {
  const facts = shape.nodes.filter((node) => !node.disabled).map((node) => nodeFacts(node, shape));
  const errorWorkflow = errorWorkflowOf(shape.settings);
  const capabilities = facts.flatMap((each) => each.capabilities);
  if (errorWorkflow !== undefined) capabilities.push(`error-workflow:${errorWorkflow}`);
  const dependencies = facts
    .flatMap((each) => each.dependencies)
    .sort((left, right) => byCodeUnit(left.entity_name ?? '\uffff', right.entity_name ?? '\uffff'));
  return {
    capabilities: tidy(capabilities.map(printable), (token) => token),
    dependencies: tidy(dependencies, (each) => `${each.entity_type} ${each.entity_id}`),
    definition_hash,
    triggers: tidy(
      facts.flatMap((each) => each.triggers),
      (trigger) => JSON.stringify([trigger.kind, trigger.node, trigger.app]),
    ),
    schedules: tidy(
      facts.flatMap((each) => each.schedules),
      ({ node, every, cron, window_seconds }) =>
        JSON.stringify([node, every, cron, window_seconds]),
    ),
    webhook_paths: tidy(
      facts.flatMap((each) => each.webhook_paths),
      (path) => path,
    ),
    node_count: shape.nodes.length,
  };
}

function nodeFacts(node: WorkflowNode, { id, settings }: WorkflowShape): NodeFacts {
  const trigger = triggerOf(node);
  const schedules = schedulesOf(node, settings);
  const webhook = webhookPathOf(node);
  const path = typeof webhook === 'object' ? webhook.path : undefined;
  const called = calls(node, id);
  return {
    capabilities: [
      ...(trigger === undefined ? [] : [`trigger:${trigger.kind}`]),
      ...(trigger?.app === undefined ? [] : [`app:${trigger.app}`]),
      ...appCapabilities(node),
      ...aiCapabilities(node),
      ...called.capabilities,
      ...(webhook === undefined ? [] : [`webhook:${path ?? 'dynamic'}`]),
      ...schedules.map((schedule) => `schedule:${cadence(schedule)}`),
      ...polls(node),
      ...credentials(node),
    ],
    dependencies: called.dependencies,
    triggers: trigger === undefined ? [] : [trigger],
    schedules,
    webhook_paths: path === undefined ? [] : [path],
  };
}

function appCapabilities(node: WorkflowNode): string[] {
  const usesHttp = node.type.name === 'toolHttpRequest';
  if (usesHttp) return ['app:http'];
  return isApp(node.type) && !isAiPart(node) ? [`app:${appOf(node.type)}`] : [];
}

function calls(
  node: WorkflowNode,
  ownId: string | undefined,
): Pick<NodeFacts, 'capabilities' | 'dependencies'> {
  const capabilities: string[] = [];
  const dependencies: WorkflowDependency[] = [];
  const workflow = subWorkflowOf(node, ownId);
  if (workflow?.kind === 'stored') {
    capabilities.push(`sub-workflow:${workflow.id}`);
    const name = workflow.name === undefined ? {} : { entity_name: workflow.name };
    dependencies.push({ entity_type: 'workflow', entity_id: workflow.id, ...name });
  } else if (workflow !== undefined) {
    capabilities.push(`sub-workflow:${workflow.kind}`);
  }
  const server = mcpServerOf(node);
  if (server !== undefined) {
    const id = server.kind === 'server' ? server.id : undefined;
    capabilities.push(`mcp-server:${id ?? 'dynamic'}`);
    if (id !== undefined) dependencies.push({ entity_type: 'mcp_server', entity_id: id });
  }
  return { capabilities, dependencies };
}

/** How often a polling trigger looks; it runs only when it finds something, so no schedule. */
function polls(node: WorkflowNode): string[] {
  return triggerTimes(at(node.parameters, 'pollTimes')).map((time) => `poll:${cadence(time)}`);
}

function credentials(node: WorkflowNode): string[] {
  return node.credentialTypes
    .filter((type) => /^[\w-]{1,100}$/.test(type))
    .map((type) => `credential:${type}`);
}
