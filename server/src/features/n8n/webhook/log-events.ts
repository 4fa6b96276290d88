import { field, id, isFields, momentOf, text } from './fields.ts';
import type { Fields, Heard, Reading, Refusal } from './heard.ts';
import { aiEvent } from './log-ai.ts';
import { runEvent } from './log-runs.ts';
import { workflowChange } from './log-workflows.ts';

/** What is read from an event of n8n's log. */
export interface LogEvent {
  name: string;
  at: string;
  /** Left out where it is no UUID. */
  uuid?: string;
  instance_id?: string;
  payload: Fields;
}

export type Effects = Pick<Heard, 'reports' | 'telemetry' | 'workflows'>;

const FAMILIES =
  /^n8n\.(workflow|node|execution|queue\.job|runner|worker|instanceReporting|ai|audit)\.[\w.-]+$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

/**
 * An event as n8n's log streaming sends it, or as it stands in n8nEventLog.log. Of its payload only what is named
 * in the readers below is taken: never what a workflow processed, nor who did something.
 */
export function logEvent(item: Fields, reading: Reading): Heard | Refusal {
  const at = momentOf(item, reading, 'ts', 'timestamp');
  if (typeof at !== 'string') return at;
  const name = text(item, 120, 'eventName') ?? '(unnamed)';
  const given = id(item, 'id');
  const instance_id = id(item, 'instance_id') ?? reading.instance_id;
  const payload = field(item, 'payload');
  const event: LogEvent = {
    name,
    at,
    ...(given && UUID.test(given) && { uuid: given.toLowerCase() }),
    ...(instance_id && { instance_id }),
    payload: isFields(payload) ? payload : {},
  };
  const heard: Heard = {
    name,
    handling: FAMILIES.test(name) ? 'noted' : 'unknown',
    at,
    ...(given && { id: given, identity: given }),
    ...(instance_id && { instance_id }),
  };
  const effects = runEvent(event, reading) ?? aiEvent(event) ?? workflowChange(event);
  return effects ? { ...heard, handling: 'applied', ...effects } : heard;
}
