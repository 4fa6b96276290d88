import { FACTORY_PHASES, KNOWN_FACTORIES, type FactoryEvent } from '@rollcall/client/contract';
import { z } from 'zod';
import {
  entityType,
  identifier,
  metadata,
  moment,
  projectId,
  prose,
  text,
  url,
} from '../../platform/http/fields.ts';

const words = z.array(text(190)).max(500);
const count = z.number().int().min(0).max(1e12);

const FactoryEntitySchema = z
  .strictObject({
    entity_id: identifier,
    entity_type: entityType.optional(),
    entity_name: text(255).optional(),
    description: prose(4000).optional(),
    capabilities: words.optional(),
    tags: words.optional(),
    endpoint_url: url(2000).optional(),
    version: text(200).optional(),
    framework: text(200).optional(),
    llm_provider: text(200).optional(),
    agent_count: z.number().int().min(0).max(1_000_000).optional(),
    tools: words.optional(),
    resources: words.optional(),
    patterns: words.optional(),
    ai_configuration: metadata.optional(),
    metadata: metadata.optional(),
    workflow: z.record(z.string(), z.unknown()).optional().meta({
      description: 'n8n workflow JSON; read for capabilities and dependencies, not stored.',
    }),
  })
  .meta({ id: 'FactoryEntity' });

export const FactoryEventSchema = z
  .strictObject({
    event_id: z.uuid().optional(),
    timestamp: moment.optional(),
    factory: entityType.meta({
      description: `One of ${Object.keys(KNOWN_FACTORIES).join(', ')}, or a word of your own.`,
    }),
    operation: text(255),
    phase: z.enum(FACTORY_PHASES),
    step: text(255).optional(),
    entity: FactoryEntitySchema,
    parent: z.strictObject({ entity_type: entityType, entity_id: identifier }).optional(),
    duration_ms: z.number().min(0).max(1e12).optional(),
    tokens_used: count.optional(),
    cost_micros: count.optional(),
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/, 'must be three capital letters (ISO 4217)')
      .optional(),
    model: text(255).optional(),
    correlation_id: identifier.optional(),
    trace_id: z
      .string()
      .regex(/^[0-9a-f]{32}$/, 'must be 32 lower-case hex digits')
      .optional(),
    project_id: projectId.optional(),
    error_type: text(255).optional(),
    error_message: prose(8000).optional(),
  })
  .refine(({ factory, entity }) => entity.entity_type ?? Object.hasOwn(KNOWN_FACTORIES, factory), {
    error: 'is required, for Rollcall does not know what this factory makes',
    path: ['entity', 'entity_type'],
    params: { code: 'required' },
  })
  .meta({ id: 'FactoryEvent' }) satisfies z.ZodType<FactoryEvent>;
