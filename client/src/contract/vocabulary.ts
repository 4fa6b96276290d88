/** Closed vocabularies of the wire. Each list is the one place that names its values. */

export const ENTITY_STATES = [
  'created',
  'deploying',
  'active',
  'inactive',
  'error',
  'archived',
  'deleted',
] as const;
export type EntityState = (typeof ENTITY_STATES)[number];

export const HEALTH_STATUSES = ['healthy', 'degraded', 'unhealthy', 'unknown'] as const;
export type HealthStatus = (typeof HEALTH_STATUSES)[number];

export const PROTOCOLS = ['n8n', 'mcp', 'a2a', 'http', 'factory', 'codegen', 'job'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

export const TELEMETRY_STATUSES = ['success', 'error', 'timeout', 'cancelled'] as const;
export type TelemetryStatus = (typeof TELEMETRY_STATUSES)[number];

/**
 * Where a run stands. `lost`: it started, and nobody has told its end within the time it usually takes; a
 * late end corrects it.
 */
export const RUN_STATUSES = [
  'queued',
  'running',
  'waiting',
  'success',
  'error',
  'cancelled',
  'lost',
] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

export const GAP_KINDS = [
  'unregistered',
  'unreported',
  'missing',
  'silent',
  'uninstrumented',
  'drifted',
  'orphaned',
  'broken_dependency',
  'stuck',
] as const;
export type GapKind = (typeof GAP_KINDS)[number];

export const GAP_SEVERITIES = ['critical', 'warning', 'info'] as const;
export type GapSeverity = (typeof GAP_SEVERITIES)[number];

/** `inhibited`: another gap explains it. `cannot_tell`: found, but the evidence does not suffice for a verdict. */
export const GAP_STATES = ['open', 'muted', 'inhibited', 'cannot_tell', 'closed'] as const;
export type GapState = (typeof GAP_STATES)[number];

/** How sure it is that something is missing. */
export const GAP_GRADES = ['certain', 'likely', 'cannot_tell'] as const;
export type GapGrade = (typeof GAP_GRADES)[number];

/** Entity types that Rollcall knows by name; any other kebab or snake word is accepted too. */
export const KNOWN_ENTITY_TYPES = [
  'workflow',
  'mcp_server',
  'team',
  'agent',
  'blueprint',
  'service',
] as const;
export type EntityType = (typeof KNOWN_ENTITY_TYPES)[number] | (string & {});

/** What a key may do. `admin` implies every other scope. */
export const SCOPES = [
  'telemetry:write',
  'telemetry:read',
  'registry:write',
  'registry:read',
  'gaps:write',
  'gaps:read',
  'admin',
] as const;
export type Scope = (typeof SCOPES)[number];
