import { writeFile } from 'node:fs/promises';
import { AUDIT_FORMATS, type AuditFormat, type AuditReport } from '@rollcall/client/contract';
import { Option, type Command } from 'commander';
import { CommandFailure } from '../failure.ts';
import { openSession } from '../http/session.ts';
import { note, printJson } from '../terminal/print.ts';
import { parsePast } from '../terminal/time.ts';

const PATH = '/api/v1/audit';
const TYPES = { md: 'text/markdown', html: 'text/html' };
const SPAN = /^\d{1,4}[hdw]$/;

/** `rollcall audit`: what has become of the fleet. */
export function auditCommand(program: Command): void {
  program
    .command('audit')
    .description('What appeared, vanished, drifted, fell silent and was fixed')
    // A span is the server's to count back, by its own clock.
    .option(
      '--since <when>',
      'a span such as 7d, or a date',
      (text) => (SPAN.test(text) ? text : parsePast(text)),
      '7d',
    )
    .addOption(new Option('--format <format>').choices(AUDIT_FORMATS).default('md'))
    .option('--out <file>', 'write it there')
    .action(audit);
}

interface AuditOptions {
  since: string;
  format: AuditFormat;
  out?: string;
}

async function audit({ since, format, out }: AuditOptions, command: Command): Promise<void> {
  const { api, json } = await openSession(command);
  if (json || format === 'json') {
    const report = await api.call<AuditReport>('GET', PATH, { query: { since } });
    if (out === undefined) return printJson(report);
    return write(out, `${JSON.stringify(report, null, 2)}\n`);
  }
  const text = await api.text(PATH, TYPES[format], { query: { since, format } });
  if (out === undefined) process.stdout.write(text);
  else await write(out, text);
}

async function write(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (cause) {
    throw new CommandFailure(`${file} cannot be written: ${(cause as Error).message}`, {
      code: 'file_unwritable',
      next: 'Give another file: --out FILE',
      cause,
    });
  }
  note(`Written to ${file}`);
}
