import {
  ENTITY_STATES,
  GAP_KINDS,
  GAP_SEVERITIES,
  GAP_STATES,
  HEALTH_STATUSES,
  PROTOCOLS,
  SCOPES,
  TELEMETRY_STATUSES,
} from '@rollcall/client/contract';
import { z } from 'zod';

/** PostgreSQL stores neither NUL nor half a surrogate pair. */
const storable = (text: string): boolean => !text.includes('\0') && text.isWellFormed();

const STORABLE = {
  error: 'must not hold NUL characters or broken Unicode',
  params: { code: 'unstorable_text' },
};

/** Text of 1 to `longest` UTF-16 units. */
export const text = (longest: number) => z.string().min(1).max(longest).refine(storable, STORABLE);

/** Text that may be empty. */
export const prose = (longest: number) => z.string().max(longest).refine(storable, STORABLE);

export const identifier = text(255);
export const entityType = z
  .string()
  .max(64)
  .regex(
    /^[a-z][a-z0-9]*([_-][a-z0-9]+)*$/,
    'must be a lower-case kebab or snake word, such as mcp_server',
  );
export const projectId = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/, 'must be 1 to 63 letters, digits, _ or -');

/** ISO 8601 with an offset or Z. */
export const moment = z.iso
  .datetime({
    offset: true,
    error: 'must be ISO 8601 with an offset, such as 2026-01-31T12:00:00Z',
  })
  .refine((value) => !Number.isNaN(Date.parse(value)), { error: 'is not a date that exists' });

export const protocol = z.enum(PROTOCOLS);
export const telemetryStatus = z.enum(TELEMETRY_STATUSES);
export const entityState = z.enum(ENTITY_STATES);
export const healthStatus = z.enum(HEALTH_STATUSES);
export const gapKind = z.enum(GAP_KINDS);
export const gapSeverity = z.enum(GAP_SEVERITIES);
export const gapState = z.enum(GAP_STATES);
export const scope = z.enum(SCOPES);

const METADATA_BYTES = 65_536;
const METADATA_DEPTH = 20;

/** A JSON object, at most 64 KB and 20 levels deep. */
export const metadata = z
  .record(z.string(), z.unknown())
  .superRefine((value, context) => {
    const fault = metadataFault(value);
    if (fault) context.addIssue({ code: 'custom', ...fault });
  })
  .meta({ description: 'At most 64 KB as JSON and 20 levels deep.' });

interface Fault {
  message: string;
  path: string[];
  params: { code: string };
}

function metadataFault(value: Record<string, unknown>): Fault | undefined {
  const rest: { value: unknown; path: string[] }[] = [{ value, path: [] }];
  for (let next = rest.pop(); next; next = rest.pop()) {
    if (typeof next.value === 'string' && !storable(next.value)) {
      return { message: STORABLE.error, path: next.path, params: STORABLE.params };
    }
    if (typeof next.value !== 'object' || next.value === null) continue;
    if (next.path.length >= METADATA_DEPTH) {
      return {
        message: `must be at most ${METADATA_DEPTH} levels deep`,
        path: next.path,
        params: { code: 'too_deep' },
      };
    }
    for (const [key, child] of Object.entries(next.value)) {
      if (!storable(key))
        return { message: STORABLE.error, path: next.path, params: STORABLE.params };
      rest.push({ value: child, path: [...next.path, key] });
    }
  }
  return JSON.stringify(value).length > METADATA_BYTES
    ? {
        message: `must be at most ${METADATA_BYTES} bytes as JSON`,
        path: [],
        params: { code: 'too_big' },
      }
    : undefined;
}
