import {
  KNOWN_FACTORIES,
  type EntityRegistration,
  type FactoryEvent,
  type TelemetryEvent,
} from '@rollcall/client/contract';

/** What a factory event says of the fleet, in the words of telemetry and of the registry. */
export interface Making {
  event: TelemetryEvent;
  entity: EntityRegistration;
}

const known = (factory: string) =>
  Object.hasOwn(KNOWN_FACTORIES, factory)
    ? KNOWN_FACTORIES[factory as keyof typeof KNOWN_FACTORIES]
    : undefined;

const NUMBERS = ['duration_ms', 'tokens_used', 'cost_micros'] as const;
const WORDS = ['currency', 'model', 'correlation_id', 'trace_id'] as const;
const FAILURE = ['error_type', 'error_message'] as const;

/** Takes an event apart; the factory is the source of the telemetry, and the entity its target. */
export function making(told: FactoryEvent): Making {
  const { factory, operation, phase, step, entity, parent, project_id } = told;
  const entity_type = entity.entity_type ?? known(factory)?.entity_type ?? 'service';
  const event: TelemetryEvent = {
    protocol: 'factory',
    source_id: factory,
    target_id: entity.entity_id,
    workflow_id: factory,
    operation,
    status: phase === 'failed' ? 'error' : 'success',
    metadata: { phase, entity_type, ...(step && { step }) },
  };
  if (told.event_id) event.event_id = told.event_id;
  if (told.timestamp) event.timestamp = told.timestamp;
  if (project_id) event.project_id = project_id;
  for (const field of NUMBERS) if (told[field] !== undefined) event[field] = told[field];
  for (const field of WORDS) if (told[field] !== undefined) event[field] = told[field];
  if (phase === 'failed') {
    for (const field of FAILURE) if (told[field] !== undefined) event[field] = told[field];
  }
  return {
    event,
    entity: {
      ...registrationOf(told),
      entity_type,
      registered_by: known(factory)?.registered_by ?? factory.replaceAll('-', '_'),
      ...(parent && { parent }),
      ...(project_id && { project_id }),
    },
  };
}

const PLAIN = ['entity_name', 'description', 'tags', 'endpoint_url', 'version'] as const;
const FACTS = ['framework', 'llm_provider', 'agent_count', 'ai_configuration'] as const;

function registrationOf({ factory, entity }: FactoryEvent): { entity_id: string } {
  const capabilities = [
    ...(entity.capabilities ?? []),
    ...(entity.tools ?? []).map((name) => `tool:${name}`),
    ...(entity.resources ?? []).map((name) => `resource:${name}`),
    ...(entity.patterns ?? []).map((name) => `pattern:${name}`),
  ];
  const facts = Object.fromEntries(
    FACTS.filter((field) => entity[field] !== undefined).map((field) => [field, entity[field]]),
  );
  const said = Object.fromEntries(
    [...PLAIN, 'workflow' as const]
      .filter((field) => entity[field] !== undefined)
      .map((field) => [field, entity[field]]),
  );
  const tells = entity.metadata !== undefined || Object.keys(facts).length > 0;
  return {
    entity_id: entity.entity_id,
    ...said,
    ...(capabilities.length > 0 && { capabilities: [...new Set(capabilities)] }),
    ...(tells && { metadata: { ...entity.metadata, factory: { name: factory, ...facts } } }),
  };
}
