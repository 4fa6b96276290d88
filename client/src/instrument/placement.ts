import type { NodeJson } from './workflow.ts';

export type Position = [number, number];

const STEP_X = 220;
const STEP_Y = 160;
/** What a node takes up on n8n's canvas with its label, in canvas units. */
const WIDTH = 200;
const HEIGHT = 140;
const STICKY_NOTE = 'n8n-nodes-base.stickyNote';
/** Nobody finds a node further out, and a step must still make a difference there. */
const FARTHEST = 10_000_000;

export const positionOf = ({ position }: NodeJson): Position =>
  Array.isArray(position) &&
  position.length === 2 &&
  position.every((value) => typeof value === 'number' && Math.abs(value) <= FARTHEST)
    ? position
    : [0, 0];

/** Free places on the canvas; sticky notes lie below the nodes and are in nobody's way. */
export function createCanvas(nodes: NodeJson[]) {
  const rows = new Map<number, Position[]>();
  const row = (y: number) => Math.floor(y / HEIGHT);
  const take = (position: Position) => {
    const taken = rows.get(row(position[1])) ?? [];
    taken.push(position);
    rows.set(row(position[1]), taken);
  };
  for (const node of nodes) if (node.type !== STICKY_NOTE) take(positionOf(node));

  const isFree = ([x, y]: Position): boolean =>
    [-1, 0, 1].every((step) =>
      (rows.get(row(y) + step) ?? []).every(
        ([otherX, otherY]) => Math.abs(otherX - x) >= WIDTH || Math.abs(otherY - y) >= HEIGHT,
      ),
    );

  /** The first free place right of a node, from a height on upwards or downwards; it is taken from now on. */
  function place(beside: NodeJson, from: number, direction: 'up' | 'down'): Position {
    const x = positionOf(beside)[0] + STEP_X;
    const step = direction === 'up' ? -STEP_Y : STEP_Y;
    let y = from;
    while (!isFree([x, y])) y += step;
    take([x, y]);
    return [x, y];
  }

  return { place, above: (y: number) => y - STEP_Y };
}
