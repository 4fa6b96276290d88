/** Lower-case hex SHA-256 of the text as UTF-8: every platform has its own. */
export type Sha256 = (text: string) => string;

/** Nested deeper than any workflow that n8n's editor can make. `path` says where, e.g. `nodes.3`. */
export class NestingError extends Error {
  override readonly name = 'NestingError';
  readonly path: string;

  constructor(path: string) {
    super(`Nested deeper than ${DEPTH_LIMIT} levels; flatten it.`);
    this.path = path;
  }
}

/** Shallow enough for every stack. */
const DEPTH_LIMIT = 256;

/** Longer text stands in the canonical form as its own hash, or copies of it could fill memory. */
const LONG_TEXT = 10_000;

const STICKY_NOTE = 'n8n-nodes-base.stickyNote';

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
 * `sha256:<hex>` over what an n8n workflow does, given its JSON. The order of nodes and keys, sticky notes, positions,
 * notes, ids, webhook ids, pinned and static data, credentials' ids and names, and names that n8n caches beside
 * a chosen resource make no difference. n8n hands out ids itself, so they cannot be part of it.
 *
 * Hash only what n8n stores (the database, the public API, `afterCreate` and `afterUpdate` hooks): the `activate` and
 * `postExecute` hooks carry every parameter's default filled in.
 *
 * @throws {NestingError} when the JSON is nested deeper than 256 levels
 */
export function definitionHash(definition: HashedDefinition, sha256: Sha256): string {
  return hashDefinition(definition, sha256).hash;
}

export interface HashedDefinition {
  nodes: readonly unknown[];
  connections: unknown;
  settings: unknown;
}

export interface DefinitionHashes {
  /** `definitionHash` of the whole. */
  hash: string;
  /** `nodeHashes` of one of its nodes. */
  hashesOf(node: unknown): NodeHashes;
}

/**
 * `definitionHash` and the `nodeHashes` of its nodes from one reading.
 *
 * @throws {NestingError} when the JSON is nested deeper than 256 levels
 */
export function hashDefinition(definition: HashedDefinition, sha256: Sha256): DefinitionHashes {
  const { nodes, connections, settings } = definition;
  const canonical = canonicalWith(sha256);
  const written = new Map<unknown, WrittenNode>();
  const digests: string[] = [];
  for (const [index, node] of nodes.entries()) {
    if (own(node, 'type') === STICKY_NOTE) continue;
    const one = writeNode(node, `nodes.${index}`, canonical);
    written.set(node, one);
    digests.push(sha256(one.text));
  }
  const parts = [
    ...digests.sort(byCodeUnit),
    canonical(trimConnections(connections), 'connections', 0),
    canonical(settingsThatMatter(settings), 'settings', 0),
  ];
  return {
    hash: `sha256:${sha256(parts.join(''))}`,
    hashesOf: (node) =>
      hashesOf(written.get(node) ?? writeNode(node, 'node', canonical), canonical, sha256),
  };
}

/** Of a node, hashes of what may not be told itself: 16 hex digits each, left out where there is nothing to hash. */
export interface NodeHashes {
  parameters?: string;
  /** Whether it tries again, how often, and after how long. */
  retry?: string;
  /** What it does on an error or without output, and whether it runs once for all items. */
  settings?: string;
}

const RETRY = ['retryOnFail', 'maxTries', 'waitBetweenTries'] as const;
const ON_OUTPUT = ['alwaysOutputData', 'continueOnFail', 'executeOnce', 'onError'] as const;

/**
 * What `definitionHash` makes of a single node, part by part, so that what changed in it can be named.
 *
 * @throws {NestingError} when the node is nested deeper than 256 levels
 */
export function nodeHashes(node: unknown, sha256: Sha256): NodeHashes {
  const canonical = canonicalWith(sha256);
  return hashesOf(writeNode(node, 'node', canonical), canonical, sha256);
}

function hashesOf(
  { parameters, behaviour }: WrittenNode,
  canonical: Canonical,
  sha256: Sha256,
): NodeHashes {
  const hashes: NodeHashes = {};
  const note = (part: keyof NodeHashes, text: string) => {
    if (text !== '{}') hashes[part] = sha256(text).slice(0, 16);
  };
  const some = (names: readonly string[]) => {
    const fields = Object.entries(behaviour).filter(([name]) => names.includes(name));
    return fields.length === 0 ? '{}' : canonical(Object.fromEntries(fields), 'node', 0);
  };
  note('parameters', parameters);
  note('retry', some(RETRY));
  note('settings', some(ON_OUTPUT));
  return hashes;
}

