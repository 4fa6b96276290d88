import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FIXTURES = join(import.meta.dirname, '../../test/fixtures');

export interface RecordedCall {
  hook: string;
  args: unknown[];
}

/** What a real n8n 2.41 called, in order. */
export function recordedCalls(): RecordedCall[] {
  return readFileSync(join(FIXTURES, 'n8n-2.41/hooks.ndjson'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { hook: string; args?: unknown[] })
    .map(({ hook, args = [] }) => ({ hook, args }));
}

/** Fifty workflows that people have published. */
export function publishedWorkflows(): { file: string; workflow: Record<string, unknown> }[] {
  const folder = join(FIXTURES, 'workflows');
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => ({
      file,
      workflow: JSON.parse(readFileSync(join(folder, file), 'utf8')) as Record<string, unknown>,
    }));
}
