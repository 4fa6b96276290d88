import {
  ENTITY_STATES,
  GAP_GRADES,
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
export const storable = (text: string): boolean => !text.includes('\0') && text.isWellFormed();

export const STORABLE = {
  error: 'must not hold NUL characters or broken Unicode',
  params: { code: 'unstorable_text' },
};

/** Text of 1 to `longest` UTF-16 units. */
export const text = (longest: number) => z.string().min(1).max(longest).refine(storable, STORABLE);

/** Text that may be empty. */
export const prose = (longest: number) => z.string().max(longest).refine(storable, STORABLE);

/** An absolute URL that a page may link to. */
export const url = (longest: number) =>
  z
    .url()
    .max(longest)
    .refine(storable, STORABLE)
    .refine((value) => !/^\s*(javascript|data|vbscript):/i.test(value), {
      error: 'must be the address of something, not a script',
      params: { code: 'unsafe_url' },
    });

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

const FIRST_MOMENT = Date.parse('0001-01-01T00:00:00Z');
const LAST_MOMENT = Date.parse('9999-12-31T23:59:59.999Z');
/** PostgreSQL knows offsets below 16 hours. */
const FAR_OFFSET = /[+-](1[6-9]|2\d):\d\d$/;

/** ISO 8601 with an offset or Z, between the years 1 and 9999. */
export const moment = z.iso
  .datetime({
    offset: true,
    error: 'must be ISO 8601 with an offset, such as 2026-01-31T12:00:00Z',
    abort: true,
  })
  .max(64)
  .refine(
    (value) => {
      const time = Date.parse(value);
      return time >= FIRST_MOMENT && time <= LAST_MOMENT && !FAR_OFFSET.test(value);
    },
    {
      error: 'must be between the years 1 and 9999, with an offset below 16 hours',
      params: { code: 'out_of_range' },
    },
  );

export const protocol = z.enum(PROTOCOLS);
export const telemetryStatus = z.enum(TELEMETRY_STATUSES);
export const entityState = z.enum(ENTITY_STATES);
export const healthStatus = z.enum(HEALTH_STATUSES);
export const gapKind = z.enum(GAP_KINDS);
export const gapSeverity = z.enum(GAP_SEVERITIES);
export const gapState = z.enum(GAP_STATES);
export const gapGrade = z.enum(GAP_GRADES);
export const scope = z.enum(SCOPES);

const METADATA_BYTES = 65_536;
const METADATA_DEPTH = 20;

/** A JSON object, at most 64 KB and 20 levels deep. */
export const metadata: z.ZodType<Record<string, unknown>> = z
  .looseObject({})
  .superRefine((value, context) => {
    refuse(context, faultWithin(value, METADATA_BYTES));
  })
  .meta({ description: 'At most 64 KB as JSON and 20 levels deep.' });

/** Any JSON value but none, at most `bytes` long and 20 levels deep. */
export const json = (bytes: number): z.ZodType<unknown> =>
  z
    .unknown()
    .superRefine((value, context) => {
      if (value === undefined) refuse(context, MISSING);
      else refuse(context, faultWithin(value, bytes));
    })
    .meta({
      description: `Any JSON, at most ${bytes / 1024} KB and ${METADATA_DEPTH} levels deep.`,
    });

function refuse(context: z.RefinementCtx, fault: Fault | undefined): void {
  if (!fault) return;
  const { message, code, path } = fault;
  context.addIssue({ code: 'custom', message, params: { code }, path: path.toReversed() });
}

interface Fault {
  message: string;
  code: string;
  /** Innermost key first: it is put together on the way out. */
  path: string[];
}

const MISSING: Fault = { message: 'is required', code: 'required', path: [] };

function faultWithin(value: unknown, bytes: number): Fault | undefined {
  const fault = faultIn(value, 0);
  if (fault || Buffer.byteLength(JSON.stringify(value)) <= bytes) return fault;
  return { message: `must be at most ${bytes} bytes as JSON`, code: 'too_big', path: [] };
}

function faultIn(value: unknown, depth: number): Fault | undefined {
  if (typeof value === 'string') {
    return storable(value)
      ? undefined
      : { message: STORABLE.error, code: STORABLE.params.code, path: [] };
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth >= METADATA_DEPTH) {
    return { message: `must be at most ${METADATA_DEPTH} levels deep`, code: 'too_deep', path: [] };
  }
  for (const key of Object.keys(value)) {
    const fault = faultIn(key, 0) ?? faultIn((value as Record<string, unknown>)[key], depth + 1);
    if (fault) {
      fault.path.push(key);
      return fault;
    }
  }
  return undefined;
}
