import { createHash } from 'node:crypto';
import { N8N_EVENT_KINDS } from '@rollcall/client/contract';
import { BrokenLine } from '../../../platform/http/body.ts';
import { id, isFields, isUuid, momentOf, ownUuid, text } from './fields.ts';
import { eventName, genericEvent } from './generic-events.ts';
import type { Fields, Heard, Reading, Refusal } from './heard.ts';
import { hooksEvent } from './hooks-events.ts';
import { logEvent } from './log-events.ts';
import { errorTriggerItem, n8nTriggerItem } from './trigger-items.ts';

const KINDS = new Set<unknown>(N8N_EVENT_KINDS);

/** Reads one item of a request, whoever of n8n's many voices it is from; what nobody knows is kept as unknown. */
export function recognise(item: unknown, reading: Reading): Heard | Refusal {
  if (item instanceof BrokenLine) {
    const message = `This line is not valid JSON: ${item.message}`;
    return { code: 'invalid_json', path: '', message };
  }
  const event = unwrapped(item);
  if (!isFields(event)) {
    return { code: 'invalid_type', path: '', message: 'is not an event: send a JSON object' };
  }
  const heard = read(event, reading);
  // Names may be anything, and are shown.
  return 'code' in heard ? heard : { ...heard, name: reading.redactor.text(heard.name) };
}

function read(event: Fields, reading: Reading): Heard | Refusal {
  if (KINDS.has(event.kind)) return hooksEvent(event, reading);
  if (typeof event.eventName === 'string') return logEvent(event, reading);
  return (
    n8nTriggerItem(event, reading) ??
    errorTriggerItem(event, reading) ??
    genericEvent(event, reading) ??
    unknownEvent(event, reading)
  );
}

/** n8n's own items carry their fields in `json`. */
export const unwrapped = (item: unknown): unknown =>
  isFields(item) &&
  isFields(item.json) &&
  Object.keys(item).every((key) => /^(json|binary|pairedItem|index|error)$/.test(key))
    ? item.json
    : item;

function unknownEvent(event: Fields, reading: Reading): Heard {
  const at = momentOf(event, reading, 'timestamp', 'occurred_at', 'ts');
  const given = ownUuid(event);
  const instance_id = id(event, 'instance_id', 'instanceId') ?? reading.instance_id;
  return {
    name: eventName(event) ?? text(event, 120, 'kind') ?? '(unnamed)',
    handling: 'unknown',
    at: typeof at === 'string' ? at : reading.now.toISOString(),
    ...(given && { id: given, identity: given }),
    ...(instance_id && { instance_id }),
  };
}

/** The UUID under which an event is counted: its own, or one (version 8) that its identity always gets. */
export function keyOf({ identity }: Heard): string | undefined {
  if (identity === undefined) return undefined;
  if (isUuid(identity)) return identity.toLowerCase();
  const digits = createHash('sha256').update(`n8n:${identity}`).digest('hex');
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-8${digits.slice(13, 16)}-8${digits.slice(17, 20)}-${digits.slice(20, 32)}`;
}
