import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { compose } from '../server/src/compose.ts';
import { readConfig } from '../server/src/config.ts';
import { systemClock } from '../server/src/platform/clock.ts';
import type { Database } from '../server/src/platform/database/port.ts';
import { createLog } from '../server/src/platform/log.ts';
import { VERSION } from '../server/src/serve.ts';

/**
 * The server with all its HTTP, checking and grouping, over a database that keeps nothing and answers at once:
 * what one process of it could take in at best.
 */
const answers: Record<string, (args: Record<string, unknown>) => unknown> = {
  verify_key: () => ({
    key_id: '00000000-0000-4000-8000-000000000001',
    tenant_id: 'default',
    project_id: 'default',
    name: 'bench',
    scopes: ['admin'],
    expires_at: null,
  }),
  touch_key: () => true,
  ingest_telemetry: ({ p_events }) => ({
    accepted: (p_events as unknown[]).length,
    duplicates: [],
  }),
};

const nothing: Database = {
  call: <Result>(name: string, args: Record<string, unknown>) =>
    Promise.resolve(answers[name]?.(args) as Result),
  close: () => Promise.resolve(),
};

const config = readConfig({ ROLLCALL_RATE_LIMIT: '0', ROLLCALL_LOG_LEVEL: 'warn' });
const rollcall = compose(
  config,
  { ingest: nothing, query: nothing },
  createLog(config.logLevel),
  systemClock,
  VERSION,
);
const server = createServer(rollcall.app);
server.listen(0, '127.0.0.1', () => {
  process.send?.((server.address() as AddressInfo).port);
});
process.on('disconnect', () => process.exit());
