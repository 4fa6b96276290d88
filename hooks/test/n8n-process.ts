import type {
  N8nEventKind,
  N8nExecutionEvent,
  N8nHooksStatusEvent,
  N8nInventoryEvent,
  N8nLifecycleEvent,
  N8nWorkflowEvent,
  N8nWorkflowKind,
} from '../../client/src/contract/index.ts';
import type { OutboxEnvironment } from '../../client/src/outbox/index.ts';
import { createHooks } from '../src/hooks.ts';
import { createReporter } from '../src/reporter.ts';
import type { HooksSettings } from '../src/settings.ts';

export interface N8nProcess {
  /** Calls a hook as n8n does, and answers what it returned, not awaited. */
  call(name: string, ...told: unknown[]): unknown;
  /** Ends n8n, and waits until everything has been sent. */
  end(): Promise<void>;
  stats(): ReturnType<ReturnType<typeof createReporter>['stats']>;
  /** What was printed for the operator. */
  lines: string[];
}

export interface ProcessOptions {
  url: string;
  settings?: Partial<HooksSettings>;
  /** n8n's arguments after its own name, such as `worker`. */
  command?: string[];
  environment?: Record<string, string>;
  /** What n8n hands to hooks as `this.dbCollections.Workflow`. */
  workflows?: unknown;
  /** In place of this machine's clock and network. */
  machine?: OutboxEnvironment;
}

/** A process of n8n with the hooks in it, without n8n. */
export function startProcess(options: ProcessOptions): N8nProcess {
  const settings: HooksSettings = {
    url: options.url,
    key: 'rc_test',
    inventorySeconds: 3_600,
    runningSeconds: 0,
    queueBytes: 16_000_000,
    payloads: false,
    ...options.settings,
  };
  const lines: string[] = [];
  const facts = {
    environment: options.environment ?? { N8N_INSTANCE_ID: 'instance-1' },
    arguments: ['node', '/nowhere/bin/n8n', ...(options.command ?? [])],
  };
  const log = (line: string): void => void lines.push(line);
  const reporter = createReporter(settings, facts, log, options.machine);
  const hooks = createHooks(reporter, settings);
  const context = { dbCollections: { Workflow: options.workflows ?? storedWorkflows([]) } };
  const call: N8nProcess['call'] = (name, ...told) => {
    const [resource = '', operation = ''] = name.split('.');
    const [hook] = hooks[resource]?.[operation] ?? [];
    return hook?.apply(context, told);
  };
  const end = async (): Promise<void> => {
    await call('n8n.stop');
    while (reporter.stats().queued > 0) {
      await new Promise((resolve) => void setTimeout(resolve, 10));
    }
  };
  return { lines, stats: reporter.stats, call, end };
}

/** What n8n's repository of workflows does with the little that the hooks ask of it. */
export function storedWorkflows(rows: { id: string }[]) {
  const questions: object[] = [];
  return {
    rows,
    questions,
    async find(question: { select?: string[]; where?: { id: string }[] }): Promise<unknown[]> {
      questions.push(question);
      const asked = question.where?.map(({ id }) => id);
      return rows.filter(({ id }) => asked?.includes(id) ?? true);
    },
  };
}

export const kindsOf = (events: N8nLifecycleEvent[]): string[] => events.map(({ kind }) => kind);

type OfKind<Kind> = Kind extends N8nWorkflowKind
  ? N8nWorkflowEvent
  : Kind extends 'inventory'
    ? N8nInventoryEvent
    : Kind extends 'hooks.status'
      ? N8nHooksStatusEvent
      : N8nExecutionEvent;

/** Those events of this kind. */
export function ofKind<Kind extends N8nEventKind>(
  events: N8nLifecycleEvent[],
  kind: Kind,
): OfKind<Kind>[] {
  return events.filter((event) => event.kind === kind) as OfKind<Kind>[];
}
