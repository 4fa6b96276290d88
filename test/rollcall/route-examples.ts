import { cadenceExamples } from './cadence-examples.ts';
import { connectionExamples } from './connection-examples.ts';
import { executionExample } from './execution-example.ts';
import { executionReadExamples } from './execution-read-examples.ts';
import { fixExamples } from './fix-examples.ts';
import { n8nExamples } from './n8n-examples.ts';
import { traceExample } from './trace-example.ts';
import { webhookExamples } from './webhook-examples.ts';
import type { Route } from '../../server/src/platform/http/route.ts';

/** What a request may name: somebody's rows, or nobody's. */
export interface Names {
  entity_type: string;
  entity_id: string;
  parent_id: string;
  event_id: string;
  project_id: string;
  gap_id: string;
  fix_id: string;
  key_id: string;
  connection_id: string;
  webhook_id: string;
  delivery_id: string;
  audit_id: string;
  /** Of an n8n. */
  instance_id: string;
  /** A text that stands in names and tags. */
  word: string;
  /** Of the lists, by path. */
  cursors: Record<string, string>;
}

export interface RouteExample {
  params?: Record<string, string>;
  query?: Record<string, string>;
  body?: unknown;
}

export const nameOf = ({ method, path }: Pick<Route, 'method' | 'path'>): string =>
  `${method.toUpperCase()} ${path}`;

/** The path and query of a request to a route. */
export function addressOf(path: string, { params = {}, query }: RouteExample): string {
  const filled = path.replace(/:([a-z_]+)/g, (_, name: string) =>
    encodeURIComponent(params[name] ?? ''),
  );
  return query ? `${filled}?${new URLSearchParams(query).toString()}` : filled;
}

