import type { Names, RouteExample } from './route-examples.ts';

/** Good requests to the routes that fix gaps, and to the one that instruments workflows. */
export function fixExamples(
  names: Names,
  page: (path: string, filter: Record<string, string>) => RouteExample[],
): Record<string, RouteExample[]> {
  const later = '2199-01-01T00:00:00Z';
  const gap = { id: names.gap_id };
  const fix = { params: { id: names.fix_id } };
  const choice = {
    action: 'mute',
    dry_run: true,
    entity_type: names.entity_type,
    parent_type: 'team',
    parent_id: names.parent_id,
    new_state: 'inactive',
    credential: 'Rollcall',
    reason: 'example',
    until: later,
  };
  const filter = {
    kind: 'orphaned',
    state: 'open',
    severity: 'warning',
    entity_type: names.entity_type,
    entity_id: names.entity_id,
  };
  return {
    'POST /api/v1/gaps/:id/fix': [
      { params: gap, body: { ...choice, entity_name: names.word } },
      ...['register', 'reparent', 'detach', 'set_state', 'mark_deleted', 'drop_dependency'].map(
        (action) => ({
          params: gap,
          body: { action, parent_type: 'team', parent_id: names.parent_id },
        }),
      ),
    ],
    'POST /api/v1/gaps/fix': [
      { body: { ...choice, filter, limit: 10, cursor: names.cursors['/api/v1/gaps'] } },
      { body: { ...choice, filter: { entity_id: names.entity_id } } },
      { body: { action: 'instrument', filter: { entity_id: names.entity_id } } },
    ],
    'GET /api/v1/gaps/fixes': page('/api/v1/gaps/fixes', {
      gap_id: names.gap_id,
      kind: 'orphaned',
      action: 'mute',
      status: 'done',
      entity_type: 'agent',
      entity_id: `${names.word}-one`,
      from: '2001-01-01T00:00:00Z',
      to: later,
    }),
    'GET /api/v1/gaps/fixes/:id': [fix],
    'POST /api/v1/gaps/fixes/:id/retry': [fix],
    'POST /api/v1/gaps/fixes/:id/undo': [fix],
    'POST /api/v1/workflows/instrument': [
      {
        body: {
          workflow: {
            name: names.word,
            nodes: [
              { id: 'a', name: 'Hook', type: 'n8n-nodes-base.webhook', position: [0, 0] },
              { id: 'b', name: 'Set', type: 'n8n-nodes-base.set', position: [220, 0] },
            ],
            connections: { Hook: { main: [[{ node: 'Set', type: 'main', index: 0 }]] } },
          },
          options: { credential: 'Rollcall', credential_id: 'x', register: true },
          remove: false,
        },
      },
      { body: { workflow: { name: names.word, nodes: [] }, remove: true } },
    ],
  };
}
