import type { ExecutionReport, ReportedStatus } from '@rollcall/client/contract';
import type { Clock } from '../../platform/clock.ts';
import { Problem } from '../../platform/problem.ts';
import type { ApiExecution, N8nApi } from './n8n-api.ts';

/** Read the first time; later, those that have come since. */
const FIRST_PAGES = 2;
const PAGES_AT_MOST = 20;
/** A run that waits for longer is left to whoever tells its end. */
const LOOKS_BACK = 2_000;
const ENDED = new Set<unknown>(['success', 'error', 'canceled', 'crashed']);

/**
 * Reads the executions that run, then the latest others, newest first, back to those that had ended last time.
 * @param from the number below which all have ended and are known; null the first time
 * @param tell gets a page of them, and how many there were with it
 * @returns where to begin next time
 */
export async function readExecutions(
  api: Pick<N8nApi, 'listExecutions'>,
  instance_id: string,
  from: number | null,
  tell: (reports: ExecutionReport[], count: number) => Promise<void>,
  clock: Clock,
): Promise<{ count: number; truncated: boolean; from: number | null }> {
  const mostPages = from === null ? FIRST_PAGES : PAGES_AT_MOST;
  let count = 0;
  let newest = from === null ? -1 : from - 1;
  let oldestOpen = Infinity;

  async function take(executions: ApiExecution[], now: string): Promise<void> {
    for (const { id, status } of executions) {
      newest = Math.max(newest, numberOf(id));
      if (!ENDED.has(status)) oldestOpen = Math.min(oldestOpen, numberOf(id, Infinity));
    }
    count += executions.length;
    const reports = executions.map((execution) => reportOf(execution, instance_id, now));
    if (reports.length > 0) await tell(reports, count);
  }

  /** Answers whether there were more pages than were to be read; `each` may answer that they lead too far back. */
  async function pages(
    which: 'running' | 'others',
    atMost: number,
    each: (executions: ApiExecution[], now: string) => Promise<boolean | void>,
  ): Promise<boolean> {
    let cursor: string | undefined;
    for (let read = 1; ; read += 1) {
      const now = clock().toISOString();
      const page = await api.listExecutions(which, cursor);
      if ((await each(page.items, now)) === false) return false;
      if (page.cursor === null || page.cursor === cursor) return false;
      if (read >= atMost) return true;
      cursor = page.cursor;
    }
  }

  // First, so that one that ends meanwhile is found among the others.
  await pages('running', mostPages, take).catch(unlessRefused);
  const truncated = await pages('others', mostPages, async (executions, now) => {
    const fresh = executions.filter(({ id }) => !(from !== null && Number(id) < from));
    await take(fresh, now);
    return fresh.length === executions.length;
  });

  const next = Math.max(Math.min(oldestOpen, newest + 1), newest - LOOKS_BACK, 0);
  return { count, truncated: truncated && from !== null, from: newest < 0 ? from : next };
}

/** Versions that do not list what runs list it among the others, or not at all. */
function unlessRefused(error: unknown): void {
  if (!(error instanceof Problem) || error.code !== 'n8n_refused') throw error;
}

/** Numbers so far; should n8n come to call them otherwise, the latest page is read each time. */
function numberOf(id: string | number, otherwise = -1): number {
  const number = Number(id);
  return Number.isSafeInteger(number) && number >= 0 ? number : otherwise;
}

/** As a report; whoever takes it in judges every field. */
function reportOf(execution: ApiExecution, instance_id: string, now: string): ExecutionReport {
  const { id, workflowId, status, finished, mode, startedAt, stoppedAt } = execution;
  const { waitTill, retryOf, workflowVersionId } = execution;
  const ended = ENDED.has(status) || finished === true;
  const said = text(status) ?? (finished === true ? 'success' : 'unknown');
  return {
    execution_id: String(id),
    instance_id,
    workflow_id: String(workflowId),
    status: said as ReportedStatus,
    source: 'sync',
    at: (ended && text(stoppedAt)) || now,
    ...optional('mode', text(mode)),
    ...optional('started_at', text(startedAt)),
    ...optional('completed_at', ended ? text(stoppedAt) : undefined),
    ...optional('wait_till', text(waitTill)),
    ...optional('retry_of', text(retryOf)),
    ...optional('workflow_version', text(workflowVersionId)),
  };
}

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

const optional = <Key extends string>(key: Key, value: string | undefined) =>
  (value === undefined ? {} : { [key]: value }) as { [K in Key]?: string };
