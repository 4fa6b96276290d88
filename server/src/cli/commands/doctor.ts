import type { Command } from 'commander';
import type { Check } from '../doctor/check.ts';
import { failed, ok } from '../doctor/check.ts';
import { checkConnections } from '../doctor/connections.ts';
import { checkDatabase } from '../doctor/database.ts';
import { checkN8n } from '../doctor/n8n.ts';
import { checkKey, checkServer } from '../doctor/server.ts';
import { EXIT } from '../failure.ts';
import { connect } from '../http/api.ts';
import { webAddress, type GlobalOptions } from '../http/session.ts';
import { print, printJson } from '../terminal/print.ts';
import { clean, paint, type Colour } from '../terminal/text.ts';

interface DoctorOptions extends GlobalOptions {
  n8n?: string;
  n8nKey?: string;
}

/** `rollcall doctor`: what works, what does not, and what to do about it. */
export function doctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('Check this machine, the server, the key, the database and n8n')
    .option('--n8n <url>', 'an n8n beside those that are connected (else N8N_BASE_URL)')
    .option('--n8n-key <key>', 'key of its API; better kept in N8N_API_KEY')
    .action(doctor);
}

async function doctor(_options: object, command: Command): Promise<void> {
  const options = command.optsWithGlobals<DoctorOptions>();
  if (options.url !== undefined) webAddress(options.url, '--url');
  if (options.n8n !== undefined) webAddress(options.n8n, '--n8n');
  const checks: Check[] = [];
  const report = (check: Check) => {
    checks.push(check);
    if (!options.json) print(line(check));
  };
  await examine(options, report);
  const healthy = checks.every(({ status }) => status !== 'failed');
  if (!healthy) process.exitCode = EXIT.failed;
  if (options.json) printJson({ ok: healthy, checks });
  else print(`\n${closing(checks)}`);
}

async function examine(options: DoctorOptions, report: (check: Check) => void): Promise<void> {
  report(ok('node', `${process.version} on ${process.platform} ${process.arch}`));
  const { readClientSettings, readConfig } = await import('../../config.ts');
  const settings = attempt(readClientSettings);
  const config = attempt(readConfig);
  const faults = [settings, config].flatMap((read) => ('fault' in read ? [read.fault] : []));
  report(
    faults.length > 0
      ? failed(
          'configuration',
          [...new Set(faults)].join('; '),
          'Correct these environment variables.',
        )
      : ok('configuration', 'every environment variable that is set makes sense'),
  );
  if ('value' in settings) {
    const { url, apiKey, n8nUrl, n8nApiKey } = settings.value;
    const key = options.key ?? apiKey;
    const api = connect({ url: options.url ?? url, key, timeoutMs: 10_000 });
    const server = await checkServer(api);
    server.forEach(report);
    let connections: Check[] = [];
    if (server.every(({ status }) => status === 'ok')) {
      const whoami = await checkKey(api, Boolean(key));
      report(whoami);
      if (whoami.status !== 'failed') connections = await checkConnections(api);
    }
    if ('value' in config) report(await checkDatabase(config.value));
    connections.forEach(report);
    // Whoever has connected an n8n need not have one here.
    const n8n = options.n8n ?? n8nUrl ?? (connections.length > 0 ? undefined : DEFAULT_N8N);
    if (n8n !== undefined) report(await checkN8n(n8n, options.n8nKey ?? n8nApiKey));
  }
}

function attempt<Value>(read: () => Value): { value: Value } | { fault: string } {
  try {
    return { value: read() };
  } catch (error) {
    return { fault: (error as Error).message.replaceAll('\n', '; ') };
  }
}

const DEFAULT_N8N = 'http://127.0.0.1:5678';

const MARKS: Record<Check['status'], [string, Colour]> = {
  ok: ['ok', 'green'],
  warning: ['warning', 'yellow'],
  failed: ['failed', 'red'],
};

const STATUS_WIDTH = 7;
const NAME_WIDTH = 13;

function line({ status, name, message, fix }: Check): string {
  const [mark, colour] = MARKS[status];
  const told = `${paint(colour, mark.padEnd(STATUS_WIDTH))}  ${name.padEnd(NAME_WIDTH)}  ${clean(message)}`;
  return fix ? `${told}\n${' '.repeat(STATUS_WIDTH + NAME_WIDTH + 4)}${fix}` : told;
}

function closing(checks: Check[]): string {
  const broken = checks.find(({ status }) => status === 'failed');
  if (broken) return `Something is broken. Begin with ${broken.name}: ${broken.fix}`;
  const noN8n = checks.some(({ name, status }) => name === 'n8n' && status !== 'ok');
  return noN8n
    ? 'All is well, but for the warnings. Next: start n8n, or look at rollcall gaps list'
    : 'All is well. Next: rollcall gaps list, or rollcall telemetry tail';
}
