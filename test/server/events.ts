import { randomUUID } from 'node:crypto';
import type { TelemetryEvent } from '@rollcall/client/contract';

export const eventIds = (count: number): string[] => Array.from({ length: count }, randomUUID);

/** A plain event; what matters to a test is what it says itself. */
export const makeEvent = (event: Partial<TelemetryEvent> = {}): TelemetryEvent => ({
  event_id: randomUUID(),
  protocol: 'n8n',
  source_id: 'orders',
  target_id: 'crm',
  status: 'success',
  ...event,
});
