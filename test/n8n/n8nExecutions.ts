import { until } from './child.ts';
import type { Call } from './n8nApi.ts';

export interface NodeRun {
  node: string;
  executionTime: number;
  executionStatus: string;
  /** JSON of the items on each output. */
  outputs: Record<string, unknown>[][];
}

export interface FinishedExecution {
  id: string;
  status: string;
  workflowId: string;
  /** Milliseconds from start to stop, as n8n says. */
  duration: number;
  /** Message of the error that ended it. */
  error?: string;
  nodes: NodeRun[];
}

export interface ListedExecution {
  id: string;
  status: string;
  mode: string;
}

/** What the tests ask of n8n's executions. */
export interface ExecutionsApi {
  /** The newest 250 of a workflow, newest first. */
  executions(workflowId: string): Promise<ListedExecution[]>;
  /** Waits for an execution to end. */
  finished(executionId: string): Promise<FinishedExecution>;
  /** Waits for a workflow's newest execution to end. */
  latest(workflowId: string): Promise<FinishedExecution>;
  /** Waits until a workflow's newest execution has this status, e.g. `waiting`. */
  latestThatIs(status: string, workflowId: string): Promise<ListedExecution>;
  /** What a node has put out so far: the first item. */
  firstItem(executionId: string, node: string): Promise<Record<string, unknown> | undefined>;
  stop(executionId: string): Promise<void>;
  /** Resolves with the id of the new execution. */
  retry(executionId: string): Promise<string>;
}

export function executionsApi(open: Call): ExecutionsApi {
  const list = async (
    workflowId: string,
    limit: number,
    status?: string,
  ): Promise<ListedExecution[]> => {
    // Without a status, n8n leaves out what runs now.
    const which = status ? `&status=${status}` : '';
    const path = `executions?limit=${limit}&workflowId=${workflowId}${which}`;
    const { data } = await open<{ data: ListedExecution[] }>('GET', path);
    return data.map(({ id, status, mode }) => ({ id: String(id), status, mode }));
  };
  const read = (id: string) => open<RawExecution>('GET', `executions/${id}?includeData=true`);
  const finished = (executionId: string) =>
    until(
      `execution ${executionId} ends`,
      async () => ended(executionId, await read(executionId)),
      { seconds: 60 },
    );
  const latestThatIs = (status: string, workflowId: string) =>
    until(
      `an execution of ${workflowId} is ${status}`,
      async () => (await list(workflowId, 1, status))[0],
      { seconds: 30 },
    );
  return {
    executions: (workflowId) => list(workflowId, 250),
    finished,
    latest: async (workflowId) => {
      const { id } = await until(
        `an execution of ${workflowId}`,
        async () => (await list(workflowId, 1))[0],
        { seconds: 30 },
      );
      return await finished(id);
    },
    latestThatIs,
    firstItem: async (executionId, node) =>
      nodeRuns(await read(executionId)).find((run) => run.node === node)?.outputs[0]?.[0],
    stop: async (executionId) => void (await open('POST', `executions/${executionId}/stop`)),
    retry: async (executionId) => {
      const { id } = await open<{ id: string }>('POST', `executions/${executionId}/retry`, {});
      return String(id);
    },
  };
}

interface RawExecution {
  status: string;
  workflowId: string;
  startedAt: string;
  stoppedAt: string | null;
  data?: { resultData: { error?: { message: string }; runData: Record<string, RawNodeRun[]> } };
}

interface RawNodeRun {
  executionTime: number;
  executionStatus: string;
  data?: { main?: ({ json: Record<string, unknown> }[] | null)[] };
}

function ended(id: string, raw: RawExecution): FinishedExecution | undefined {
  if (!raw.stoppedAt || ['new', 'running', 'waiting'].includes(raw.status)) return undefined;
  return {
    id,
    status: raw.status,
    workflowId: raw.workflowId,
    duration: Date.parse(raw.stoppedAt) - Date.parse(raw.startedAt),
    error: raw.data?.resultData.error?.message,
    nodes: nodeRuns(raw),
  };
}

function nodeRuns(raw: RawExecution): NodeRun[] {
  return Object.entries(raw.data?.resultData.runData ?? {}).flatMap(([node, tasks]) =>
    tasks.map(({ executionTime, executionStatus, data }) => ({
      node,
      executionTime,
      executionStatus,
      outputs: (data?.main ?? []).map((items) => (items ?? []).map((item) => item.json)),
    })),
  );
}
