import { EXAMPLE_CREDENTIAL } from './world.ts';

export interface WorkflowNode {
  name: string;
  type: string;
  parameters?: object;
  /** Id of the Rollcall credential; that of the examples when left out. */
  credential?: string;
  more?: object;
}

/** A node of the package. */
export function rollcallNode(
  name: string,
  type: 'telemetryEmit' | 'registerWorkflow' | 'checkGaps' | 'rollcallTrigger',
  parameters: object = {},
  more: Omit<WorkflowNode, 'name' | 'type' | 'parameters'> = {},
): WorkflowNode {
  return { name, type: `n8n-nodes-rollcall.${type}`, parameters, ...more };
}

/** The trigger that `callWebhook` fires; answers with what the last node puts out, or at once. */
export function webhook(
  path: string,
  responseMode: 'lastNode' | 'onReceived' = 'lastNode',
): WorkflowNode {
  return {
    name: 'Webhook',
    type: 'n8n-nodes-base.webhook',
    parameters: { path, responseMode },
    more: { webhookId: path, typeVersion: 2 },
  };
}

/** A node that fails. */
export function stopAndError(message: string): WorkflowNode {
  return {
    name: 'Fail',
    type: 'n8n-nodes-base.stopAndError',
    parameters: { errorMessage: message },
  };
}

/** A workflow whose MCP Server Trigger hands the nodes to agents as tools. */
export function toolsOf(
  name: string,
  path: string,
  tools: { name: string; type: string; parameters: object }[],
): object {
  const trigger = {
    name: 'MCP',
    type: '@n8n/n8n-nodes-langchain.mcpTrigger',
    parameters: { path },
    more: { webhookId: path, typeVersion: 2 },
  };
  const nodes = tools.map((tool) => ({ ...tool, type: `n8n-nodes-rollcall.${tool.type}Tool` }));
  const toTrigger = { ai_tool: [[{ node: trigger.name, type: 'ai_tool', index: 0 }]] };
  return {
    ...workflowOf(name, [trigger, ...nodes]),
    connections: Object.fromEntries(tools.map((tool) => [tool.name, toTrigger])),
  };
}

/** A workflow whose nodes stand in a row, in the shape that n8n's public API takes. */
export function workflowOf(name: string, nodes: WorkflowNode[], settings: object = {}): object {
  return {
    name,
    settings: { executionOrder: 'v1', ...settings },
    nodes: nodes.map(({ more, credential = EXAMPLE_CREDENTIAL, ...node }, index) => ({
      id: `${index}`,
      typeVersion: 1,
      position: [index * 220, 0],
      parameters: {},
      ...node,
      ...(node.type.startsWith('n8n-nodes-rollcall.') && {
        credentials: { rollcallApi: { id: credential, name: 'Rollcall' } },
      }),
      ...more,
    })),
    connections: Object.fromEntries(
      nodes
        .slice(1)
        .map((node, index) => [
          nodes[index]?.name,
          { main: [[{ node: node.name, type: 'main', index: 0 }]] },
        ]),
    ),
  };
}
