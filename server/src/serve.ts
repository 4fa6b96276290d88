import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Config } from './config.ts';
import { systemClock, type Clock } from './platform/clock.ts';
import { openDatabase, type OpenDatabase } from './platform/database/open.ts';
import type { Log } from './platform/log.ts';
import { VERSION } from './version.ts';

export { VERSION };

export interface RunningServer {
  /** Where it listens, such as http://127.0.0.1:7655. */
  url: string;
  database: string;
  /** The admin key, if it was made just now. */
  newAdminKey: string | undefined;
  /** Resolves if the database is lost for good. */
  lost: Promise<void>;
  /** Stops taking requests, stores what waits, closes the database. */
  stop(): Promise<void>;
}

/** Requests that are still open when the server stops have this long, in milliseconds. */
const GRACE_MS = 5_000;

/** Database, schema, key, HTTP: everything that `rollcall start` starts. */
export async function startServer(
  config: Config,
  log: Log,
  clock: Clock = systemClock,
): Promise<RunningServer> {
  // Read while the database starts; what is wrong with it is said below.
  const readAhead = () => void import('./compose.ts').catch(() => undefined);
  const database = await openDatabase(config, log, readAhead);
  try {
    const { compose } = await import('./compose.ts');
    const rollcall = compose(config, database, log, clock, VERSION);
    const newAdminKey = await rollcall.adminKey();
    const server = await listen(createServer(rollcall.app), config);
    rollcall.startTasks();
    const { port } = server.address() as AddressInfo;
    return {
      url: `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`,
      database: database.description,
      newAdminKey,
      lost: database.lost,
      stop: () => stop(server, rollcall, database),
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}

function listen(server: Server, { host, port }: Config): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve(server));
  });
}

async function stop(
  server: Server,
  rollcall: { stop(): Promise<void> },
  database: OpenDatabase,
): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const hurry = setTimeout(() => server.closeAllConnections(), GRACE_MS);
  await rollcall.stop();
  server.closeIdleConnections();
  await closed;
  clearTimeout(hurry);
  await database.close();
}
