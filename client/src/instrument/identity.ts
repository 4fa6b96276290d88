import type { Anchor } from './anchors.ts';
import type { NodeJson } from './workflow.ts';

/** First half of every id that instrumenting gives: by it, its nodes are known again. */
const MARK = '726f6c6c-6361-';
const ID = new RegExp(`^${MARK}8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$`);

/** Whether instrumenting has put this node in. */
export const isInserted = ({ id, type }: NodeJson): boolean =>
  typeof id === 'string' && ID.test(id) && type.startsWith('n8n-nodes-rollcall.');

/**
 * The same place in the same workflow always gets the same id: a UUID of version 8. By the id of its node, which outlives
 * a new name, unless the node has none, or had none when it was instrumented: n8n gives ids to nodes without.
 *
 * @param present ids of nodes that are there
 */
export function insertedId({ role, node, output }: Anchor, present: Set<unknown>): string {
  const byName = uuidOf([role, node.name, output]);
  if (!node.id || present.has(byName)) return byName;
  return uuidOf([role, node.id, output]);
}

function uuidOf(place: unknown[]): string {
  const text = JSON.stringify(place);
  const digits = [1, 2, 3].map((seed) => hash(text, seed).toString(16).padStart(8, '0')).join('');
  return `${MARK}8${digits.slice(0, 3)}-8${digits.slice(3, 6)}-${digits.slice(6, 18)}`;
}

/** FNV-1a with a last stir; tells places apart, keeps no secret. */
function hash(text: string, seed: number): number {
  let value = 0x811c9dc5 ^ Math.imul(seed, 0x9e3779b1);
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
