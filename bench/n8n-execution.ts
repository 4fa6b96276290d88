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

/** Called at the end of an execution and awaited, as n8n does with `workflow.postExecute`. */
export type Ended = (run: IRun, workflow: object, executionId: string) => unknown;

export interface WorkflowOptions {
  /** Nodes that do nothing, after the next one. None when left out. */
  more?: number;
  ended?: Ended;
}

let executions = 0;

/**
 * Prepares the workflow Start -> measured node -> Next, all on one item, and answers what executes it once
 * through n8n's own engine. Start and Next do nothing; rejects when an execution does not succeed.
 */
export function prepareWorkflow(
  measured: INodeType,
  node: Partial<INode> = {},
  { more = 0, ended }: WorkflowOptions = {},
): () => Promise<ExecutionTime> {
  let nextRuns = 0;
  const types: Record<string, INodeType> = {
    start: noOp,
    measured,
    next: codeNode(() => void (nextRuns = performance.now())),
  };
  const rest = Array.from({ length: more }, (_, index) => `more ${index}`);
  for (const name of rest) types[name] = noOp;
  const names = Object.keys(types);
  const definition = {
    id: 'bench-emit',
    name: 'What a node adds',
    active: true,
    nodes: names.map((type, index) => ({
      id: type,
      name: type,
      type,
      typeVersion: 1,
      position: [index * 200, 0] as [number, number],
      parameters: {},
      ...(type === 'measured' && node),
    })),
    connections: Object.fromEntries(
      names
        .slice(1)
        .map((name, index) => [
          names[index] ?? '',
          { main: [[{ node: name, type: 'main' as const, index: 0 }]] },
        ]),
    ),
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
    const run = await execute(workflow, definition, ended);
    const whole = performance.now() - began;
    if (run.status !== 'success') throw run.data.resultData.error ?? new Error(run.status);
    return { nextNode: nextRuns - began, whole };
  };
}

/** n8n's NoOp node: hands its items on. */
export const noOp = codeNode((items) => items);

function execute(
  workflow: InstanceType<typeof Workflow>,
  definition: object,
  ended: Ended | undefined,
): Promise<IRun> {
  const executionId = String(++executions);
  const node = workflow.getNode('start');
  if (!node) throw new Error('The workflow has no start');
  const hooks = new ExecutionLifecycleHooks('trigger', executionId, definition as never);
  if (ended) {
    hooks.addHandler('workflowExecuteAfter', async (run) => {
      await ended(run, definition, executionId);
    });
  }
  const additionalData = {
    executionId,
    hooks,
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
