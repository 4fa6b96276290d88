import { Command, CommanderError } from 'commander';
import { VERSION } from '../version.ts';
import { startCommand } from './commands/start.ts';
import { EXIT } from './failure.ts';
import { reportFailure } from './report.ts';

const HELP = `
Environment:
  ROLLCALL_URL       the server, when --url is left out
  ROLLCALL_API_KEY   the key, when --key is left out; else ROLLCALL_ADMIN_KEY
  NO_COLOR           set to anything: no colours

Exit codes:
  0  done
  1  failed: the server refused, or cannot be reached, or something is broken
  2  called wrongly: an unknown option or value, an id that could mean several
  3  gaps list --exit-code found open gaps
  4  instrument --check found something to change`;

/** The command line; sets the process's exit code. */
export async function main(argv: string[]): Promise<void> {
  // `rollcall entities list | head` ends well: nobody is left to print for.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.ok);
    throw error;
  });
  try {
    await (await buildProgram(argv)).parseAsync(argv);
  } catch (error) {
    process.exitCode =
      error instanceof CommanderError
        ? exitCodeOf(error)
        : await reportFailure(error, { json: argv.includes('--json') });
  }
}

async function buildProgram(argv: string[]): Promise<Command> {
  const program = new Command('rollcall')
    .description('Calls the roll of an automation fleet.')
    .version(VERSION)
    .option('--url <address>', 'server to talk to (default: http://127.0.0.1:7655)')
    .option('--key <key>', 'API key; better kept in ROLLCALL_API_KEY')
    .option('--json', 'print JSON for programs')
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('Add --help to see what there is.')
    .addHelpText('after', HELP)
    .exitOverride();
  startCommand(program);
  // The server is up sooner without what is only there to talk to it.
  if (argv[2] !== 'start') (await import('./commands/all.ts')).addCommands(program);
  return program;
}

/** commander has said what is wrong by now; asked for help, it ends well. */
const exitCodeOf = ({ exitCode }: CommanderError): number =>
  exitCode === 0 ? EXIT.ok : EXIT.usage;
