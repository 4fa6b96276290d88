import type {
  ExecutionDetail,
  ExecutionSummary,
  ReportSource,
  RunStatus,
} from '../../client/src/contract/index.ts';
import { until } from './child.ts';
import type { RollcallServer } from './rollcallServer.ts';

export interface Recorded {
  /** Every row of a workflow. */
  rows(workflowId: string): Promise<ExecutionSummary[]>;
  /** Waits until the one row of this run has the status and every one of the sources. */
  run(
    workflowId: string,
    executionId: string,
    status: RunStatus,
    sources: ReportSource[],
  ): Promise<ExecutionDetail>;
}

/** What Rollcall holds of the runs in n8n. */
export function recordedBy(rollcall: RollcallServer): Recorded {
  const rows = (workflowId: string) =>
    rollcall.executions({ workflow_id: workflowId, limit: '200' });
  return {
    rows,
    run: async (workflowId, executionId, status, wantedSources) => {
      const sources = wantedSources.filter((one) => !(process.env.SKIP ?? '').includes(one));
      let seen: ExecutionSummary[] = [];
      const found = await until(
        `${executionId} is ${status}, told by ${sources.join(', ')}`,
        async () => {
          seen = (await rows(workflowId)).filter((one) => one.execution_id === executionId);
          return seen.find(
            (row) => row.status === status && sources.every((one) => row.sources.includes(one)),
          );
        },
        { seconds: 20 },
      ).catch((error: Error) => {
        throw new Error(`${error.message}Rollcall has: ${JSON.stringify(seen)}`, { cause: error });
      });
      if (seen.length > 1) throw new Error(`${seen.length} rows: ${JSON.stringify(seen)}`);
      const detail = await rollcall.get<ExecutionDetail>(`executions/${found.id}`);
      if (!detail) throw new Error(`${found.id} is listed, and then a 404`);
      return detail;
    },
  };
}
