import 'reflect-metadata';
import './n8nEnvironment.ts';

import { ExecutionLifecycleHooks, WorkflowExecute } from 'n8n-core';
import {
  createRunExecutionData,
  Workflow,
  type IConnections,
  type IDataObject,
  type INode,
  type INodeExecutionData,
  type INodeType,
  type INodeTypes,
  type IRun,
  type ITaskData,
  type IWorkflowExecuteAdditionalData,
  type NodeParameterValueType,
  type WorkflowExecuteMode,
} from 'n8n-workflow';

import { CheckGaps } from '../../nodes/CheckGaps/CheckGaps.node.ts';
import { RegisterWorkflow } from '../../nodes/RegisterWorkflow/RegisterWorkflow.node.ts';
import { RollcallTrigger } from '../../nodes/RollcallTrigger/RollcallTrigger.node.ts';
import { TelemetryEmit } from '../../nodes/TelemetryEmit/TelemetryEmit.node.ts';
import { credentialsHelper } from './credentials.ts';
import { codeNode } from './codeNode.ts';

/** A node of a test workflow; each is connected to the one before it. */
export interface Step {
  name: string;
  /** The class of a Rollcall node, or what a code node does with its items. */
  does: INodeType | ((items: INodeExecutionData[]) => INodeExecutionData[] | void);
  parameters?: Record<string, NodeParameterValueType | IDataObject>;
  settings?: Partial<INode>;
}

export const telemetryEmit = new TelemetryEmit();
export const registerWorkflow = new RegisterWorkflow();
export const checkGaps = new CheckGaps();
export const rollcallTrigger = new RollcallTrigger();

export interface WorkflowRun {
  run: IRun;
  /** The first run of a node; fails when it has not run. */
  task(node: string): ITaskData;
  /** What a node put on an output. */
  output(node: string, output?: number): INodeExecutionData[];
}

let executions = 0;

/** Runs a chain of nodes through n8n's own engine, from the given items. */
export async function runWorkflow(
  steps: Step[],
  items: INodeExecutionData[] = [{ json: {} }],
  { mode = 'trigger', active = true }: { mode?: WorkflowExecuteMode; active?: boolean } = {},
): Promise<WorkflowRun> {
  const types = Object.fromEntries(
    steps.map((step) => [
      typeOf(step),
      typeof step.does === 'function' ? codeNode(step.does) : step.does,
    ]),
  );
  const workflow = new Workflow({
    id: 'wf-1',
    name: 'Nightly sync',
    active,
    nodes: steps.map(nodeOf),
    connections: chain(steps),
    nodeTypes: {
      getByName: (type) => types[type],
      getByNameAndVersion: (type) => types[type],
      getKnownTypes: () => ({}),
    } as INodeTypes,
    settings: { executionOrder: 'v1' },
  });
  const executionId = String(++executions);
  const [first] = steps;
  const node = first && workflow.getNode(first.name);
  if (!node) throw new Error('A workflow needs a node');
  const data = createRunExecutionData({
    executionData: { nodeExecutionStack: [{ node, data: { main: [items] }, source: null }] },
  });
  const run = await new WorkflowExecute(
    additionalData(executionId, workflow),
    mode,
    data,
  ).processRunExecutionData(workflow);
  const task = (name: string): ITaskData => {
    const tasks = run.data.resultData.runData[name];
    if (!tasks?.[0]) throw new Error(`${name} has not run: ${run.data.resultData.error?.message}`);
    return tasks[0];
  };
  return { run, task, output: (name, output = 0) => task(name).data?.main?.[output] ?? [] };
}

function typeOf({ name, does }: Step): string {
  return typeof does === 'function'
    ? `test.${name}`
    : `n8n-nodes-rollcall.${does.description.name}`;
}

function nodeOf(step: Step, index: number): INode {
  return {
    id: `node-${index}`,
    name: step.name,
    type: typeOf(step),
    typeVersion: 1,
    position: [index * 200, 0],
    parameters: (step.parameters ?? {}) as INode['parameters'],
    credentials:
      typeof step.does === 'function' ? {} : { rollcallApi: { id: 'cred-1', name: 'Rollcall' } },
    ...step.settings,
  };
}

function chain(steps: Step[]): IConnections {
  return Object.fromEntries(
    steps.slice(0, -1).map(({ name }, index) => {
      const next = steps[index + 1]?.name ?? '';
      return [name, { main: [[{ node: next, type: 'main' as const, index: 0 }]] }];
    }),
  );
}

/** What n8n hands to every node beside the workflow. */
export function additionalData(
  executionId: string,
  workflow: Workflow,
): IWorkflowExecuteAdditionalData {
  const { id, name, active } = workflow;
  const workflowData = { id, name, active, nodes: [], connections: {} } as never;
  return {
    executionId,
    hooks: new ExecutionLifecycleHooks('trigger', executionId, workflowData),
    credentialsHelper,
    variables: {},
    webhookBaseUrl: 'http://127.0.0.1:5678/webhook',
    webhookWaitingBaseUrl: 'http://127.0.0.1:5678/webhook-waiting',
    formWaitingBaseUrl: 'http://127.0.0.1:5678/form-waiting',
    restApiUrl: '',
    instanceBaseUrl: 'http://127.0.0.1:5678/',
    setExecutionStatus: () => undefined,
    logAiEvent: () => undefined,
  } as unknown as IWorkflowExecuteAdditionalData;
}
