import type { Command } from 'commander';
import type { RunningServer } from '../../serve.ts';
import { VERSION } from '../../version.ts';
import { EXIT } from '../failure.ts';
import { giveBackMemory } from '../give-back-memory.ts';
import type { GlobalOptions } from '../http/session.ts';
import { explainFailure } from '../local-failure.ts';
import { print } from '../terminal/print.ts';

/** `rollcall start`: everything that serves, in this process. */
export function startCommand(program: Command): void {
  program
    .command('start')
    .description('Start the server, and the embedded database unless another is configured')
    .action(start);
}

async function start(_options: object, command: Command): Promise<void> {
  const stopping = Promise.withResolvers<string>();
  onSignals(stopping.resolve);
  const { readConfig } = await import('../../config.ts');
  const config = readConfig();
  const [{ createLog }, { startServer }] = await Promise.all([
    import('../../platform/log.ts'),
    import('../../serve.ts'),
  ]);
  const log = createLog(config.logLevel);
  const server = await startServer(config, log).catch(async (error: unknown) => {
    log.debug({ err: error }, 'The server did not start');
    throw await explainFailure(error, config);
  });
  greet(server, command.optsWithGlobals<GlobalOptions>().json ?? false);
  setTimeout(giveBackMemory, SETTLED_MS).unref();
  const lost = server.lost.then(() => {
    log.fatal('The embedded database ended by itself; see postgres.log in the data folder.');
    process.exitCode = EXIT.failed;
    return 'database lost';
  });
  // A signal that came while the server was starting is answered now.
  const reason = await Promise.race([stopping.promise, lost]);
  log.info({ reason }, 'Stopping');
  await server.stop();
}

/** After this long the first tasks have run, and what starting took is no longer used. */
const SETTLED_MS = 3_000;

/** npm passes Ctrl-C on to a process that has had it already. */
const SAME_SIGNAL_MS = 500;

/** The first signal asks to stop; another one, later, ends the process at once. */
function onSignals(stop: (reason: string) => void): void {
  let first: number | undefined;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      const now = performance.now();
      if (first !== undefined && now - first > SAME_SIGNAL_MS) process.exit(EXIT.failed);
      first ??= now;
      stop(signal);
    });
  }
}

const DEFAULT_URL = 'http://127.0.0.1:7655';

function greet({ url, database, newAdminKey }: RunningServer, json: boolean): void {
  if (json) {
    const told = { url, version: VERSION, database, admin_key: newAdminKey ?? null };
    return print(JSON.stringify(told));
  }
  const lines = [
    `Rollcall ${VERSION} is at ${url}`,
    `  database   ${database}`,
    `  API        ${url}/docs`,
  ];
  const elsewhere = url === DEFAULT_URL ? [] : [`  export ROLLCALL_URL=${url}`];
  if (newAdminKey) {
    lines.push(
      `  admin key  ${newAdminKey}   (shown this once)`,
      '',
      'Next, in another terminal:',
      ...elsewhere,
      `  export ROLLCALL_API_KEY=${newAdminKey}`,
      '  npx rollcall doctor',
    );
  } else {
    lines.push('', 'Next, in another terminal:', ...elsewhere, '  npx rollcall gaps list');
  }
  print(lines.join('\n'));
}
