import type {
  CommunicationPair,
  CommunicationPattern,
  Overview,
  Protocol,
} from '@rollcall/client/contract';
import type { Database } from '../../platform/database/port.ts';
import type { Rows } from '../../platform/http/page.ts';

export interface PatternFilter {
  source_id?: string | undefined;
  target_id?: string | undefined;
  protocol?: Protocol | undefined;
}

const within = (tenant: string, windowSeconds: number, now: Date) => ({
  p_tenant: tenant,
  p_window_seconds: windowSeconds,
  p_now: now.toISOString(),
});

export const analyticsStore = (database: Database) => ({
  overview: (tenant: string, windowSeconds: number, now: Date) =>
    database.call<Overview>('overview', within(tenant, windowSeconds, now)),

  patterns: (
    tenant: string,
    filter: PatternFilter,
    windowSeconds: number,
    now: Date,
    limit: number,
    after: unknown[] | null,
  ) =>
    database.call<Rows<CommunicationPattern>>('list_patterns', {
      ...within(tenant, windowSeconds, now),
      p_filter: filter,
      p_limit: limit,
      p_after: after,
    }),

  pairs: (tenant: string, windowSeconds: number, now: Date, limit: number) =>
    database.call<Rows<CommunicationPair>>('top_pairs', {
      ...within(tenant, windowSeconds, now),
      p_limit: limit,
    }),
});

export type AnalyticsStore = ReturnType<typeof analyticsStore>;
