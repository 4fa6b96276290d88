import { createHash } from 'node:crypto';
import { hashDefinition, type NodeHashes } from '../../client/src/contract/index.ts';
import { field, keys, lengthOf, list } from './read.ts';

const MOST_NODES = 5_000;
const MOST_VALUES = 200_000;
const MOST_CHARACTERS = 10_000_000;
const DEEPEST = 256;

const NODE_FIELDS = [
  'name',
  'type',
  'typeVersion',
  'parameters',
  'alwaysOutputData',
  'continueOnFail',
  'disabled',
  'executeOnce',
  'maxTries',
  'onError',
  'retryOnFail',
  'waitBetweenTries',
] as const;

/** Too large, or not the plain data that n8n stores. */
class NoDefinition extends Error {}

export interface StoredHashes {
  /** `definitionHash` of the whole. */
  hash: string;
  /** `nodeHashes` of each node, in their order. */
  nodes: NodeHashes[];
}

/**
 * Hashes of a workflow as n8n stores it; undefined when it is too large for that, or no plain data. Nothing of what
 * is read here leaves but the hashes.
 */
export function storedHashes(workflow: unknown): StoredHashes | undefined {
  try {
    const budget = { values: MOST_VALUES, characters: MOST_CHARACTERS };
    const copy = (value: unknown) => plain(value, budget, 0);
    const nodes = field(workflow, 'nodes');
    if ((lengthOf(nodes) ?? MOST_NODES + 1) > MOST_NODES) return undefined;
    const definition = {
      nodes: list(nodes, MOST_NODES).map((node) => ({
        ...Object.fromEntries(NODE_FIELDS.map((name) => [name, copy(field(node, name))])),
        credentials: Object.fromEntries(
          keys(field(node, 'credentials'), 1_000).map((type) => [type, {}]),
        ),
      })),
      connections: copy(field(workflow, 'connections')),
      settings: copy(field(workflow, 'settings')),
    };
    const { hash, hashesOf } = hashDefinition(definition, sha256);
    return { hash, nodes: definition.nodes.map(hashesOf) };
  } catch {
    return undefined;
  }
}

/** Lower-case hex SHA-256. */
export function sha256(value: string): string {
  return createHash('sha256').update(value).digest('hex');
}

/** A copy as JSON would make it, of own and readable fields. */
function plain(
  value: unknown,
  budget: { values: number; characters: number },
  depth: number,
): unknown {
  budget.values -= 1;
  if (typeof value === 'string') budget.characters -= value.length;
  if (budget.values < 0 || budget.characters < 0 || depth > DEEPEST) throw new NoDefinition();
  if (typeof value !== 'object' || value === null) {
    return typeof value === 'function' || typeof value === 'symbol' ? undefined : value;
  }
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) {
    if (value.length > budget.values) throw new NoDefinition();
    return list(value, MOST_VALUES).map((element) => plain(element, budget, depth + 1));
  }
  const copy: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const key of Object.keys(value)) {
    budget.characters -= key.length;
    copy[key] = plain((value as Record<string, unknown>)[key], budget, depth + 1);
  }
  return copy;
}
