import type { Names, RouteExample } from './route-examples.ts';

/** Webhooks and audits, by route: good requests. */
export function webhookExamples(
  names: Names,
  page: (path: string, filter: Record<string, string>) => RouteExample[],
): Record<string, RouteExample[]> {
  const webhook = { id: names.webhook_id };
  return {
    'POST /api/v1/webhooks': [
      {
        body: {
          url: 'http://127.0.0.1:9/hook',
          events: ['gap.opened', 'gap.closed', 'entity.state_changed'],
          filter: {
            kinds: ['orphaned'],
            severities: ['warning'],
            grades: ['certain'],
            entity_types: [names.entity_type],
            states: ['active'],
          },
          description: names.word,
        },
      },
      { body: { url: 'http://127.0.0.1:9/hook', description: names.word } },
    ],
    'GET /api/v1/webhooks': page('/api/v1/webhooks', { url: 'http://127.0.0.1:9/hook' }),
    'GET /api/v1/webhooks/:id': [{ params: webhook }],
    'DELETE /api/v1/webhooks/:id': [{ params: webhook }],
    'GET /api/v1/webhooks/:id/deliveries': [
      { params: webhook, query: { limit: '1', status: 'dead' } },
      { params: webhook },
    ],
    'POST /api/v1/webhooks/:id/deliveries/:delivery_id/retry': [
      { params: { ...webhook, delivery_id: names.delivery_id } },
    ],
    'POST /api/v1/webhooks/:id/test': [{ params: webhook }],
    'GET /api/v1/audit': [
      { query: { since: '1w', format: 'json' } },
      { query: { format: 'html' } },
      { query: { since: '2001-01-01T00:00:00Z', format: 'md' } },
      {},
    ],
    'GET /api/v1/audits': page('/api/v1/audits', {}),
    'GET /api/v1/audits/:id': [
      { params: { id: names.audit_id }, query: { format: 'json' } },
      { params: { id: names.audit_id }, query: { format: 'html' } },
      { params: { id: names.audit_id } },
    ],
  };
}
