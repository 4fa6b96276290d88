import type {
  ConnectionChange,
  ExecutionComparison,
  ExecutionSummary,
  NodeChange,
  NodeComparison,
  NodeTotals,
  WorkflowChange,
} from '@rollcall/client/contract';
import { SHORT_ID } from '../http/resolve-id.ts';
import { table, type Column } from '../terminal/table.ts';
import { clean, count, paint } from '../terminal/text.ts';
import { duration, localTime } from '../terminal/time.ts';
import { nameOfWorkflow, runStatusColour } from './execution-text.ts';

/** Two executions for people: how each went, what was changed between them, and where their nodes differ. */
export function describeComparison(comparison: ExecutionComparison, width?: number): string {
  const { left, right, workflow, duration_delta_ms, nodes, differing, truncated } = comparison;
  const others = nodes.filter(({ differences }) => differences.length > 0);
  const same = nodes.length - differing;
  return [
    side(left),
    side(right),
    ...(duration_delta_ms ? [`  ${lasted(duration_delta_ms)}`] : []),
    '',
    ...workflowLines(workflow),
    '',
    ...(others.length > 0 ? [table(COLUMNS, others, width)] : []),
    nodes.length === 0
      ? 'No node has told of its run.'
      : `${count(differing, 'node')} ${differing === 1 ? 'differs' : 'differ'}, ${same} ${same === 1 ? 'does' : 'do'} not.`,
    ...(truncated ? ['One of them is too large: not all of it was compared.'] : []),
  ].join('\n');
}

function side(execution: ExecutionSummary): string {
  const { id, execution_id, status, began, duration_ms } = execution;
  const took = duration_ms === null ? '' : `, ${duration(duration_ms)}`;
  const name = clean(nameOfWorkflow(execution));
  const shown = clean(execution_id ?? id.slice(0, SHORT_ID));
  return `${paint('bold', name)}  ${shown}  ${paint(runStatusColour(status), status)}, ${localTime(began)}${took}`;
}

const lasted = (delta: number): string =>
  `the second took ${duration(Math.abs(delta))} ${delta > 0 ? 'longer' : 'less'}`;

function workflowLines(workflow: WorkflowChange): string[] {
  const { same_workflow, definition, nodes, connections, more_changes } = workflow;
  if (!same_workflow) return ['They are of different workflows.'];
  if (definition === 'same') return ['The workflow was not changed between them.'];
  if (nodes === null || connections === null) {
    return [
      definition === 'unknown'
        ? 'Whether the workflow was changed between them is not known: no version was told.'
        : 'The workflow was changed between them; to what is not known: the hooks package tells it.',
    ];
  }
  const lines = [...nodes.map(nodeLine), ...connections.map(connectionLine)];
  if (lines.length === 0) return ['Of the workflow, only settings were changed between them.'];
  return [
    'The workflow was changed between them:',
    ...lines.map((line) => `  ${line}`),
    ...(more_changes ? ['  and more'] : []),
  ];
}

function nodeLine({ node_name, node_type, previous_name, changes }: NodeChange): string {
  const [first] = changes;
  if (first === 'added' || first === 'removed')
    return `${clean(node_name)}  ${first} (${clean(node_type)})`;
  const others = changes.filter((change) => change !== 'renamed');
  const renamed = previous_name === null ? [] : [`was called ${clean(previous_name)}`];
  const changed = others.length === 0 ? [] : [`${others.join(', ')} changed`];
  return `${clean(node_name)}  ${[...renamed, ...changed].join('; ')}`;
}

/** The first output and input go without saying. */
function connectionLine(connection: ConnectionChange): string {
  const { change, source, type, output, target, input } = connection;
  const place = (name: string, index: number) =>
    index === 0 ? clean(name) : `${clean(name)} [${index}]`;
  const kind = type === 'main' ? '' : ` (${clean(type)})`;
  return `${place(source, output)} -> ${place(target, input)}${kind}  ${change}`;
}

const COLUMNS: Column<NodeComparison>[] = [
  { title: 'NODE', value: ({ node_name }) => node_name, shrinks: true },
  { title: 'FIRST', value: ({ left }) => totals(left) },
  { title: 'SECOND', value: ({ right }) => totals(right) },
  { title: 'DIFFERS IN', value: ({ differences }) => differences.join(', '), shrinks: true },
];

function totals(told: NodeTotals | null): string {
  if (told === null) return 'did not run';
  const { status, duration_ms, runs, items_out } = told;
  return [
    status,
    ...(duration_ms === null ? [] : [duration(duration_ms)]),
    ...(runs === 1 ? [] : [count(runs, 'run')]),
    ...(items_out === null ? [] : [count(items_out, 'item')]),
  ].join(', ');
}
