import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import type { EntityRegistration } from '@rollcall/client/contract';
import { usageError } from '../failure.ts';
import type { RegisterOptions } from './register.ts';

type Json = Record<string, unknown>;

/** What `rollcall entities register` is to send: the files' words, and over them the options'. */
export async function readRegistrations(
  file: string | undefined,
  options: RegisterOptions,
): Promise<{ several: boolean; registrations: EntityRegistration[] }> {
  if (file !== undefined && options.workflow !== undefined) {
    throw usageError('Give a file of registrations or --workflow, not both.');
  }
  const source = file ?? options.workflow;
  const content = source === undefined ? {} : await readJson(source);
  const items = (Array.isArray(content) ? content : [content]) as Json[];
  if (items.length > 1 && (options.id ?? options.name) !== undefined) {
    throw usageError(`${source} holds ${items.length} items: --id and --name fit only one.`);
  }
  const registrations = items.map((item, index) => {
    const read = options.workflow === undefined ? item : ofWorkflow(item);
    const registration = { ...read, ...given(options) } as Partial<EntityRegistration>;
    const missing = (
      [
        ['entity_type', '--type'],
        ['entity_id', '--id'],
      ] as const
    ).filter(([field]) => registration[field] === undefined);
    if (missing.length > 0) {
      const where = items.length > 1 ? `Item ${index + 1} of ${source}` : 'The registration';
      throw usageError(`${where} lacks ${missing.map(([field]) => field).join(' and ')}.`, {
        next: `Add ${missing.map(([, flag]) => flag).join(' and ')}.`,
      });
    }
    return registration as EntityRegistration;
  });
  if (registrations.length === 0) throw usageError(`${source} holds no item.`);
  return { several: Array.isArray(content), registrations };
}

function given(options: RegisterOptions): Partial<EntityRegistration> {
  const fields: Partial<EntityRegistration> = {
    entity_id: options.id,
    entity_type: options.type,
    entity_name: options.name,
    description: options.description,
    capabilities: options.capability,
    tags: options.tag,
    parent: options.parent,
    endpoint_url: options.endpoint,
    current_state: options.state,
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** Leaves out what is none of the definition, above all pinned data: it was processed, it is private. */
function ofWorkflow({ id, name, nodes, connections, settings, active, isArchived }: Json) {
  const state = isArchived === true ? 'archived' : active === true ? 'active' : 'inactive';
  return {
    ...(typeof id === 'string' || typeof id === 'number' ? { entity_id: String(id) } : {}),
    entity_type: 'workflow',
    ...(typeof active === 'boolean' ? { current_state: state } : {}),
    workflow: { id, name, nodes, connections, settings },
  };
}

async function readJson(source: string): Promise<unknown> {
  const name = source === '-' ? 'Standard input' : source;
  const content = await (source === '-' ? text(process.stdin) : readFile(source, 'utf8')).catch(
    (error: unknown) => {
      throw usageError(`${name} cannot be read: ${(error as Error).message}`);
    },
  );
  let parsed: unknown;
  try {
    parsed = JSON.parse(content);
  } catch (error) {
    throw usageError(`${name} is not JSON: ${(error as Error).message}`);
  }
  const items: unknown[] = Array.isArray(parsed) ? parsed : [parsed];
  if (items.some((item) => typeof item !== 'object' || item === null || Array.isArray(item))) {
    throw usageError(`${name} must hold a JSON object, or an array of objects.`);
  }
  return parsed;
}
