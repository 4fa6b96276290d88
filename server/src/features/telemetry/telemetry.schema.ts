import type {
  StoredTelemetryEvent,
  TelemetryEvent,
  TelemetryFilter,
} from '@rollcall/client/contract';
import { z } from 'zod';
import {
  identifier,
  metadata,
  moment,
  projectId,
  protocol,
  prose,
  telemetryStatus,
  text,
} from '../../platform/http/fields.ts';
import { paging } from '../../platform/http/page.ts';

const count = z.number().int().min(0).max(1e12);
const traceId = z.string().regex(/^[0-9a-f]{32}$/, 'must be 32 lower-case hex digits');

export const TelemetryEventSchema = z
  .strictObject({
    event_id: z.uuid().optional(),
    timestamp: moment.optional(),
    protocol,
    source_id: identifier,
    target_id: identifier,
    operation: text(255).optional(),
    status: telemetryStatus,
    duration_ms: z.number().min(0).max(1e12).optional(),
    tokens_used: count.optional(),
    cost_micros: count.optional(),
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/, 'must be three capital letters (ISO 4217)')
      .optional(),
    model: text(255).optional(),
    correlation_id: identifier.optional(),
    trace_id: traceId.optional(),
    workflow_id: identifier.optional(),
    execution_id: identifier.optional(),
    user_id: identifier.optional(),
    project_id: projectId.optional(),
    error_type: text(255).optional(),
    error_message: prose(8000).optional(),
    metadata: metadata.optional(),
  })
  .meta({ id: 'TelemetryEvent' }) satisfies z.ZodType<TelemetryEvent>;

export const StoredTelemetryEventSchema = z
  .object({
    event_id: z.string(),
    timestamp: z.string(),
    received_at: z.string(),
    protocol,
    source_id: z.string(),
    target_id: z.string(),
    operation: z.string().nullable(),
    status: telemetryStatus,
    duration_ms: z.number().nullable(),
    tokens_used: z.number().nullable(),
    cost_micros: z.number().nullable(),
    currency: z.string().nullable(),
    model: z.string().nullable(),
    correlation_id: z.string().nullable(),
    trace_id: z.string().nullable(),
    workflow_id: z.string().nullable(),
    execution_id: z.string().nullable(),
    user_id: z.string().nullable(),
    project_id: z.string(),
    error_type: z.string().nullable(),
    error_message: z.string().nullable(),
    metadata: z.record(z.string(), z.unknown()).nullable(),
  })
  .meta({ id: 'StoredTelemetryEvent' }) satisfies z.ZodType<StoredTelemetryEvent>;

export const TelemetryQuery = z.strictObject({
  ...paging,
  correlation_id: identifier.optional(),
  source_id: identifier.optional(),
  target_id: identifier.optional(),
  protocol: protocol.optional(),
  status: telemetryStatus.optional(),
  workflow_id: identifier.optional(),
  execution_id: identifier.optional(),
  trace_id: traceId.optional(),
  from: moment.optional(),
  to: moment.optional(),
  received_from: moment
    .optional()
    .meta({ description: 'Stored at or after this time; for following new events.' }),
}) satisfies z.ZodType<TelemetryFilter>;
