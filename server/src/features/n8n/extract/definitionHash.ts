import { hash } from 'node:crypto';
import { hashDefinition, NestingError, type DefinitionHashes } from '@rollcall/client/contract';
import { WorkflowShapeError, type WorkflowShape } from './shape.ts';

/**
 * `sha256:<hex>` over what the workflow does, and the hashes of its nodes: see the contract's `hashDefinition`, which
 * n8n's hooks share.
 *
 * @throws {WorkflowShapeError} when the JSON is nested deeper than 256 levels
 */
export function definitionHashes({
  nodes,
  connections,
  settings,
}: WorkflowShape): DefinitionHashes {
  try {
    const sources = nodes.map(({ source }) => source);
    return hashDefinition({ nodes: sources, connections, settings }, sha256);
  } catch (error) {
    if (!(error instanceof NestingError)) throw error;
    throw new WorkflowShapeError(pathIn(nodes, error.path), error.message);
  }
}

/** Sticky notes have been left out, so places have moved: a node knows its own. */
function pathIn(nodes: WorkflowShape['nodes'], path: string): string {
  const place = /^nodes[.](\d+)$/.exec(path)?.[1];
  return place === undefined ? path : (nodes[Number(place)]?.path ?? path);
}

const sha256 = (text: string): string => hash('sha256', text);
