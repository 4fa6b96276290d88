import { readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { field, id, text } from './read.ts';
import { sha256 } from './stored-definition.ts';

export type InstanceRole = 'main' | 'worker' | 'webhook' | 'cli';

export interface ProcessFacts {
  environment: Record<string, string | undefined>;
  /** As `process.argv`. */
  arguments: readonly string[];
}

/** What n8n's command line says that this process is. */
export function roleOf({ arguments: [, , command] }: ProcessFacts): InstanceRole {
  if (command === 'worker' || command === 'webhook') return command;
  return command === undefined || command.startsWith('-') || command === 'start' ? 'main' : 'cli';
}

/** Version of the n8n whose command runs; undefined when it cannot be told. */
export function versionOf({ arguments: [, script] }: ProcessFacts): string | undefined {
  try {
    const manifest = join(dirname(realpathSync(script ?? '')), '../package.json');
    const { name, version } = JSON.parse(readFileSync(manifest, 'utf8')) as Record<string, unknown>;
    return name === 'n8n' ? text(version, 64) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The id that n8n gives itself when nobody has said another: half of its encryption key, hashed. The key is read for
 * this alone and is not kept.
 */
export function derivedInstanceId(facts: ProcessFacts): string {
  const key = encryptionKey(facts);
  if (key === undefined) return 'unknown';
  return sha256(key.slice(Math.round(key.length / 2)));
}

/** `N8N_INSTANCE_ID`, which n8n takes before all else. */
export function namedInstanceId({ environment }: ProcessFacts): string | undefined {
  return id(environment['N8N_INSTANCE_ID']);
}

/**
 * The id that n8n has stored in its database, through one of the repositories it hands to hooks: seeded with the derived
 * one, and kept when the encryption key changes. Undefined when there is none, or an older n8n.
 */
export async function storedInstanceId(repository: unknown): Promise<string | undefined> {
  try {
    const { manager } = repository as { manager: { getRepository(name: string): Finder } };
    const row = await manager.getRepository('DeploymentKey').findOne({
      where: { type: 'instance.id', status: 'active' },
      select: ['id', 'value'],
    });
    return id(field(row, 'value'));
  } catch {
    return undefined;
  }
}

interface Finder {
  findOne(options: object): Promise<unknown>;
}

function encryptionKey({ environment }: ProcessFacts): string | undefined {
  const home = process.platform === 'win32' ? 'USERPROFILE' : 'HOME';
  const folder = environment['N8N_USER_FOLDER'] ?? environment[home] ?? process.cwd();
  const file = environment['N8N_ENCRYPTION_KEY_FILE'];
  return (
    keyIn(join(folder, '.n8n/config')) ??
    keyText(environment['N8N_ENCRYPTION_KEY']) ??
    (file === undefined ? undefined : keyText(read(file)?.trim()))
  );
}

function keyIn(settingsFile: string): string | undefined {
  try {
    return keyText(field(JSON.parse(read(settingsFile) ?? ''), 'encryptionKey'));
  } catch {
    return undefined;
  }
}

const keyText = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
