import { PROTOCOLS, TELEMETRY_STATUSES, type TelemetryEvent } from '@rollcall/client/contract';

type Check = (value: unknown) => boolean;

const isText =
  (longest: number, shortest = 1): Check =>
  (value) =>
    typeof value === 'string' &&
    value.length >= shortest &&
    value.length <= longest &&
    isStorable(value);
const isNumber =
  (largest: number): Check =>
  (value) =>
    typeof value === 'number' && value >= 0 && value <= largest;
const isCount: Check = (value) => Number.isInteger(value) && isNumber(1e12)(value);
const matches =
  (pattern: RegExp): Check =>
  (value) =>
    typeof value === 'string' && pattern.test(value);
const oneOf = (values: readonly string[]): Check => {
  const known = new Set<unknown>(values);
  return (value) => known.has(value);
};

const isStorable = (value: string): boolean => !value.includes('\0') && value.isWellFormed();

const isIdentifier = isText(255);
const UTC_MILLISECOND = /^20\d\d-[01]\d-[0-3]\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;
const isMoment: Check = (value) =>
  typeof value === 'string' &&
  UTC_MILLISECOND.test(value) &&
  // Not the 31st of a month that has 30, which Date would move on.
  (Number(value.slice(8, 10)) < 29 || new Date(value).toJSON() === value) &&
  !Number.isNaN(Date.parse(value));

/** Flat and small: nothing that the limits of metadata could be about. */
const isMetadata: Check = (value) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  let size = 0;
  for (const [key, child] of Object.entries(value)) {
    if (key === '__proto__' || !isStorable(key)) return false;
    if (typeof child === 'object' && child !== null) return false;
    if (typeof child === 'string' && !isStorable(child)) return false;
    size += key.length + (typeof child === 'string' ? child.length : 30);
  }
  return size < 5_000;
};

const CHECKS = new Map<string, Check>(
  Object.entries({
    event_id: matches(/^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
    timestamp: isMoment,
    protocol: oneOf(PROTOCOLS),
    source_id: isIdentifier,
    target_id: isIdentifier,
    operation: isIdentifier,
    status: oneOf(TELEMETRY_STATUSES),
    duration_ms: isNumber(1e12),
    tokens_used: isCount,
    cost_micros: isCount,
    currency: matches(/^[A-Z]{3}$/),
    model: isIdentifier,
    correlation_id: isIdentifier,
    trace_id: matches(/^[0-9a-f]{32}$/),
    workflow_id: isIdentifier,
    execution_id: isIdentifier,
    user_id: isIdentifier,
    project_id: matches(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/),
    error_type: isIdentifier,
    error_message: isText(8000, 0),
    metadata: isMetadata,
  } satisfies Record<keyof TelemetryEvent, Check>),
);

/**
 * Whether an item is a valid event beyond doubt. What it says no to may be valid all the same and goes to
 * `TelemetryEventSchema`, which alone decides and explains; what it says yes to, the schema accepts as it is
 * (a test holds that). Judging an ordinary event takes a fifth of the schema's time.
 */
export function isPlainEvent(item: unknown): item is TelemetryEvent {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return false;
  const event = item as Partial<TelemetryEvent>;
  if (!event.protocol || !event.status || !event.source_id || !event.target_id) return false;
  for (const key in event) {
    const check = CHECKS.get(key);
    if (!check?.(event[key as keyof TelemetryEvent])) return false;
  }
  return true;
}
