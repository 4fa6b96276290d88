import type { EntityReference } from './registry.ts';
import type { EntityType } from './vocabulary.ts';

/** How far a factory is with what it makes. */
export const FACTORY_PHASES = ['started', 'step', 'succeeded', 'failed'] as const;
export type FactoryPhase = (typeof FACTORY_PHASES)[number];

/**
 * Factories that Rollcall knows by name: as whom they register, and what they make. Any other kebab or snake word
 * is accepted too; it registers under its own name and has to say the entity's type.
 */
export const KNOWN_FACTORIES = {
  'team-factory': { registered_by: 'team_factory', entity_type: 'team' },
  'mcp-factory': { registered_by: 'mcp_server_factory', entity_type: 'mcp_server' },
  'n8n-factory-v3': { registered_by: 'n8n_workflow_factory_v3', entity_type: 'workflow' },
} as const;
export type FactoryName = keyof typeof KNOWN_FACTORIES | (string & {});

export interface FactoryEntity {
  entity_id: string;
  /** What the factory makes, when left out. */
  entity_type?: EntityType;
  entity_name?: string;
  description?: string;
  capabilities?: string[];
  tags?: string[];
  endpoint_url?: string;
  version?: string;
  /** Of a team. */
  framework?: string;
  llm_provider?: string;
  agent_count?: number;
  /** Of an MCP server. */
  tools?: string[];
  resources?: string[];
  /** Of a workflow. */
  patterns?: string[];
  ai_configuration?: Record<string, unknown>;
  metadata?: Record<string, unknown>;
  /** n8n workflow JSON, read for capabilities and dependencies; not stored. */
  workflow?: Record<string, unknown>;
}

/** One moment in the making of an entity. */
export interface FactoryEvent {
  /** Client-made UUID; a retry carries the same one. */
  event_id?: string;
  /** ISO 8601 with offset. The server's clock when left out. */
  timestamp?: string;
  factory: FactoryName;
  /** E.g. `create_team`, `deploy_server`. */
  operation: string;
  phase: FactoryPhase;
  /** Name of the step, with `step` or where it failed. */
  step?: string;
  entity: FactoryEntity;
  /** What the entity belongs to, e.g. the team of a workflow. */
  parent?: EntityReference;
  /** Milliseconds. */
  duration_ms?: number;
  tokens_used?: number;
  cost_micros?: number;
  currency?: string;
  model?: string;
  /** Ties the events of one making together. */
  correlation_id?: string;
  trace_id?: string;
  project_id?: string;
  error_type?: string;
  error_message?: string;
}
