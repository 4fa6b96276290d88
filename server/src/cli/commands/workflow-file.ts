import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { CommandFailure, usageError } from '../failure.ts';

type Json = Record<string, unknown>;

/** n8n workflow JSON from a file: one workflow, or an export of several. */
export interface WorkflowFile {
  /** As messages call it. */
  name: string;
  several: boolean;
  workflows: Json[];
  /** These workflows in the file's own way: its indentation, and a line's end where it has one. */
  format(workflows: Json[]): string;
}

/** @throws CommandFailure when it cannot be read, or holds no JSON objects (exit code 2) */
export async function readWorkflowFile(path: string): Promise<WorkflowFile> {
  const name = path === '-' ? 'Standard input' : path;
  const content = await (path === '-' ? text(process.stdin) : readFile(path, 'utf8')).catch(
    (error: unknown) => {
      throw usageError(`${name} cannot be read: ${(error as Error).message}`);
    },
  );
  const parsed = parse(name, content);
  const several = Array.isArray(parsed);
  const workflows = (several ? parsed : [parsed]) as Json[];
  if (workflows.some((item) => typeof item !== 'object' || item === null || Array.isArray(item))) {
    throw usageError(`${name} must hold the JSON of a workflow, or an array of workflows.`);
  }
  const indent = /^\s*[[{]\r?\n([ \t]+)/.exec(content)?.[1];
  const end = content.endsWith('\n') ? '\n' : '';
  return {
    name,
    several,
    workflows,
    format: (edited) => JSON.stringify(several ? edited : edited[0], null, indent) + end,
  };
}

function parse(name: string, content: string): unknown {
  try {
    return JSON.parse(content);
  } catch (error) {
    throw usageError(`${name} is not JSON: ${(error as Error).message}`);
  }
}

/**
 * Replaces the file in one step: whoever reads it meanwhile sees the old one or the new one.
 * @throws CommandFailure
 */
export async function replaceFile(path: string, content: string): Promise<void> {
  const partial = `${path}.${process.pid}.partial`;
  try {
    const mode = await stat(path).then(
      (found) => found.mode,
      () => undefined,
    );
    await writeFile(partial, content, { mode });
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw new CommandFailure(`${path} cannot be written: ${(error as Error).message}`, {
      code: 'not_written',
      cause: error,
    });
  }
}
