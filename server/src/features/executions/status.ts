import type { ReportedStatus, RunStatus } from '@rollcall/client/contract';

/**
 * The one place where n8n's words for a run's status become ours. `unknown` says nothing: what is known stays,
 * and a run that nothing else is known of counts as running.
 */
const MEANINGS: Record<ReportedStatus, RunStatus | undefined> = {
  queued: 'queued',
  new: 'queued',
  running: 'running',
  waiting: 'waiting',
  success: 'success',
  error: 'error',
  crashed: 'error',
  cancelled: 'cancelled',
  canceled: 'cancelled',
  lost: 'lost',
  unknown: undefined,
};

export const REPORTED_STATUSES = Object.keys(MEANINGS) as [ReportedStatus, ...ReportedStatus[]];

export const meaningOf = (status: ReportedStatus): RunStatus | undefined => MEANINGS[status];

/** Whether nothing can come after it. */
export const isEnd = (status: RunStatus): boolean =>
  status === 'success' || status === 'error' || status === 'cancelled';
