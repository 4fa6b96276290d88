import type { ExecutionReport, ReportedStatus } from '../../client/src/contract/index.ts';
import { statusOf } from './node-runs.ts';
import { field, id, moment, present, text } from './read.ts';

/** What is used of the repository of executions (TypeORM), which the one of workflows leads to. */
interface Executions {
  find(options: object): Promise<unknown[]>;
}

export interface RunningWatch {
  /** Looks once, and tells what n8n's hooks do not: that a run has begun, and that a parked one was stopped. */
  look(): Promise<void>;
  /** A hook has told of this run. */
  told(report: ExecutionReport): void;
}

const COLUMNS = ['id', 'workflowId', 'mode', 'status', 'startedAt', 'stoppedAt', 'retryOf'];
/** The newest runs, by primary key: cheap however many there are. */
const NEWEST = 100;
const MOST_KEPT = 1_000;
const OPEN_AT_ONCE = 100;
const ENDED: ReadonlySet<ReportedStatus> = new Set(['success', 'error', 'canceled', 'crashed']);

/**
 * n8n calls no hook with an execution's id when it begins, and none when a waiting one is stopped; its database knows.
 * `at` in what is told is the moment before the database was asked, so that a hook's word of the same run is the later
 * one.
 */
export function watchRunning(
  repository: () => unknown,
  now: () => string,
  tell: (kind: 'execution.started' | 'execution.finished', report: ExecutionReport) => void,
): RunningWatch {
  /** Runs that have not ended, by what was last known of them; longest known first. */
  const open = new Map<string, ReportedStatus>();
  /** Runs that have ended not long ago. */
  const over = new Set<string>();

  function settle(runId: string, status: ReportedStatus): void {
    if (!ENDED.has(status)) {
      open.set(runId, status);
      return keepMost(open);
    }
    open.delete(runId);
    over.add(runId);
    keepMost(over);
  }

  function handle(row: unknown, at: string): void {
    const report = reportOf(row, at);
    const runId = report?.execution_id;
    if (report === undefined || runId === undefined || over.has(runId)) return;
    const known = open.get(runId);
    const ended = ENDED.has(report.status);
    if (known === report.status || (ended && known === undefined)) return;
    settle(runId, report.status);
    // That it waits is told by a hook.
    if (report.status !== 'waiting')
      tell(ended ? 'execution.finished' : 'execution.started', report);
  }

  return {
    async look() {
      const executions = executionsBeside(repository());
      if (executions === undefined) return;
      const asked = [...open.keys()].slice(0, OPEN_AT_ONCE);
      const at = now();
      const select = COLUMNS;
      const newest = await executions.find({ select, order: { id: 'DESC' }, take: NEWEST });
      for (const row of newest.toReversed()) handle(row, at);
      if (asked.length === 0) return;
      const found = await executions.find({ select, where: asked.map((one) => ({ id: one })) });
      for (const row of found) handle(row, at);
      const there = new Set(found.map((row) => id(field(row, 'id'))));
      for (const runId of asked) {
        const status = open.get(runId);
        open.delete(runId);
        // Asked for again after the others; those that are gone are not.
        if (status !== undefined && there.has(runId)) open.set(runId, status);
      }
    },
    told({ execution_id: runId, status }) {
      if (runId !== undefined) settle(runId, status);
    },
  };
}

function keepMost(runs: Map<string, unknown> | Set<string>): void {
  const [oldest] = runs.keys();
  if (runs.size > MOST_KEPT && oldest !== undefined) runs.delete(oldest);
}

function executionsBeside(workflows: unknown): Executions | undefined {
  try {
    const { manager } = workflows as { manager: { getRepository(name: string): Executions } };
    return manager.getRepository('ExecutionEntity');
  } catch {
    return undefined;
  }
}

function reportOf(row: unknown, at: string): ExecutionReport | undefined {
  const workflowId = id(field(row, 'workflowId'));
  const runId = id(field(row, 'id'));
  const status = statusOf(field(row, 'status'));
  if (workflowId === undefined || runId === undefined || status === undefined) return undefined;
  const stopped = ENDED.has(status) ? moment(field(row, 'stoppedAt')) : undefined;
  return present<ExecutionReport>({
    execution_id: runId,
    workflow_id: workflowId,
    status,
    mode: text(field(row, 'mode'), 64),
    started_at: moment(field(row, 'startedAt')),
    completed_at: stopped,
    retry_of: id(field(row, 'retryOf')),
    at: stopped ?? at,
    source: 'hooks',
  });
}
