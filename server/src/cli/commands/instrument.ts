import {
  editWorkflow,
  WorkflowFormatError,
  type InstrumentResult,
} from '@rollcall/client/contract';
import { Option, type Command } from 'commander';
import { EXIT, usageError } from '../failure.ts';
import type { GlobalOptions } from '../http/session.ts';
import { note, print, printJson } from '../terminal/print.ts';
import { clean, count, paint } from '../terminal/text.ts';
import { readWorkflowFile, replaceFile, type WorkflowFile } from './workflow-file.ts';

/** `rollcall instrument`: Rollcall's nodes in and out of workflow files. Needs no server. */
export function instrumentCommand(program: Command): void {
  program
    .command('instrument')
    .description('Put Rollcall’s nodes into n8n workflow JSON; needs no server')
    .argument('<file>', 'one workflow or an export of several; - reads standard input')
    .option('--remove', 'take them out again')
    .option('--check', `write nothing, and exit with ${EXIT.wouldChange} if something would change`)
    .addOption(new Option('--out <file>', 'write the result there').conflicts('check'))
    .addOption(
      new Option('--in-place', 'write the result into the file').conflicts(['out', 'check']),
    )
    .option('--credential <name>', 'name of the Rollcall credential in n8n (default: Rollcall)')
    .option('--credential-id <id>', 'its id in n8n, where it is known')
    .option('--no-register', 'leave out the nodes that register the workflow at each run')
    .action(instrument);
}

interface InstrumentCommandOptions {
  remove?: boolean;
  check?: boolean;
  out?: string;
  inPlace?: boolean;
  credential?: string;
  credentialId?: string;
  register: boolean;
}

async function instrument(path: string, options: InstrumentCommandOptions, command: Command) {
  if (options.inPlace && path === '-') {
    throw usageError('--in-place needs a file; standard input has no place to write to.');
  }
  const file = await readWorkflowFile(path);
  const results = file.workflows.map((workflow, index) => edit(file, workflow, index, options));
  const changed = results.some((result) => result.changed);
  const target = options.inPlace ? path : options.out;
  const output = file.format(results.map(({ workflow }) => workflow));
  // A file that nothing changes in keeps its time, too.
  if (target !== undefined && (changed || target !== path)) await replaceFile(target, output);
  if (options.check && changed) process.exitCode = EXIT.wouldChange;

  if (command.optsWithGlobals<GlobalOptions>().json) {
    return printJson(file.several ? results : results[0]);
  }
  const showsWorkflow = !options.check && target === undefined && !process.stdout.isTTY;
  if (showsWorkflow) process.stdout.write(output.endsWith('\n') ? output : `${output}\n`);
  const say = showsWorkflow ? note : print;
  for (const [index, result] of results.entries()) {
    for (const line of describe(nameOf(file, index), result)) say(line);
  }
  if (target !== undefined && (changed || target !== path)) say(`Written: ${target}`);
  else if (changed && !showsWorkflow) {
    say('Nothing was written. Add --in-place, or --out FILE.');
  }
}

function edit(
  file: WorkflowFile,
  workflow: Record<string, unknown>,
  index: number,
  { credential, credentialId: credential_id, register, remove }: InstrumentCommandOptions,
): InstrumentResult {
  try {
    return editWorkflow({ workflow, remove, options: { credential, credential_id, register } });
  } catch (error) {
    if (!(error instanceof WorkflowFormatError)) throw error;
    throw usageError(`${nameOf(file, index)} is not an n8n workflow.`, {
      code: 'not_a_workflow',
      lines: [clean(error.message)],
      next: 'Export it from n8n: Download in the editor’s menu, or n8n export:workflow.',
      cause: error,
    });
  }
}

function nameOf({ name, several, workflows }: WorkflowFile, index: number): string {
  const title = workflows[index]?.name;
  const called = typeof title === 'string' && title !== '' ? ` (${clean(title)})` : '';
  return several ? `Item ${index + 1} of ${name}${called}` : `${name}${called}`;
}

/** The diff as nodes: what a person sees on the canvas. */
function describe(name: string, { changed, inserted, removed }: InstrumentResult): string[] {
  if (!changed) return [`${name}: nothing to change.`];
  return [
    `${name}: ${[
      inserted.length > 0 ? count(inserted.length, 'node comes', 'nodes come') : [],
      removed.length > 0 ? count(removed.length, 'node goes', 'nodes go') : [],
    ]
      .flat()
      .join(', ')}.`,
    ...inserted.map(({ name: node, after, output }) => {
      const where = output === 0 ? '' : `, output ${output}`;
      return paint('green', `  + ${clean(node)}  after ${clean(after)}${where}`);
    }),
    ...removed.map((node) => paint('red', `  - ${clean(node)}`)),
  ];
}
