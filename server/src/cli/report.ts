import { CommandFailure, EXIT } from './failure.ts';
import { note } from './terminal/print.ts';
import { paint } from './terminal/text.ts';

/**
 * Says on standard error why a command ends, as text or as JSON.
 * @returns the exit code
 */
export async function reportFailure(error: unknown, { json }: { json: boolean }): Promise<number> {
  const failure = error instanceof CommandFailure ? error : await fromConfig(error);
  if (!failure) {
    // Nobody foresaw this one: whoever repairs it needs the stack.
    note(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return EXIT.failed;
  }
  note(json ? JSON.stringify(failure) : asText(failure));
  return failure.exitCode;
}

function asText({ message, lines, next }: CommandFailure): string {
  const error = paint('red', 'Error:', process.stderr);
  return [`${error} ${message}`, ...lines.map((line) => `  ${line}`), ...(next ? [next] : [])].join(
    '\n',
  );
}

async function fromConfig(error: unknown): Promise<CommandFailure | undefined> {
  // Whoever threw one has loaded this module already.
  const { ConfigError } = await import('../config.ts');
  return error instanceof ConfigError ? configFailure(error) : undefined;
}

/** A wrong environment, one line for each variable. */
export const configFailure = (error: Error): CommandFailure =>
  new CommandFailure('The configuration is wrong.', {
    code: 'configuration',
    lines: error.message.split('\n'),
    next: 'Correct these environment variables, or unset them.',
    cause: error,
  });