/** A node's canonical form, and what of it is hashed by itself. */
interface WrittenNode {
  text: string;
  parameters: string;
  behaviour: object;
}

/** What of a node makes a difference, its keys in order. The parameters are most of it, and are written once. */
function writeNode(node: unknown, path: string, canonical: Canonical): WrittenNode {
  const name = own(node, 'name');
  const type = own(node, 'type');
  const behaviour: Record<string, unknown> = {};
  for (const field of BEHAVIOUR) {
    const value = own(node, field);
    if (Boolean(value) && value !== 'stopWorkflow') behaviour[field] = value;
  }
  const write = (value: unknown) => canonical(value, path, 1);
  const parameters = write(own(node, 'parameters') ?? {});
  const text =
    `{"behaviour":${write(behaviour)},"credentials":${write(keysOf(own(node, 'credentials')))}` +
    `,"name":${write(typeof name === 'string' ? name : '')},"parameters":${parameters}` +
    `${type === undefined ? '' : `,"type":${write(type)}`},"typeVersion":${write(own(node, 'typeVersion') ?? 1)}}`;
  return { text, parameters, behaviour };
}

function settingsThatMatter(settings: unknown): object {
  const kept = [...SETTINGS].flatMap(([name, defaults]) => {
    const value = own(settings, name);
    return value === undefined || value === null || defaults.includes(value) ? [] : [[name, value]];
  });
  return Object.fromEntries(kept) as object;
}

/** The editor writes empty outputs (`[[]]`, `[null]`) that other writers leave out. */
function trimConnections(connections: unknown): unknown[] {
  return keysOf(connections).flatMap((source) => {
    const outputs = own(connections, source);
    const types = typeof outputs === 'object' && outputs !== null ? Object.keys(outputs) : [];
    return types.sort(byCodeUnit).flatMap((type) => {
      const slots = trimSlots(own(outputs, type));
      return slots === undefined ? [] : [[source, type, slots]];
    });
  });
}

function trimSlots(slots: unknown): unknown {
  if (!Array.isArray(slots)) return slots ?? undefined;
  let length = slots.length;
  while (length > 0 && !leadsSomewhere(slots[length - 1])) length -= 1;
  return length === 0 ? undefined : slots.slice(0, length).map((slot: unknown) => slot ?? []);
}

const leadsSomewhere = (slot: unknown): boolean => Array.isArray(slot) && slot.length > 0;

type Canonical = (value: unknown, path: string, depth: number) => string;

/** Every value of every node passes through here: plain loops, for an inventory hashes thousands of workflows. */
function canonicalWith(sha256: Sha256): Canonical {
  return function canonical(value: unknown, path: string, depth: number): string {
    if (depth > DEPTH_LIMIT) throw new NestingError(path);
    if (typeof value === 'string') {
      return value.length > LONG_TEXT ? `#${sha256(value)}` : quoted(value);
    }
    if (typeof value === 'boolean') return value ? 'true' : 'false';
    if (typeof value === 'number') return Number.isFinite(value) ? String(value) : 'null';
    if (typeof value !== 'object' || value === null) return 'null';
    let inner = '';
    if (Array.isArray(value)) {
      for (const item of value as unknown[]) {
        inner += `${inner && ','}${canonical(item, path, depth + 1)}`;
      }
      return `[${inner}]`;
    }
    const fields = value as Record<string, unknown>;
    const isLocator = own(value, '__rl') === true;
    // Without a comparison, sort goes by code units.
    for (const key of Object.keys(fields).sort()) {
      const member = fields[key];
      if (member === undefined || (isLocator && key.startsWith('cachedResult'))) continue;
      inner += `${inner && ','}${quoted(key)}:${canonical(member, path, depth + 1)}`;
    }
    return `{${inner}}`;
  };
}

/** What JSON writes otherwise than as it stands. */
// eslint-disable-next-line no-control-regex
const ESCAPED = /["\\\u0000-\u001f\ud800-\udfff]/;

/** As `JSON.stringify`, sooner for a plain word, as most are. */
const quoted = (text: string): string => (ESCAPED.test(text) ? JSON.stringify(text) : `"${text}"`);

/** Own keys only, so that names such as `constructor` or `__proto__` reach nothing. */
function own(value: unknown, key: string): unknown {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}

function keysOf(value: unknown): string[] {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? Object.keys(value).sort(byCodeUnit) : [];
}

function byCodeUnit(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
