import type { Clock } from '../../platform/clock.ts';
import { fromCursor, pageOf, sortField, toPage } from '../../platform/http/page.ts';
import { route, type Route } from '../../platform/http/route.ts';
import {
  GapCheckSchema,
  GapDetailSchema,
  GapMuteRequestSchema,
  GapPath,
  GapQuery,
  GapRuleSchema,
  GapSchema,
  GapSimulationRequestSchema,
  GapSimulationSchema,
} from './gaps.schema.ts';
import type { GapsStore } from './gaps.store.ts';

export function gapsRoutes(store: GapsStore, clock: Clock): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/v1/gaps',
      access: 'gaps:read',
      summary: 'List gaps, longest open first',
      description: 'As the last check found them; POST /api/v1/gaps/check looks again.',
      query: GapQuery,
      response: pageOf(GapSchema),
      handle: async ({ tenant, query: { limit, cursor, ...filter } }) =>
        toPage(
          await store.list(
            tenant,
            filter,
            clock(),
            limit,
            fromCursor(cursor, [sortField.timestamp, sortField.uuid]),
          ),
        ),
    }),
    route({
      method: 'post',
      path: '/api/v1/gaps/check',
      access: 'gaps:write',
      summary: 'Look for gaps now',
      response: GapCheckSchema,
      handle: ({ tenant }) => store.check(tenant, clock()),
    }),
    route({
      method: 'post',
      path: '/api/v1/gaps/simulate',
      access: 'gaps:write',
      summary: 'What would become a gap if nothing reported any more',
      description: 'Until `ahead_seconds` from now, soonest first. Nothing is written.',
      body: GapSimulationRequestSchema,
      response: GapSimulationSchema,
      handle: ({ tenant, body }) =>
        store.simulate(tenant, clock(), body.ahead_seconds, body.limit ?? 100),
    }),
    route({
      method: 'get',
      path: '/api/v1/gaps/rules',
      access: 'gaps:read',
      summary: 'Limits by entity type',
      response: pageOf(GapRuleSchema),
      handle: async ({ tenant }) => toPage(await store.listRules(tenant)),
    }),
    route({
      method: 'put',
      path: '/api/v1/gaps/rules',
      access: 'gaps:write',
      summary: 'Set the limits of an entity type',
      body: GapRuleSchema,
      response: GapRuleSchema,
      handle: ({ tenant, body }) => store.setRule(tenant, body),
    }),
    route({
      method: 'get',
      path: '/api/v1/gaps/:id',
      access: 'gaps:read',
      summary: 'One gap',
      params: GapPath,
      description: 'With what became of it since it opened, and the gaps that it explains.',
      response: GapDetailSchema,
      handle: ({ tenant, params }) => store.show(tenant, params.id, clock()),
    }),
    route({
      method: 'post',
      path: '/api/v1/gaps/:id/mute',
      access: 'gaps:write',
      summary: 'Mute a gap until a date, with a reason',
      description: 'A muted gap is still checked, and closes when its cause is gone.',
      params: GapPath,
      body: GapMuteRequestSchema,
      response: GapSchema,
      handle: (request) => store.mute(request, request.params.id, request.body, clock()),
    }),
    route({
      method: 'delete',
      path: '/api/v1/gaps/:id/mute',
      access: 'gaps:write',
      summary: 'End a mute',
      params: GapPath,
      response: GapSchema,
      handle: (request) => store.mute(request, request.params.id, null, clock()),
    }),
  ];
}
