import { isIP } from 'node:net';
import { z } from 'zod';
import { isAllowEntry } from './platform/outbound/allowance.ts';

const seconds = (fallback: number) =>
  z.coerce.number().int().positive().max(2_000_000_000).default(fallback);
const days = (fallback: number) => z.coerce.number().int().min(1).max(3650).default(fallback);
const list = z
  .string()
  .transform((text) =>
    text
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean),
  )
  .optional();

/** Every setting, where it comes from and what it is when nobody says so. Times are seconds, sizes bytes. */
const Environment = z.object({
  ROLLCALL_HOST: z.string().min(1).default('127.0.0.1'),
  ROLLCALL_PORT: z.coerce.number().int().min(0).max(65_535).default(7655),
  ROLLCALL_DATA_DIR: z.string().min(1).default('./data'),
  ROLLCALL_ADMIN_KEY: z
    .string()
    .regex(
      /^rc_[A-Za-z0-9_-]{43}$/,
      'must be rc_ followed by 32 random bytes in base64url (43 characters)',
    )
    .optional(),
  ROLLCALL_SECRET: z.string().min(16).optional(),
  ROLLCALL_PROFILE: z
    .enum(['local', 'docker', 'serverless', 'edge', 'kubernetes'])
    .default('local'),
  ROLLCALL_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
  /** Requests a second and key, averaged over ten seconds; 0 switches the limit off. */
  ROLLCALL_RATE_LIMIT: z.coerce.number().int().min(0).default(1000),
  ROLLCALL_BODY_LIMIT: z.coerce.number().int().min(1024).max(100_000_000).default(1_000_000),
  ROLLCALL_BATCH_BODY_LIMIT: z.coerce.number().int().min(1024).max(100_000_000).default(10_000_000),
  ROLLCALL_TELEMETRY_DAYS: days(30),
  ROLLCALL_ROLLUP_DAYS: days(400),
  ROLLCALL_EXECUTION_DAYS: days(90),
  /** A run that nobody has told the end of is given up after this long at the earliest. */
  ROLLCALL_LOST_AFTER_SECONDS: seconds(3600),
  ROLLCALL_GAP_CHECK_SECONDS: seconds(60),
  /** Between two signs of life in a stream of events: below the idle timeout of proxies. */
  ROLLCALL_LIVE_HEARTBEAT_SECONDS: z.coerce.number().int().min(1).max(60).default(15),
  /** More metadata keys whose values are never stored: comma-separated, matched as part of a key. */
  ROLLCALL_REDACT_KEYS: list,
  ROLLCALL_REDACT_VALUES: list,
  /** Stores what workflows and agents processed where tracing tells it: prompts, answers, tool arguments, statements. */
  ROLLCALL_KEEP_PAYLOADS: z.stringbool().default(false),
  /**
   * Where webhooks may be sent although it is not the public internet: networks (`10.0.0.0/8`), addresses and host names,
   * comma-separated. Loopback, when this server listens there and nothing is said; `none` for nothing at all.
   */
  ROLLCALL_WEBHOOK_ALLOW: list.refine((entries) => entries?.every(isAllowEntry) ?? true, {
    error: 'must be networks such as 10.0.0.0/8, addresses and host names, comma-separated',
  }),
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  SUPABASE_URL: z.url({ protocol: /^https?$/ }).optional(),
  SUPABASE_SERVICE_ROLE_KEY: z.string().min(1).optional(),
});

/** What the command line needs to know of the server that it talks to, and of an n8n to look for. */
const ClientEnvironment = z.object({
  ROLLCALL_URL: z.url({ protocol: /^https?$/ }).default('http://127.0.0.1:7655'),
  ROLLCALL_API_KEY: z.string().trim().optional(),
  ROLLCALL_ADMIN_KEY: z.string().trim().optional(),
  N8N_BASE_URL: z.url({ protocol: /^https?$/ }).optional(),
  N8N_API_KEY: z.string().trim().optional(),
});

