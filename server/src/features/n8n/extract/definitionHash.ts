import { createHash } from 'node:crypto';
import { WorkflowShapeError, type WorkflowNode, type WorkflowShape } from './shape.ts';
import { at, byCodeUnit } from './values.ts';

/** Deeper than any workflow that n8n's editor can make, shallow enough for every stack. */
const DEPTH_LIMIT = 256;

/** Longer text stands in the canonical form as its own hash, or copies of it could fill memory. */
const LONG_TEXT = 10_000;

/** Node fields beside type, version, parameters and credentials that change what a run does. */
const BEHAVIOUR = [
  'alwaysOutputData',
  'continueOnFail',
  'disabled',
  'executeOnce',
  'maxTries',
  'onError',
  'retryOnFail',
  'waitBetweenTries',
] as const;

/** Settings that change what a run does, and the values that mean the same as leaving them out. */
const SETTINGS: ReadonlyMap<string, readonly unknown[]> = new Map<string, readonly unknown[]>([
  ['callerIds', ['']],
  ['callerPolicy', ['workflowsFromSameOwner']],
  ['errorWorkflow', ['', 'DEFAULT']],
  ['executionOrder', ['v0']],
  ['executionTimeout', [-1]],
  ['timezone', ['', 'DEFAULT']],
]);

/**
 * `sha256:<hex>` over what the workflow does. The order of nodes and keys, positions, notes, ids,
 * webhook ids, pinned and static data, credentials' ids and names, and names that n8n caches beside
 * a chosen resource make no difference. n8n hands out ids itself, so they cannot be part of it.
 *
 * Hash only what n8n stores (the database, the public API, `workflow.create` and `update` hooks):
 * the `workflow.activate` and `postExecute` hooks carry every parameter's default filled in.
 *
 * @throws {WorkflowShapeError} when the JSON is nested deeper than 256 levels
 */
export function definitionHash({ nodes, connections, settings }: WorkflowShape): string {
  const hash = createHash('sha256');
  for (const digest of nodes.map(nodeDigest).sort(byCodeUnit)) hash.update(digest);
  hash.update(canonical(trimConnections(connections), 'connections', 0));
  hash.update(canonical(settingsThatMatter(settings), 'settings', 0));
  return `sha256:${hash.digest('hex')}`;
}

function nodeDigest(node: WorkflowNode): string {
  const behaviour = BEHAVIOUR.map((field) => [field, at(node.source, field)] as const);
  const text = canonical(
    {
      name: node.name,
      type: node.fullType,
      typeVersion: at(node.source, 'typeVersion') ?? 1,
      parameters: node.parameters ?? {},
      credentials: [...node.credentialTypes].sort(byCodeUnit),
      behaviour: Object.fromEntries(
        behaviour.filter(([, value]) => Boolean(value) && value !== 'stopWorkflow'),
      ),
    },
    node.path,
    0,
  );
  return digest(text);
}

function settingsThatMatter(settings: Record<string, unknown>): Record<string, unknown> {
  const kept = [...SETTINGS].flatMap(([name, defaults]) => {
    const value = at(settings, name);
    return value === undefined || value === null || defaults.includes(value) ? [] : [[name, value]];
  });
  return Object.fromEntries(kept) as Record<string, unknown>;
}

/** The editor writes empty outputs (`[[]]`, `[null]`) that other writers leave out. */
function trimConnections(connections: Record<string, unknown>): unknown[] {
  return Object.keys(connections)
    .sort(byCodeUnit)
    .flatMap((source) => {
      const outputs = connections[source];
      const types = typeof outputs === 'object' && outputs !== null ? Object.keys(outputs) : [];
      return types.sort(byCodeUnit).flatMap((type) => {
        const slots = trimSlots(at(outputs, type));
        return slots === undefined ? [] : [[source, type, slots]];
      });
    });
}

function trimSlots(slots: unknown): unknown {
  if (!Array.isArray(slots)) return slots ?? undefined;
  const last = slots.findLastIndex((slot: unknown) => Array.isArray(slot) && slot.length > 0);
  return last < 0 ? undefined : slots.slice(0, last + 1).map((slot: unknown) => slot ?? []);
}

function canonical(value: unknown, path: string, depth: number): string {
  if (depth > DEPTH_LIMIT) {
    throw new WorkflowShapeError(path, `Nested deeper than ${DEPTH_LIMIT} levels; flatten it.`);
  }
  if (Array.isArray(value)) {
    return `[${value.map((item: unknown) => canonical(item, path, depth + 1)).join(',')}]`;
  }
  if (typeof value === 'object' && value !== null) {
    const isLocator = at(value, '__rl') === true;
    const members = Object.keys(value)
      .filter((key) => !(isLocator && key.startsWith('cachedResult')))
      .sort(byCodeUnit)
      .map((key) => [key, at(value, key)] as const)
      .filter(([, member]) => member !== undefined)
      .map(([key, member]) => `${JSON.stringify(key)}:${canonical(member, path, depth + 1)}`);
    return `{${members.join(',')}}`;
  }
  if (typeof value === 'string' && value.length > LONG_TEXT) return `#${digest(value)}`;
  const isPlain = ['string', 'number', 'boolean'].includes(typeof value);
  return isPlain ? JSON.stringify(value) : 'null';
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