/** For every route, by `nameOf`: good requests, the first of which says as much as it may. */
export function routeExamples(names: Names): Record<string, RouteExample[]> {
  const entity = { entity_type: names.entity_type, entity_id: names.entity_id };
  const parent = { entity_type: 'team', entity_id: names.parent_id };
  const gap = { id: names.gap_id };
  const later = '2199-01-01T00:00:00Z';
  const page = (path: string, filter: Record<string, string>): RouteExample[] => [
    { query: { limit: '2', ...filter } },
    ...Object.entries(filter).map(([field, value]) => ({ query: { [field]: value } })),
    ...(names.cursors[path] ? [{ query: { cursor: names.cursors[path] } }] : []),
    {},
  ];
  const event = {
    event_id: names.event_id,
    protocol: 'mcp',
    source_id: names.entity_id,
    target_id: names.parent_id,
    operation: 'search',
    status: 'error',
    duration_ms: 12.5,
    tokens_used: 100,
    cost_micros: 2000,
    currency: 'EUR',
    model: 'gpt-4o',
    correlation_id: `${names.word}-correlation`,
    trace_id: names.event_id.replaceAll('-', ''),
    workflow_id: names.entity_id,
    execution_id: `${names.word}-execution`,
    user_id: `${names.word}-user`,
    project_id: 'default',
    error_type: 'Timeout',
    error_message: 'took too long',
    metadata: { word: names.word },
  };
  return {
    'GET /healthz': [{}],
    'GET /readyz': [{}],
    'GET /api/v1/whoami': [{}],
    'POST /api/v1/keys': [
      {
        body: { name: 'example', scopes: ['gaps:read'], project_id: 'default', expires_at: later },
      },
      { body: { name: 'example', scopes: ['admin'], project_id: names.project_id } },
    ],
    'GET /api/v1/keys': page('/api/v1/keys', {}),
    'DELETE /api/v1/keys/:id': [{ params: { id: names.key_id } }],
    'POST /api/v1/projects': [
      { body: { project_id: names.project_id, name: `${names.word} project` } },
      { body: { project_id: names.project_id } },
    ],
    'GET /api/v1/projects': page('/api/v1/projects', {}),
    'POST /api/v1/telemetry': [
      { body: event },
      { body: [event, { ...event, project_id: names.project_id }] },
    ],
    'GET /api/v1/telemetry': page('/api/v1/telemetry', {
      correlation_id: event.correlation_id,
      source_id: event.source_id,
      target_id: event.target_id,
      protocol: event.protocol,
      status: event.status,
      workflow_id: event.workflow_id,
      execution_id: event.execution_id,
      trace_id: event.trace_id,
      from: '2001-01-01T00:00:00Z',
      to: later,
      received_from: '2001-01-01T00:00:00Z',
    }),
    'POST /api/v1/entities': [
      {
        body: {
          ...entity,
          entity_name: `${names.word} name`,
          description: `${names.word} description`,
          registered_by: names.word,
          capabilities: [`${names.word}:search`],
          tags: [names.word],
          endpoint_url: 'https://example.com/hook',
          parent,
          dependencies: [{ entity_type: 'service', entity_id: names.parent_id }],
          project_id: 'default',
          version: '1.2.3',
          definition_hash: 'sha256:0',
          metadata: { word: names.word },
          silent_after_seconds: 3600,
          current_state: 'active',
          health_status: 'healthy',
          workflow: { name: names.word, nodes: [{ name: 'A', type: 'n8n-nodes-base.noOp' }] },
        },
      },
      { body: { ...entity, project_id: names.project_id } },
      { body: { ...parent, parent: entity, dependencies: [entity] } },
    ],
    'GET /api/v1/entities': page('/api/v1/entities', {
      entity_type: names.entity_type,
      current_state: 'active',
      health_status: 'healthy',
      tag: names.word,
      capability: `${names.word}:search`,
      parent_type: 'team',
      parent_id: names.parent_id,
      project_id: names.project_id,
      text: names.word,
      sort: 'updated_at',
    }),
    'GET /api/v1/entities/:entity_type/:entity_id': [{ params: entity }, { params: parent }],
    'DELETE /api/v1/entities/:entity_type/:entity_id': [{ params: entity }, { params: parent }],
    'PUT /api/v1/entities/:entity_type/:entity_id/state': [
      {
        params: entity,
        body: { new_state: 'archived', health_status: 'unhealthy', reason: 'example' },
      },
    ],
    'GET /api/v1/entities/:entity_type/:entity_id/state': [
      { params: entity, query: { limit: '1' } },
      { params: entity, query: { cursor: Buffer.from('[9000]').toString('base64url') } },
    ],
    'POST /api/v1/entities/:entity_type/:entity_id/heartbeat': [
      { params: entity, body: { health_status: 'degraded' } },
    ],
    'POST /api/v1/executions/ingest': [
      { body: executionExample(names) },
      { body: { ...executionExample(names), project_id: names.project_id } },
    ],
    ...executionReadExamples(names, page),
    ...n8nExamples(names, page),
    ...connectionExamples(names, page),
    'HEAD /v1/traces': [{}],
    'POST /v1/traces': [{ body: traceExample(names) }],
    'POST /api/v1/factories/events': [
      {
        body: {
          event_id: names.event_id,
          timestamp: new Date().toISOString(),
          factory: 'mcp-factory',
          operation: 'deploy_server',
          phase: 'failed',
          step: 'build image',
          entity: {
            entity_id: `${names.word}-made`,
            entity_type: 'mcp_server',
            entity_name: names.word,
            description: names.word,
            capabilities: [names.word],
            tags: [names.word],
            endpoint_url: 'https://example.com/mcp',
            version: '1',
            framework: 'none',
            llm_provider: 'none',
            agent_count: 1,
            tools: ['search'],
            resources: ['files'],
            patterns: ['fan-out'],
            ai_configuration: { model: 'gpt-4o' },
            metadata: { word: names.word },
            workflow: { name: names.word, nodes: [{ name: 'A', type: 'n8n-nodes-base.noOp' }] },
          },
          parent,
          duration_ms: 12.5,
          tokens_used: 1,
          cost_micros: 1,
          currency: 'EUR',
          model: 'gpt-4o',
          correlation_id: names.word,
          trace_id: names.event_id.replaceAll('-', ''),
          project_id: 'default',
          error_type: 'Timeout',
          error_message: 'took too long',
        },
      },
    ],
    'GET /api/v1/gaps': page('/api/v1/gaps', {
      kind: 'orphaned',
      state: 'open',
      severity: 'warning',
      grade: 'certain',
      inhibited_by: names.gap_id,
      entity_type: names.entity_type,
      entity_id: names.entity_id,
    }),
    'POST /api/v1/gaps/check': [{}],
    ...cadenceExamples(names),
    'GET /api/v1/gaps/rules': [{}],
    'PUT /api/v1/gaps/rules': [
      {
        body: {
          entity_type: names.entity_type,
          needs_parent: false,
          silent_after_seconds: 60,
          stuck_after_seconds: 60,
          grace_seconds: 60,
        },
      },
    ],
    'GET /api/v1/gaps/:id': [{ params: gap }],
    ...fixExamples(names, page),
    'POST /api/v1/gaps/:id/mute': [{ params: gap, body: { reason: 'example', until: later } }],
    'DELETE /api/v1/gaps/:id/mute': [{ params: gap }],
    ...webhookExamples(names, page),
    'GET /api/v1/live': [
      { query: { topics: 'executions,telemetry,registry,gaps', follow: 'false' } },
      { query: { follow: 'false' } },
    ],
    'GET /api/v1/overview': [{ query: { window_seconds: '86400' } }],
    'GET /api/v1/patterns': [
      ...page('/api/v1/patterns', {
        window_seconds: '86400',
        source_id: names.entity_id,
        target_id: names.parent_id,
        protocol: 'mcp',
      }),
    ],
    'GET /api/v1/pairs': [{ query: { limit: '5', window_seconds: '86400' } }],
  };
}
