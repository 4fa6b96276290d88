import type { Names, RouteExample } from './route-examples.ts';

/** Requests about when entities have to report. */
export function cadenceExamples(names: Names): Record<string, RouteExample[]> {
  const entity = { entity_type: names.entity_type, entity_id: names.entity_id };
  const instance = { instance_id: names.instance_id };
  return {
    'POST /api/v1/gaps/simulate': [
      { body: { ahead_seconds: 864_000, limit: 100 } },
      { body: { ahead_seconds: 60 } },
    ],
    'GET /api/v1/entities/:entity_type/:entity_id/cadence': [
      { params: entity },
      { params: { entity_type: 'team', entity_id: names.parent_id } },
    ],
    'PUT /api/v1/n8n/instances/:instance_id/timezone': [
      { params: instance, body: { timezone: 'Europe/Berlin' } },
      { params: instance, body: { timezone: null } },
    ],
  };
}
