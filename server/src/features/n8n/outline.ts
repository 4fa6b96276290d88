import { hash } from 'node:crypto';
import type { NodeHashes } from '@rollcall/client/contract';
import { count, field, id, isFields, storable, text } from './webhook/fields.ts';

/** What is kept of a definition: enough to tell what changed from it to another one, and nothing of what is in it. */
export interface Outline {
  definition_hash: string;
  /** Of `json`. */
  outline_hash: string;
  /** `{nodes: OutlineNode[], connections: OutlineConnection[]}`, as text: nobody reads it on its way to the database. */
  json: string;
}

interface OutlineNode extends NodeHashes {
  id?: string;
  name: string;
  type: string;
  version: number | string;
  disabled?: true;
  /** Types, sorted. */
  credentials?: string[];
}

/** Source, type, output, target, input. */
type OutlineConnection = [string, string, number, string, number];

const MOST_NODES = 2_000;
const MOST_CONNECTIONS = 10_000;
const MOST_CHARACTERS = 500_000;
const STICKY_NOTE = 'n8n-nodes-base.stickyNote';

/** Of what the hooks package tells of a stored definition; undefined where it tells no hashes of nodes. */
export const pickedOutline = (workflow: unknown, definitionHash: string): Outline | undefined =>
  outlineOf(workflow, definitionHash, (node) => {
    const hashes = field(node, 'hashes');
    return isFields(hashes) ? hashes : undefined;
  });

/** Of a definition as n8n stores it, given its hash and those of its nodes; undefined when it is too large to keep. */
export function outlineOf(
  workflow: unknown,
  definition_hash: string,
  hashesOf: (node: unknown) => NodeHashes | undefined,
): Outline | undefined {
  const told = field(workflow, 'nodes');
  if (!Array.isArray(told) || told.length > MOST_NODES) return undefined;
  const nodes: OutlineNode[] = [];
  for (const node of told as unknown[]) {
    if (field(node, 'type') === STICKY_NOTE) continue;
    const hashes = hashesOf(node);
    if (!hashes) return undefined;
    nodes.push(nodeOf(node, hashes));
  }
  const connections = connectionsOf(field(workflow, 'connections'), new Set(nodes.map(nameOf)));
  const json = JSON.stringify({ nodes, connections });
  if (connections.length > MOST_CONNECTIONS || json.length > MOST_CHARACTERS) return undefined;
  return { definition_hash, outline_hash: sha256(json), json };
}

const nameOf = ({ name }: OutlineNode): string => name;

function nodeOf(node: unknown, { parameters, retry, settings }: NodeHashes): OutlineNode {
  const nodeId = id(node, 'id');
  const version = field(node, 'typeVersion');
  const credentials = field(node, 'credentials');
  const types = isFields(credentials) ? Object.keys(credentials).sort() : [];
  return {
    ...(nodeId !== undefined && { id: nodeId }),
    name: text(node, 255, 'name') ?? '',
    type: text(node, 255, 'type') ?? '',
    version: typeof version === 'number' ? version : (text(node, 32, 'typeVersion') ?? 1),
    ...(field(node, 'disabled') === true && { disabled: true as const }),
    ...(types.length > 0 && { credentials: types.map((type) => storable(type, 255)) }),
    ...(parameters !== undefined && { parameters }),
    ...(retry !== undefined && { retry }),
    ...(settings !== undefined && { settings }),
  };
}

/** Between nodes that there are; outputs that lead nowhere make no difference. */
function connectionsOf(connections: unknown, names: ReadonlySet<string>): OutlineConnection[] {
  const found: OutlineConnection[] = [];
  for (const source of isFields(connections) ? Object.keys(connections) : []) {
    const outputs = field(connections, source);
    for (const type of isFields(outputs) ? Object.keys(outputs) : []) {
      const slots = field(outputs, type);
      for (const [output, targets] of (Array.isArray(slots) ? (slots as unknown[]) : []).entries())
        for (const target of Array.isArray(targets) ? (targets as unknown[]) : []) {
          const name = text(target, 255, 'node');
          if (name === undefined || !names.has(name) || !names.has(source)) continue;
          if (found.length > MOST_CONNECTIONS) return found;
          found.push([source, storable(type, 100), output, name, count(target, 'index') ?? 0]);
        }
    }
  }
  return found;
}

const sha256 = (value: string): string => hash('sha256', value);
