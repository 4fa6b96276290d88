import { HOOKS } from './package.ts';

const QUIET = [
  'N8N_DIAGNOSTICS_ENABLED',
  'N8N_VERSION_NOTIFICATIONS_ENABLED',
  'N8N_VERSION_NOTIFICATIONS_WHATS_NEW_ENABLED',
  'N8N_DYNAMIC_BANNERS_ENABLED',
  'N8N_TEMPLATES_ENABLED',
  'N8N_PERSONALIZATION_ENABLED',
  'N8N_HIRING_BANNER_ENABLED',
  'N8N_LICENSE_AUTO_RENEW_ENABLED',
  'N8N_VERIFIED_PACKAGES_ENABLED',
];

/** What n8n 2.41 needs to run on this machine alone: its own folder, loopback only, no calls home. */
export function n8nEnvironment(
  userFolder: string,
  port: number,
  brokerPort: number,
): NodeJS.ProcessEnv {
  return {
    ...process.env,
    ...Object.fromEntries(QUIET.map((name) => [name, 'false'])),
    N8N_USER_FOLDER: userFolder,
    // n8n leaves a folder for uploads beside other temporary files.
    TMPDIR: userFolder,
    N8N_PORT: String(port),
    N8N_RUNNERS_BROKER_PORT: String(brokerPort),
    N8N_LISTEN_ADDRESS: '127.0.0.1',
    N8N_SECURE_COOKIE: 'false',
  };
}

/** The hooks file is there and nobody has given it a key: it has to stay silent. */
export function withoutKey(): NodeJS.ProcessEnv {
  return { EXTERNAL_HOOK_FILES: HOOKS, ROLLCALL_API_KEY: undefined };
}

/** How an operator connects n8n: the hooks file, and n8n's own tracing. */
export function observed(url: string, apiKey: string): NodeJS.ProcessEnv {
  return {
    EXTERNAL_HOOK_FILES: HOOKS,
    ROLLCALL_URL: url,
    ROLLCALL_API_KEY: apiKey,
    // The shortest there is.
    ROLLCALL_HOOKS_INVENTORY_SECONDS: '60',
    N8N_OTEL_ENABLED: 'true',
    N8N_OTEL_EXPORTER_OTLP_ENDPOINT: url,
    N8N_OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer ${apiKey}`,
    N8N_OTEL_TRACES_PRODUCTION_ONLY: 'false',
    // Spans leave twice a second, not every five seconds: tests wait for them.
    OTEL_BSP_SCHEDULE_DELAY: '500',
    // n8n ends when its last spans are out, or given up: after ten seconds, unless told.
    OTEL_EXPORTER_OTLP_TIMEOUT: '2000',
  };
}
