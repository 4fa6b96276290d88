import { randomUUID } from 'node:crypto';
import type { BatchItemResult, TelemetryEvent } from '@rollcall/client/contract';
import { BrokenLine } from '../../platform/http/body.ts';
import { fieldErrors, REPORT } from '../../platform/http/validate.ts';
import type { Redactor } from '../../platform/redact.ts';
import { isPlainEvent } from './plain-event.ts';
import { TelemetryEventSchema } from './telemetry.schema.ts';

/** An event that the database takes as it is. */
export type ReadyEvent = TelemetryEvent &
  Required<Pick<TelemetryEvent, 'event_id' | 'timestamp' | 'project_id'>>;

export interface Door {
  redactor: Redactor;
  now: Date;
  project: string;
  /** Events older than this have outlived retention already. */
  days: number;
  /** Projects that items name and the tenant does not have. */
  unknownProjects: Set<string>;
}

/** Clocks of other machines may be ahead by this much. */
const AHEAD_MS = 3_600_000;
const DAY_MS = 86_400_000;

type Rejection = Required<Pick<BatchItemResult, 'code' | 'path' | 'message'>>;

/** Checks one item, completes and redacts it; or says why it is refused. */
export function prepare(item: unknown, door: Door): ReadyEvent | Rejection {
  if (item instanceof BrokenLine) {
    return {
      code: 'invalid_json',
      path: '',
      message: `This line is not valid JSON: ${item.message}`,
    };
  }
  const event = isPlainEvent(item) ? item : judge(item);
  if ('code' in event) return event;
  const time = event.timestamp ? Date.parse(event.timestamp) : door.now.getTime();
  if (time > door.now.getTime() + AHEAD_MS) {
    return {
      code: 'timestamp_in_future',
      path: 'timestamp',
      message: 'is more than an hour ahead of the server’s clock',
    };
  }
  if (time < door.now.getTime() - (door.days - 1) * DAY_MS) {
    return {
      code: 'timestamp_too_old',
      path: 'timestamp',
      message: `is older than the ${door.days} days that telemetry is kept`,
    };
  }
  if (event.project_id !== undefined && door.unknownProjects.has(event.project_id)) {
    return {
      code: 'unknown_project',
      path: 'project_id',
      message: 'There is no such project. Create it first: POST /api/v1/projects.',
    };
  }
  event.event_id = event.event_id?.toLowerCase() ?? randomUUID();
  if (!isUtcMillisecond(event.timestamp)) event.timestamp = new Date(time).toISOString();
  event.project_id ??= door.project;
  if (event.user_id) event.user_id = door.redactor.text(event.user_id);
  if (event.error_message) event.error_message = door.redactor.text(event.error_message);
  if (event.metadata) event.metadata = door.redactor.metadata(event.metadata);
  return event as ReadyEvent;
}

/** What may be one; anything else the schema refuses. */
const PROJECT = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;

/** Projects that items name, beside their sender's own. */
export function projectsNamed(items: unknown[], own: string): Set<string> {
  const named = new Set<string>();
  for (const item of items) {
    const project = (item as { project_id?: unknown } | null)?.project_id;
    if (typeof project === 'string' && project !== own && PROJECT.test(project)) named.add(project);
  }
  return named;
}

/** As the database gets it: what most clients send, and dear to make anew. */
const isUtcMillisecond = (timestamp: string | undefined): boolean =>
  timestamp?.length === 24 && timestamp.endsWith('Z');

function judge(item: unknown): TelemetryEvent | Rejection {
  const parsed = TelemetryEventSchema.safeParse(item, REPORT);
  if (parsed.success) return parsed.data;
  const [first] = fieldErrors(parsed.error);
  return first
    ? { ...first, path: first.path === 'body' ? '' : first.path }
    : { code: 'invalid', path: '', message: 'is not an event' };
}

export const isRejection = (result: ReadyEvent | Rejection): result is Rejection =>
  !('event_id' in result);
