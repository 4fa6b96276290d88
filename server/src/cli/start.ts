import { Command } from 'commander';
import { readConfig } from '../config.ts';
import { createLog } from '../platform/log.ts';
import { startServer, VERSION, type RunningServer } from '../serve.ts';

export const startCommand = (): Command =>
  new Command('start')
    .description('Start the server, and the embedded database unless another is configured')
    .action(start);

async function start(): Promise<void> {
  const config = readConfig();
  const log = createLog(config.logLevel);
  const server = await startServer(config, log);
  greet(server);
  const stop = once(async (reason: string) => {
    log.info({ reason }, 'Stopping');
    await server.stop();
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => void stop(signal));
  }
  void server.lost.then(async () => {
    log.fatal('The embedded database ended by itself; see postgres.log in the data folder.');
    process.exitCode = 1;
    await stop('database lost');
  });
}

function greet({ url, database, newAdminKey }: RunningServer): void {
  const lines = [
    `Rollcall ${VERSION} is at ${url}`,
    `  database   ${database}`,
    `  API        ${url}/docs`,
  ];
  if (newAdminKey) {
    lines.push(
      `  admin key  ${newAdminKey}   (shown this once)`,
      '',
      'Next, in another terminal:',
      `  export ROLLCALL_API_KEY=${newAdminKey}`,
      '  npx rollcall doctor',
    );
  } else {
    lines.push('', 'Next: npx rollcall gaps list');
  }
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** A second signal while stopping ends the process at once. */
function once(work: (reason: string) => Promise<void>): (reason: string) => Promise<void> {
  let started = false;
  return async (reason) => {
    if (started) process.exit(1);
    started = true;
    await work(reason);
  };
}