export interface Config {
  host: string;
  port: number;
  dataDir: string;
  adminKey: string | undefined;
  /** Encrypts stored credentials; one is made beside the data when left out. */
  secret: string | undefined;
  profile: string;
  logLevel: string;
  rateLimit: number;
  bodyLimit: number;
  batchBodyLimit: number;
  telemetryDays: number;
  rollupDays: number;
  executionDays: number;
  lostAfterSeconds: number;
  gapCheckSeconds: number;
  liveHeartbeatSeconds: number;
  redactKeys: string[];
  redactValues: RegExp[];
  keepPayloads: boolean;
  /** Where webhooks may be sent although it is not public. */
  webhookAllow: string[];
  database:
    | { kind: 'embedded' }
    | { kind: 'postgres'; url: string }
    | { kind: 'supabase'; url: string; serviceRoleKey: string; migrateUrl: string | undefined };
}

export class ConfigError extends Error {}

/** @throws ConfigError that names each wrong variable and says what it must be */
export function readConfig(environment: Record<string, string | undefined> = process.env): Config {
  const env = parse(Environment, environment);
  return {
    host: env.ROLLCALL_HOST,
    port: env.ROLLCALL_PORT,
    dataDir: env.ROLLCALL_DATA_DIR,
    adminKey: env.ROLLCALL_ADMIN_KEY,
    secret: env.ROLLCALL_SECRET,
    profile: env.ROLLCALL_PROFILE,
    logLevel: env.ROLLCALL_LOG_LEVEL,
    rateLimit: env.ROLLCALL_RATE_LIMIT,
    bodyLimit: env.ROLLCALL_BODY_LIMIT,
    batchBodyLimit: env.ROLLCALL_BATCH_BODY_LIMIT,
    telemetryDays: env.ROLLCALL_TELEMETRY_DAYS,
    rollupDays: env.ROLLCALL_ROLLUP_DAYS,
    executionDays: env.ROLLCALL_EXECUTION_DAYS,
    lostAfterSeconds: env.ROLLCALL_LOST_AFTER_SECONDS,
    gapCheckSeconds: env.ROLLCALL_GAP_CHECK_SECONDS,
    liveHeartbeatSeconds: env.ROLLCALL_LIVE_HEARTBEAT_SECONDS,
    redactKeys: env.ROLLCALL_REDACT_KEYS ?? [],
    redactValues: (env.ROLLCALL_REDACT_VALUES ?? []).map(pattern),
    keepPayloads: env.ROLLCALL_KEEP_PAYLOADS,
    webhookAllow: env.ROLLCALL_WEBHOOK_ALLOW ?? loopbackOf(env.ROLLCALL_HOST),
    database: chooseDatabase(env),
  };
}

export interface ClientSettings {
  url: string;
  apiKey: string | undefined;
  n8nUrl: string | undefined;
  n8nApiKey: string | undefined;
}

/** @throws ConfigError that names each wrong variable and says what it must be */
export function readClientSettings(
  environment: Record<string, string | undefined> = process.env,
): ClientSettings {
  const env = parse(ClientEnvironment, environment);
  return {
    url: env.ROLLCALL_URL,
    apiKey: env.ROLLCALL_API_KEY ?? env.ROLLCALL_ADMIN_KEY,
    n8nUrl: env.N8N_BASE_URL,
    n8nApiKey: env.N8N_API_KEY,
  };
}

/** A variable that is set to nothing counts as not set. */
function parse<Output>(
  schema: z.ZodType<Output>,
  environment: Record<string, string | undefined>,
): Output {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new ConfigError(
    parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n'),
  );
}

function pattern(text: string): RegExp {
  try {
    return new RegExp(text, 'g');
  } catch (error) {
    throw new ConfigError(`ROLLCALL_REDACT_VALUES: ${(error as Error).message}`);
  }
}

/** Who can reach this server from its own machine alone may be called there. */
function loopbackOf(host: string): string[] {
  const isLoopback =
    host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
  return isLoopback ? ['127.0.0.0/8', '::1'] : [];
}

function chooseDatabase(env: z.infer<typeof Environment>): Config['database'] {
  if (env.SUPABASE_URL) {
    if (!env.SUPABASE_SERVICE_ROLE_KEY) {
      throw new ConfigError('SUPABASE_SERVICE_ROLE_KEY: is needed beside SUPABASE_URL');
    }
    return {
      kind: 'supabase',
      url: env.SUPABASE_URL,
      serviceRoleKey: env.SUPABASE_SERVICE_ROLE_KEY,
      migrateUrl: env.DATABASE_URL,
    };
  }
  return env.DATABASE_URL ? { kind: 'postgres', url: env.DATABASE_URL } : { kind: 'embedded' };
}
