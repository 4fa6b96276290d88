import { randomUUID } from 'node:crypto';
import type {
  ExecutionReport,
  N8nExecutionEvent,
  N8nWorkflow,
  N8nWorkflowKind,
} from '../../client/src/contract/index.ts';
import { pickExecution } from './execution.ts';
import { readInventory, readWorkflows } from './inventory.ts';
import { field, id, text } from './read.ts';
import type { Reporter } from './reporter.ts';
import { watchRunning } from './running.ts';
import type { HooksSettings } from './settings.ts';
import { pickStoredWorkflow, pickWorkflow } from './workflow.ts';

/** As n8n's `ExternalHooks` calls them: with `this.dbCollections`, and awaiting what they return. */
export type Hook = (this: unknown, ...told: unknown[]) => undefined | Promise<void>;
export type Hooks = Record<string, Record<string, Hook[]>>;

const STOP_WITHIN_MS = 2_000;
const REFRESH_AFTER_MS = 1_000;
const MOST_TO_REFRESH = 200;
const RETRY_INVENTORY_MS = 60_000;

/**
 * n8n's hooks, each of which takes what it needs and is through. Only where the process is about to end does one wait,
 * two seconds at most: `n8n.stop`, and `workflow.postExecute` of a command such as `n8n execute`, which knows no stop.
 */
export function createHooks(reporter: Reporter, settings: HooksSettings): Hooks {
  const { tell, failed, now } = reporter;
  let repository: unknown;
  const running = watchRunning(() => repository, now, tellExecution);
  let lookTimer: NodeJS.Timeout | undefined;
  let takingInventory = false;
  let endsProcess = reporter.role === 'cli';
  let inventoryTimer: NodeJS.Timeout | undefined;
  let toRefresh = new Set<string>();
  let stopped = false;

  /** Whatever happens within is counted and goes no further: an error in a hook would break n8n's own work. */
  function hook(take: (told: unknown[]) => undefined | void | Promise<void>): Hook {
    return function (this: unknown, ...told) {
      try {
        repository ??= field(this, 'dbCollections', 'Workflow');
        reporter.identify(repository);
        return take(told) ?? undefined;
      } catch (error) {
        failed(error);
        return undefined;
      }
    };
  }

  function tellOf(kind: N8nWorkflowKind, workflow: N8nWorkflow | undefined, actor: unknown): void {
    if (workflow === undefined) return;
    const role = text(field(actor, 'role'), 100);
    tell(() => ({ kind, workflow, ...(role !== undefined && { actor: { role } }) }));
  }

  const stored = (kind: N8nWorkflowKind) =>
    hook(([workflow, , actor]) => tellOf(kind, pickStoredWorkflow(workflow), actor));

  /** What comes with these is not stored yet, and an inventory may read the old state meanwhile: it is read afterwards. */
  const switched = (kind: N8nWorkflowKind) =>
    hook(([workflow, , actor]) => {
      const known = pickWorkflow(workflow);
      if (known === undefined) return;
      delete known.active;
      tellOf(kind, known, actor);
      refreshSoon(known.id);
    });

  const named = (kind: N8nWorkflowKind) =>
    hook(([workflowId, actor]) => {
      const known = id(workflowId);
      if (known === undefined) return;
      tellOf(kind, { id: known }, actor);
      if (kind === 'workflow.unarchived') refreshSoon(known);
    });

  function refreshSoon(workflowId: string): void {
    if (toRefresh.size === 0) setTimeout(() => void refresh(), REFRESH_AFTER_MS).unref();
    if (toRefresh.size < MOST_TO_REFRESH) toRefresh.add(workflowId);
  }

  async function refresh(): Promise<void> {
    const ids = [...toRefresh];
    toRefresh = new Set();
    try {
      const startedAt = now();
      const workflows = await readWorkflows(repository, ids);
      for (const workflow of workflows) {
        const page = { page: 1, complete: false, workflows: [workflow] };
        const inventory = { id: randomUUID(), started_at: startedAt, ...page };
        tell(() => ({ kind: 'inventory', inventory }), startedAt);
      }
    } catch (error) {
      failed(error);
    }
  }

  async function takeInventory(): Promise<void> {
    if (takingInventory) return;
    takingInventory = true;
    clearTimeout(inventoryTimer);
    let nextInMs = settings.inventorySeconds * 1_000 * (0.9 + Math.random() / 5);
    try {
      const inventory = { id: randomUUID(), started_at: now() };
      await readInventory(
        repository,
        now,
        ({ readAt, ...page }) =>
          tell(() => ({ kind: 'inventory', inventory: { ...inventory, ...page } }), readAt),
        reporter.hasRoom,
      );
    } catch (error) {
      failed(error);
      nextInMs = Math.min(nextInMs, RETRY_INVENTORY_MS);
    }
    takingInventory = false;
    if (stopped) return;
    inventoryTimer = setTimeout(() => {
      reporter.status('periodic');
      void takeInventory();
    }, nextInMs);
    inventoryTimer.unref();
  }

  function tellExecution(kind: N8nExecutionEvent['kind'], report: ExecutionReport): void {
    tell((instance) => ({ kind, report: { ...report, instance_id: instance } }));
  }

  async function watch(): Promise<void> {
    await running.look().catch(failed);
    if (settings.runningSeconds === 0 || stopped) return;
    lookTimer = setTimeout(() => void watch(), settings.runningSeconds * 1_000);
    lookTimer.unref();
  }

  /** A server that did not take the runs so far is not waited for again. */
  async function beforeTheEnd(): Promise<void> {
    try {
      endsProcess = await reporter.flush(STOP_WITHIN_MS);
    } catch (error) {
      failed(error);
    }
  }

  async function stop(): Promise<void> {
    try {
      stopped = true;
      clearTimeout(inventoryTimer);
      clearTimeout(lookTimer);
      reporter.status('stop');
      await reporter.flush(STOP_WITHIN_MS);
    } catch (error) {
      failed(error);
    }
  }

  return {
    n8n: {
      ready: [
        hook(() => {
          reporter.status('ready');
          if (reporter.role !== 'main') return;
          void takeInventory();
          if (settings.runningSeconds > 0) void watch();
        }),
      ],
      stop: [stop],
    },
    worker: { ready: [hook(() => reporter.status('ready'))] },
    workflow: {
      afterCreate: [stored('workflow.created')],
      afterUpdate: [stored('workflow.updated')],
      activate: [switched('workflow.activated')],
      deactivate: [switched('workflow.deactivated')],
      afterArchive: [named('workflow.archived')],
      afterUnarchive: [named('workflow.unarchived')],
      afterDelete: [named('workflow.deleted')],
      postExecute: [
        hook(([run, workflow, executionId]) => {
          const at = now();
          const { payloads } = settings;
          const report = pickExecution(run, workflow, executionId, { at, payloads });
          if (report === undefined) return;
          running.told(report);
          tellExecution('execution.finished', report);
          // A sub-workflow's run leaves with the one that called it.
          if (endsProcess && report.mode !== 'integrated') return beforeTheEnd();
        }),
      ],
    },
  };
}
