import type { Clock } from '../../platform/clock.ts';
import { fromCursor, pageOf, sortField, toPage } from '../../platform/http/page.ts';
import { route, type Route } from '../../platform/http/route.ts';
import {
  CommunicationPairSchema,
  CommunicationPatternSchema,
  OverviewQuery,
  OverviewSchema,
  PairQuery,
  PatternQuery,
} from './analytics.schema.ts';
import type { AnalyticsStore } from './analytics.store.ts';

const PATTERN_CURSOR = [sortField.number, sortField.text, sortField.text, sortField.text];

export function analyticsRoutes(store: AnalyticsStore, clock: Clock): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/v1/overview',
      access: 'telemetry:read',
      summary: 'The fleet at a glance',
      query: OverviewQuery,
      response: OverviewSchema,
      handle: ({ tenant, query }) => store.overview(tenant, query.window_seconds, clock()),
    }),
    route({
      method: 'get',
      path: '/api/v1/patterns',
      access: 'telemetry:read',
      summary: 'Who calls whom over what, busiest first',
      query: PatternQuery,
      response: pageOf(CommunicationPatternSchema),
      handle: async ({ tenant, query: { limit, cursor, window_seconds, ...filter } }) =>
        toPage(
          await store.patterns(
            tenant,
            filter,
            window_seconds,
            clock(),
            limit,
            fromCursor(cursor, PATTERN_CURSOR),
          ),
        ),
    }),
    route({
      method: 'get',
      path: '/api/v1/pairs',
      access: 'telemetry:read',
      summary: 'The busiest pairs over all protocols',
      query: PairQuery,
      response: pageOf(CommunicationPairSchema),
      handle: async ({ tenant, query }) =>
        toPage(await store.pairs(tenant, query.window_seconds, clock(), query.limit)),
    }),
  ];
}
