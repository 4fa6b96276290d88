import type {
  Gap,
  GapCheck,
  GapDetail,
  GapFilter,
  GapRule,
  GapSimulation,
} from '@rollcall/client/contract';
import type { Database } from '../../platform/database/port.ts';
import type { Rows } from '../../platform/http/page.ts';

interface Author {
  tenant: string;
  actor: string;
}

interface Mute {
  reason: string;
  until: string;
}

export const gapsStore = (database: Database) => ({
  /** Not full: only what may have changed since the last check. */
  check: (tenant: string, now: Date, full = true) =>
    database.call<GapCheck>('check_gaps', {
      p_tenant: tenant,
      p_now: now.toISOString(),
      p_full: full,
    }),

  simulate: (tenant: string, now: Date, aheadSeconds: number, limit: number) =>
    database.call<GapSimulation>('simulate_gaps', {
      p_tenant: tenant,
      p_now: now.toISOString(),
      p_ahead_seconds: aheadSeconds,
      p_limit: limit,
    }),

  show: (tenant: string, gap: string, now: Date) =>
    database.call<GapDetail>('show_gap', {
      p_tenant: tenant,
      p_gap: gap,
      p_now: now.toISOString(),
    }),

  list: (tenant: string, filter: GapFilter, now: Date, limit: number, after: unknown[] | null) =>
    database.call<Rows<Gap>>('list_gaps', {
      p_tenant: tenant,
      p_filter: filter,
      p_now: now.toISOString(),
      p_limit: limit,
      p_after: after,
    }),

  get: (tenant: string, gap: string, now: Date) =>
    database.call<Gap>('get_gap', { p_tenant: tenant, p_gap: gap, p_now: now.toISOString() }),

  /** @param mute `null` ends the mute */
  mute: ({ tenant, actor }: Author, gap: string, mute: Mute | null, now: Date) =>
    database.call<Gap>('mute_gap', {
      p_tenant: tenant,
      p_gap: gap,
      p_reason: mute?.reason ?? null,
      p_until: mute?.until ?? null,
      p_actor: actor,
      p_now: now.toISOString(),
    }),

  listRules: (tenant: string) =>
    database.call<Rows<GapRule>>('list_gap_rules', { p_tenant: tenant }),

  setRule: (tenant: string, rule: GapRule) =>
    database.call<GapRule>('set_gap_rule', {
      p_tenant: tenant,
      p_type: rule.entity_type,
      p_needs_parent: rule.needs_parent,
      p_silent_after_seconds: rule.silent_after_seconds,
      p_stuck_after_seconds: rule.stuck_after_seconds,
      p_grace_seconds: rule.grace_seconds ?? null,
    }),
});

export type GapsStore = ReturnType<typeof gapsStore>;
