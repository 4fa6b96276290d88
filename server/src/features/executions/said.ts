import type { ExecutionReport, ReportSource } from '@rollcall/client/contract';
import { isEnd, meaningOf } from './status.ts';

/** [rank of who says it, microseconds since 1970, value]; the greater one wins, compared from left to right. */
export type Word = [number, number, unknown];
export type Said = Record<string, Word>;

/** Whom to believe where two disagree: what runs inside of n8n, then who saw the run, then who heard of it. */
const RANKS: Record<ReportSource, number> = {
  hooks: 7,
  otlp: 6,
  client: 5,
  sync: 4,
  webhook: 3,
  emit: 2,
  log: 1,
};

export const rankOf = (source: ReportSource): number => RANKS[source];

const FIELDS = [
  'execution_id',
  'instance_id',
  'session_id',
  'workflow_id',
  'workflow_name',
  'workflow_version',
  'definition_hash',
  'mode',
  'completed_at',
  'duration_ms',
  'wait_till',
  'project_id',
  'trace_id',
  'retry_of',
  'parent_execution_id',
  'parent_workflow_id',
  'last_node',
  'tokens_used',
  'cost_micros',
  'currency',
] as const satisfies (keyof ExecutionReport)[];

export const micros = (moment: string): number => {
  const fraction = /\.\d{3}(\d{1,3})/.exec(moment)?.[1] ?? '';
  return Date.parse(moment) * 1000 + Number(fraction.padEnd(3, '0').slice(0, 3));
};

/** When a report was so: the moment it names, else the run's end or start, else now. */
export const momentOf = (report: ExecutionReport, now: Date): string =>
  report.at ?? report.completed_at ?? report.started_at ?? now.toISOString();

/** A report's fields as words. A run of which only `unknown` is told counts as running, until a word is heard. */
export function saidOf(report: ExecutionReport, project: string, now: Date): Said {
  const rank = RANKS[report.source ?? 'client'];
  const at = micros(momentOf(report, now));
  const said: Said = { project_id: [0, 0, project] };
  const say = (field: string, value: unknown) => {
    if (value !== undefined) said[field] = [rank, at, value];
  };
  for (const field of FIELDS) say(field, report[field]);
  // A run that waited starts anew each time it goes on: it began with the first.
  const { started_at } = report;
  if (started_at !== undefined) said.started_at = [rank, -micros(started_at), started_at];
  for (const [key, value] of Object.entries(report.metadata ?? {})) {
    if (value !== null) say(`metadata.${key}`, value);
  }
  const { error } = report;
  if (report.status === 'crashed') said.error_type = [-1, at, 'crashed'];
  say('error_type', error?.type);
  say('error_message', error?.message);
  say('error_stack', error?.stack);
  say('error_node', error?.node);
  const status = meaningOf(report.status);
  if (status === 'waiting') said.waited = [0, 0, true];
  // An Emit node tells of the end of its branch: whoever tells of the run's is believed, whenever that was.
  const end = report.source === 'emit' ? 0.5 : 1;
  said.status = status ? [isEnd(status) ? end : 0, at, status] : [-1, at, 'running'];
  return said;
}
