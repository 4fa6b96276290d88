import type {
  ExecutionDetail,
  ExecutionReference,
  ExecutionSummary,
  RunStatus,
} from '@rollcall/client/contract';
import { SHORT_ID } from '../http/resolve-id.ts';
import { clean, count, paint, type Colour } from '../terminal/text.ts';
import { duration, localTime } from '../terminal/time.ts';

export function runStatusColour(status: RunStatus): Colour {
  if (status === 'success') return 'green';
  if (status === 'error') return 'red';
  if (status === 'lost' || status === 'waiting') return 'yellow';
  return status === 'cancelled' ? 'dim' : 'cyan';
}

export const nameOfWorkflow = ({
  workflow_id,
  workflow_name,
}: Pick<ExecutionSummary, 'workflow_id' | 'workflow_name'>): string => workflow_name ?? workflow_id;

/** One execution for people: what it was, how it went, what it belongs to. */
export function describeExecution(execution: ExecutionDetail): string {
  const { status, mode, error, counts } = execution;
  const title = `${paint('bold', clean(nameOfWorkflow(execution)))}  ${clean(execution.execution_id ?? '')}`;
  const facts: [string, string | null | undefined][] = [
    ['began', localTime(execution.began)],
    ['ended', execution.completed_at && localTime(execution.completed_at)],
    ['goes on', execution.wait_till && localTime(execution.wait_till)],
    ['lost', execution.lost_at && lostText(execution)],
    [
      'workflow',
      [execution.workflow_id, execution.workflow_version].filter(Boolean).join(', version '),
    ],
    ['instance', execution.instance_id],
    [
      'called by',
      execution.parent ? referenceText(execution.parent) : execution.parent_execution_id,
    ],
    ['called', execution.children.map(referenceText).join(', ')],
    ['repeats', execution.repeats ? referenceText(execution.repeats) : execution.retry_of],
    ['repeated by', execution.retries.map(referenceText).join(', ')],
    ['tokens', execution.tokens_used === null ? null : String(execution.tokens_used)],
    ['cost', costText(execution)],
    ['told by', execution.sources.join(', ')],
    ['holds', heldText(counts)],
  ];
  const took = execution.duration_ms === null ? '' : `, ${duration(execution.duration_ms)}`;
  return [
    title,
    `  ${execution.id}`,
    `  ${paint(runStatusColour(status), status)}${mode ? `, ${clean(mode)}` : ''}${took}`,
    ...facts.filter(([, text]) => text).map(([name, text]) => fact(name, text ?? '')),
    ...(error ? ['', paint('red', clean(errorText(error)))] : []),
    ...stackLines(error?.stack),
  ].join('\n');
}

const heldText = (counts: ExecutionDetail['counts']): string =>
  (
    [
      [counts.node_executions, 'node run'],
      [counts.telemetry_spans, 'span'],
      [counts.telemetry_events, 'event'],
      [counts.shared_state_snapshots, 'state'],
    ] as const
  )
    .filter(([number]) => number > 0)
    .map(([number, noun]) => count(number, noun))
    .join(', ');

const fact = (name: string, text: string): string =>
  `  ${paint('dim', name.padEnd(11))}  ${clean(text)}`;

const errorText = ({ node, type, message }: NonNullable<ExecutionDetail['error']>): string =>
  [node && `${node}:`, type && `${type}:`, message].filter(Boolean).join(' ');

const STACK_LINES = 10;

function stackLines(stack: string | undefined): string[] {
  const lines = stack?.split('\n').filter((line) => line.trim() !== '') ?? [];
  const shown = lines.slice(0, STACK_LINES).map((line) => paint('dim', `  ${clean(line).trim()}`));
  return lines.length > STACK_LINES ? [...shown, '  ...'] : shown;
}

const lostText = ({ lost_at, late_end }: ExecutionDetail): string =>
  `${localTime(lost_at ?? '')}${late_end ? ', until its end was told late' : ''}`;

const costText = ({ cost_micros, currency }: ExecutionDetail): string | null =>
  cost_micros === null ? null : `${cost_micros / 1e6} ${currency ?? ''}`.trim();

const referenceText = ({
  id,
  execution_id,
  workflow_name,
  workflow_id,
  status,
}: ExecutionReference): string =>
  `${execution_id ?? id.slice(0, SHORT_ID)} (${workflow_name ?? workflow_id}, ${status})`;
