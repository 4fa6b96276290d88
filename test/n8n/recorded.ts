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
  /** Waits until the one row of this run has the status, every one of the sources, and what else it must have. */
  run(
    workflowId: string,
    executionId: string,
    status: RunStatus,
    sources: ReportSource[],
    isComplete?: (detail: ExecutionDetail) => boolean,
  ): Promise<ExecutionDetail>;
}

/** What Rollcall holds of the runs in n8n. */
export function recordedBy(rollcall: RollcallServer): Recorded {
  const rows = (workflowId: string) =>
    rollcall.executions({ workflow_id: workflowId, limit: '200' });
  return {
    rows,
    run: async (workflowId, executionId, status, sources, isComplete = () => true) => {
      let seen: ExecutionSummary[] = [];
      const found = await until(
        `${executionId} is ${status}, told by ${sources.join(', ')}`,
        async () => {
          seen = (await rows(workflowId)).filter((one) => one.execution_id === executionId);
          const row = seen.find(
            (one) => one.status === status && sources.every((name) => one.sources.includes(name)),
          );
          const detail = row && (await rollcall.get<ExecutionDetail>(`executions/${row.id}`));
          return detail && isComplete(detail) ? detail : undefined;
        },
        { seconds: 30 },
      ).catch((error: Error) => {
        throw new Error(`${error.message}Rollcall has: ${JSON.stringify(seen)}`, { cause: error });
      });
      if (seen.length > 1) throw new Error(`${seen.length} rows: ${JSON.stringify(seen)}`);
      return found;
    },
  };
}
