import { randomUUID } from 'node:crypto';
import type { N8nHooksStatusEvent, N8nInventoryEvent } from '../../client/src/contract/index.ts';
import type { Names, RouteExample } from './route-examples.ts';

const minute = () => new Date(Math.floor(Date.now() / 60_000) * 60_000).toISOString();

const originOf = ({ instance_id, event_id }: Names) => ({
  id: event_id,
  occurred_at: minute(),
  instance_id,
  instance_role: 'main' as const,
  n8n_version: '2.41.1',
  hooks_version: '0.1.0',
});

/** An event that says as much as it may. */
const inventory = (names: Names): N8nInventoryEvent => ({
  ...originOf(names),
  kind: 'inventory',
  inventory: {
    id: names.event_id,
    started_at: minute(),
    page: 1,
    pages: 1,
    complete: true,
    workflows: [
      {
        id: `${names.word}-flow`,
        name: `${names.word} flow`,
        active: true,
        is_archived: false,
        version_id: `${names.word}-version`,
        active_version_id: `${names.word}-version`,
        trigger_count: 1,
        tags: [names.word],
        project: { id: `${names.word}-project`, name: names.word, type: 'team' },
        node_count: 1,
        definition: 'stored',
        definition_hash: `sha256:${'0'.repeat(64)}`,
        nodes: [
          {
            id: `${names.word}-node`,
            name: names.word,
            type: 'n8n-nodes-base.webhook',
            parameters: { path: 'a' },
            hashes: { parameters: '0'.repeat(16) },
          },
        ],
        connections: {},
        settings: { timezone: 'UTC' },
      },
    ],
  },
});

const status = (names: Names): N8nHooksStatusEvent => ({
  ...originOf(names),
  id: randomUUID(),
  kind: 'hooks.status',
  hooks: {
    when: 'periodic',
    started_at: minute(),
    accepted: 1,
    rejected: 0,
    dropped: 0,
    queued: 0,
    queued_bytes: 0,
    failed_requests: 0,
    errors: 0,
    last_error: names.word,
  },
});

/** Events that leave a row in every table of n8n. */
export const n8nEvents = (names: Names): object[] => [
  { ...inventory(names), id: randomUUID() },
  status(names),
  {
    id: randomUUID(),
    eventName: 'n8n.ai.llm.generated',
    ts: minute(),
    payload: {
      executionId: `${names.word}-logged`,
      workflowId: `${names.word}-flow`,
      nodeName: names.word,
    },
  },
  { event: `${names.word} happened`, word: names.word, timestamp: minute() },
  {
    ...originOf(names),
    id: randomUUID(),
    kind: 'workflow.created',
    workflow: { id: `${names.word}-new`, name: names.word, active: false },
  },
];

/** What takes in and tells of n8n, by route: good requests. */
export function n8nExamples(
  names: Names,
  page: (path: string, filter: Record<string, string>) => RouteExample[],
): Record<string, RouteExample[]> {
  const { instance_id } = names;
  return {
    'POST /api/v1/n8n/webhook': [
      { query: { instance_id }, body: inventory(names) },
      { body: n8nEvents(names) },
    ],
    'GET /api/v1/n8n/instances': page('/api/v1/n8n/instances', {}),
    'GET /api/v1/n8n/workflows': page('/api/v1/n8n/workflows', {
      instance_id,
      workflow_id: `${names.word}-flow`,
      active: 'true',
      archived: 'false',
      deleted: 'false',
      text: names.word,
    }),
    'GET /api/v1/n8n/events': page('/api/v1/n8n/events', { instance_id, handling: 'applied' }),
  };
}
