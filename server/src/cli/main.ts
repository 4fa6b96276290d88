import { Command } from 'commander';
import { VERSION } from '../serve.ts';
import { startCommand } from './start.ts';

/** The command line; sets the process's exit code. */
export async function main(argv: string[]): Promise<void> {
  const program = new Command('rollcall')
    .description('Calls the roll of an automation fleet.')
    .version(VERSION)
    .addCommand(startCommand());
  await program.parseAsync(argv);
}
