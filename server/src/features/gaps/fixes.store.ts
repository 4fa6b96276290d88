import type {
  BulkFixResult,
  FixChange,
  FixChoice,
  GapFilter,
  GapFix,
  GapFixFilter,
  GapFixOutcome,
  GapFixRequest,
  GapFixResult,
} from '@rollcall/client/contract';
import type { Database } from '../../platform/database/port.ts';
import type { Rows } from '../../platform/http/page.ts';

export interface Author {
  tenant: string;
  actor: string;
}

/** What n8n has to do about a gap: nothing is done yet. */
export type N8nPlan = Pick<GapFixResult, 'summary' | 'gap'> & {
  in_n8n: true;
  action: 'reactivate' | 'restore' | 'instrument';
  arguments: { instance_id: string; workflow_id: string; version?: string; credential?: string };
};

/** A fix that n8n has carried out, or was asked to; the workflows are JSON texts. */
export interface N8nFix {
  in_n8n: true;
  fix: GapFix & Pick<N8nPlan, 'action' | 'arguments'>;
  workflow_before: string;
  workflow_after: string;
}

type Bulk = Omit<BulkFixResult, 'next_cursor'> & Pick<Rows<never>, 'next'>;

export const fixesStore = (database: Database) => ({
  fix: ({ tenant, actor }: Author, gap: string, fix: GapFixRequest, now: Date) =>
    database.call<GapFixResult | N8nPlan>('fix_gap', {
      p_tenant: tenant,
      p_gap: gap,
      p_fix: fix,
      p_actor: actor,
      p_now: now.toISOString(),
    }),

  fixMany: (
    { tenant, actor }: Author,
    filter: GapFilter,
    fix: FixChoice,
    page: { now: Date; limit: number; after: unknown[] | null },
  ) =>
    database.call<Bulk>('fix_gaps', {
      p_tenant: tenant,
      p_filter: filter,
      p_fix: fix,
      p_actor: actor,
      p_now: page.now.toISOString(),
      p_limit: page.limit,
      p_after: page.after,
    }),

  list: (tenant: string, filter: GapFixFilter, limit: number, after: unknown[] | null) =>
    database.call<Rows<GapFix>>('list_gap_fixes', {
      p_tenant: tenant,
      p_filter: filter,
      p_limit: limit,
      p_after: after,
    }),

  get: (tenant: string, fix: string) =>
    database.call<GapFix>('get_gap_fix', { p_tenant: tenant, p_fix: fix }),

  undo: ({ tenant, actor }: Author, fix: string, now: Date) =>
    database.call<GapFixOutcome | N8nFix>('undo_gap_fix', {
      p_tenant: tenant,
      p_fix: fix,
      p_actor: actor,
      p_now: now.toISOString(),
    }),

  /** Keeps what n8n is about to be asked, before it is. */
  begin: (
    { tenant, actor }: Author,
    { action, summary, gap, ...plan }: N8nPlan,
    workflow: { before: string; after: string; changes: FixChange[] },
    now: Date,
  ) =>
    database.call<GapFixOutcome>('begin_remote_fix', {
      p_tenant: tenant,
      p_gap: gap.id,
      p_fix: { action, summary, arguments: plan.arguments },
      p_workflow_before: workflow.before,
      p_workflow_after: workflow.after,
      p_changes: workflow.changes,
      p_actor: actor,
      p_now: now.toISOString(),
    }),

  /** What became of it; `workflow` as n8n has it now, as JSON text. */
  finish: (
    { tenant, actor }: Author,
    fix: string,
    outcome: { status: GapFix['status']; error?: string; workflow?: string },
    now: Date,
  ) =>
    database.call<GapFixOutcome>('finish_remote_fix', {
      p_tenant: tenant,
      p_fix: fix,
      p_status: outcome.status,
      p_error: outcome.error ?? null,
      p_workflow: outcome.workflow ?? null,
      p_actor: actor,
      p_now: now.toISOString(),
    }),
});

export type FixesStore = ReturnType<typeof fixesStore>;
