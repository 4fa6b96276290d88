import { createHash } from 'node:crypto';
import type { N8nProject } from '@rollcall/client/contract';
import { itemsOf, type WrittenItem } from './page-bytes.ts';
import { storedWorkflow } from './stored-workflows.ts';
import { field, id, isFields } from './webhook/fields.ts';
import type { WorkflowWords } from './webhook/heard.ts';

/** What the pages of one inventory are read with. */
export interface PageReading {
  /** The moment they speak of, ISO 8601. */
  at: string;
  /** UUID of the inventory. */
  inventory: string;
  /** Digests of workflows by id, as they were last time. */
  seen: Record<string, string>;
  /** Whether workflows are read that are as they were. */
  full: boolean;
  /** By id; undefined where n8n does not tell them. */
  projects: ReadonlyMap<string, { name: string; type: string }> | undefined;
}

/** A workflow that stands in a page. */
export interface StoredWorkflow {
  workflow_id: string;
  version_id: string | null;
  /** Differs when something in it does that matters here. */
  digest: string;
  /** Left out when it is as it was. */
  words?: WorkflowWords;
}

/** What makes a difference in a workflow as n8n's API answers it; static data changes with every poll of a trigger. */
const FIELDS = [
  'id',
  'name',
  'active',
  'isArchived',
  'versionId',
  'activeVersionId',
  'triggerCount',
] as const;
const LARGE_FIELDS = ['nodes', 'connections', 'settings'] as const;
const HEAD = [...FIELDS, 'tags', 'shared'] as const;
const VERSION = /^[\w-]{1,64}$/;

/** A workflow as n8n's API answers it, read as far as it is asked for. */
interface ApiWorkflow {
  /** At least what is not large. */
  head: unknown;
  /** JSON of one of the large fields. */
  json(name: (typeof LARGE_FIELDS)[number]): string | Buffer | undefined;
  whole(): unknown;
}

/**
 * The workflows of a page as n8n's API answers it, without those that have no id: they are nobody's.
 *
 * @throws SyntaxError when it is no such page
 */
export function* storedIn(page: Buffer, reading: PageReading): Generator<StoredWorkflow> {
  for (const item of itemsOf(page)) {
    const one = stored(written(item), reading);
    if (one) yield one;
  }
}

/** One that has been read. */
export const storedOf = (workflow: unknown, reading: PageReading): StoredWorkflow | undefined =>
  // n8n writes like JSON.stringify: its own bytes and these make one digest.
  stored(
    {
      head: workflow,
      json: (name) => JSON.stringify(field(workflow, name)),
      whole: () => workflow,
    },
    reading,
  );

function written({ bytes, fields }: WrittenItem): ApiWorkflow {
  const head = HEAD.flatMap((name) => {
    const json = fields.get(name);
    return json ? [[name, parse(json)]] : [];
  });
  return {
    head: fields.size > 0 ? Object.fromEntries(head) : parse(bytes),
    json: (name) => fields.get(name),
    whole: () => parse(bytes),
  };
}

const parse = (json: Buffer): unknown => JSON.parse(json.toString());

function stored(
  workflow: ApiWorkflow,
  { at, inventory, seen, full, projects }: PageReading,
): StoredWorkflow | undefined {
  const { head } = workflow;
  const workflow_id = id(head, 'id');
  if (!isFields(head) || workflow_id === undefined) return undefined;
  const project = projectOf(head, projects);
  const digest = digestOf(workflow, head, project);
  const { versionId } = head;
  const version_id = typeof versionId === 'string' && VERSION.test(versionId) ? versionId : null;
  const isNews = full || !Object.hasOwn(seen, workflow_id) || seen[workflow_id] !== digest;
  const whole = isNews ? workflow.whole() : undefined;
  const words = isFields(whole) ? storedWorkflow(whole, at, project, inventory) : undefined;
  return { workflow_id, version_id, digest, ...(words && { words }) };
}

/** Personal projects bear a person's name, which stays out. */
function projectOf(
  { shared }: Record<string, unknown>,
  projects: PageReading['projects'],
): N8nProject | undefined {
  const owner = (Array.isArray(shared) ? (shared as unknown[]) : []).find(
    (share) =>
      field(share, 'role') === 'workflow:owner' && typeof field(share, 'projectId') === 'string',
  );
  const projectId = field(owner, 'projectId');
  if (typeof projectId !== 'string' || projectId === '' || projectId.length > 255) return undefined;
  const told = projects?.get(projectId) ?? field(owner, 'project');
  const [name, type] = [field(told, 'name'), field(told, 'type')];
  return {
    id: projectId,
    ...(typeof type === 'string' && type !== '' && { type: type.slice(0, 64) }),
    ...(typeof name === 'string' && name && type === 'team' && { name: name.slice(0, 255) }),
  };
}

function digestOf(
  { json }: ApiWorkflow,
  head: Record<string, unknown>,
  project: N8nProject | undefined,
): string {
  const tags = Array.isArray(head.tags)
    ? head.tags.map((tag: unknown) => (tag as { name?: unknown } | null)?.name)
    : null;
  const digest = createHash('blake2b512');
  digest.update(JSON.stringify([FIELDS.map((name) => head[name]), tags, project]));
  for (const name of LARGE_FIELDS) digest.update(`\n${name} `).update(json(name) ?? '');
  return digest.digest('base64url').slice(0, 22);
}
