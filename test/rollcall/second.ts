import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { compose, type Databases } from '../../server/src/compose.ts';
import { readConfig, type Config } from '../../server/src/config.ts';
import { connectPostgres } from '../../server/src/platform/database/postgres.ts';
import { createLog } from '../../server/src/platform/log.ts';
import type { TestRollcall } from './start.ts';

export interface SecondRollcall {
  url: string;
  startTasks(): void;
  stop(): Promise<void>;
}

/** Another server on the same database: as far as that can tell, another process. Stop it first. */
export async function startSecondRollcall(
  { databaseUrl, clock }: TestRollcall,
  settings: Partial<Config> = {},
  open?: (url: string) => Promise<Databases>,
): Promise<SecondRollcall> {
  const connect = () =>
    connectPostgres({
      url: databaseUrl,
      connections: 4,
      timeoutMs: 30_000,
      onIdleError: () => undefined,
    });
  const databases = (await open?.(databaseUrl)) ?? { ingest: connect(), query: connect() };
  const config = {
    ...readConfig({ ROLLCALL_RATE_LIMIT: '0', ROLLCALL_SECRET: 'a secret for tests' }),
    ...settings,
  };
  const composed = compose(config, databases, createLog('silent'), clock.now, '0.0.0-test');
  const server = createServer(composed.app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    startTasks: () => composed.startTasks(),
    async stop() {
      await composed.stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await Promise.all([databases.ingest.close(), databases.query.close()]);
    },
  };
}
