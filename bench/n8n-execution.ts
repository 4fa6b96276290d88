import { createRequire } from 'node:module';
import type * as n8nCore from 'n8n-core';
import type * as n8nWorkflow from 'n8n-workflow';
import type { INode, INodeType, IRun } from 'n8n-workflow';
import { codeNode } from '../test/nodes/codeNode.ts';
import { credentialsHelper } from '../test/nodes/credentials.ts';

const require = createRequire(import.meta.url);
require('reflect-metadata');
const { ExecutionLifecycleHooks, WorkflowExecute } = require('n8n-core') as typeof n8nCore;
const { createRunExecutionData, Workflow } = require('n8n-workflow') as typeof n8nWorkflow;

/** How long an execution took, in milliseconds. */
export interface ExecutionTime {
  /** From its start until the node after the measured one runs. */
  nextNode: number;
  /** From its start until n8n is through with it. */
  whole: number;
}

let executions = 0;

/**
 * Prepares the workflow Start -> measured node -> Next, all on one item, and answers what executes it once
 * through n8n's own engine. Start and Next do nothing; rejects when an execution does not succeed.
 */
export function prepareWorkflow(
  measured: INodeType,
  node: Partial<INode> = {},
): () => Promise<ExecutionTime> {
  let nextRuns = 0;
  const types: Record<string, INodeType> = {
    start: noOp,
    measured,
    next: codeNode(() => void (nextRuns = performance.now())),
  };
  const definition = {
    id: 'bench-emit',
    name: 'What a node adds',
    active: true,
    nodes: Object.keys(types).map((type, index) => ({
      id: type,
      name: type,
      type,
      typeVersion: 1,
      position: [index * 200, 0] as [number, number],
      parameters: {},
      ...(type === 'measured' && node),
    })),
    connections: {
      start: { main: [[{ node: 'measured', type: 'main' as const, index: 0 }]] },
      measured: { main: [[{ node: 'next', type: 'main' as const, index: 0 }]] },
    },
    settings: { executionOrder: 'v1' as const },
  };
  const nodeTypes = {
    getByName: (type: string) => types[type] as INodeType,
    getByNameAndVersion: (type: string) => types[type] as INodeType,
    getKnownTypes: () => ({}),
  };
  return async () => {
    const workflow = new Workflow({ ...definition, nodeTypes });
    const began = performance.now();
    const run = await execute(workflow);
    const whole = performance.now() - began;
    if (run.status !== 'success') throw run.data.resultData.error ?? new Error(run.status);
    return { nextNode: nextRuns - began, whole };
  };
}

/** n8n's NoOp node: hands its items on. */
export const noOp = codeNode((items) => items);

function execute(workflow: InstanceType<typeof Workflow>): Promise<IRun> {
  const executionId = String(++executions);
  const node = workflow.getNode('start');
  if (!node) throw new Error('The workflow has no start');
  const { id, name, active } = workflow;
  const workflowData = { id, name, active, nodes: [], connections: {} } as never;
  const additionalData = {
    executionId,
    hooks: new ExecutionLifecycleHooks('trigger', executionId, workflowData),
    credentialsHelper,
    variables: {},
    webhookWaitingBaseUrl: 'http://127.0.0.1:5678/webhook-waiting',
    formWaitingBaseUrl: 'http://127.0.0.1:5678/form-waiting',
    restApiUrl: '',
    instanceBaseUrl: 'http://127.0.0.1:5678/',
    setExecutionStatus: () => undefined,
    logAiEvent: () => undefined,
  } as never;
  const data = createRunExecutionData({
    executionData: {
      nodeExecutionStack: [{ node, data: { main: [[{ json: { a: 1 } }]] }, source: null }],
    },
  });
  return new WorkflowExecute(additionalData, 'trigger', data).processRunExecutionData(workflow);
}
