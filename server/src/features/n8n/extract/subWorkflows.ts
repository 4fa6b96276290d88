import { BASE_PACKAGE, LANGCHAIN_PACKAGE } from './nodeType.ts';
import type { WorkflowNode } from './shape.ts';
import { printable } from './tokens.ts';
import { at, literal, stated } from './values.ts';

/**
 * What a node calls: a stored workflow, the workflow itself, one written into the node (or fetched
 * by it), or one that only a run can name.
 */
export type SubWorkflowCall =
  | { kind: 'stored'; id: string; name: string | undefined }
  | { kind: 'self' | 'inline' | 'dynamic' };

const CALLERS = new Set([
  `${BASE_PACKAGE}.executeWorkflow`,
  `${LANGCHAIN_PACKAGE}.retrieverWorkflow`,
  `${LANGCHAIN_PACKAGE}.toolWorkflow`,
]);

/**
 * The workflow that Execute Sub-workflow (all versions), Call n8n Workflow Tool or Workflow
 * Retriever calls; `undefined` for other nodes and while none is chosen.
 */
export function subWorkflowOf(
  { fullType, parameters }: WorkflowNode,
  ownId: string | undefined,
): SubWorkflowCall | undefined {
  if (!CALLERS.has(fullType)) return undefined;
  const source = stated(at(parameters, 'source'));
  if (source.kind === 'expression') return { kind: 'dynamic' };
  if (source.kind === 'literal' && source.text !== 'database') return { kind: 'inline' };

  const chosen = at(parameters, 'workflowId');
  const said = stated(chosen);
  if (said.kind === 'absent') return undefined;
  if (said.kind === 'expression') {
    const isSelf = /^=\{\{\s*\$workflow\.id\s*\}\}$/.test(said.text.slice(0, 100));
    return { kind: isSelf ? 'self' : 'dynamic' };
  }
  const id = workflowId(said.text);
  if (id === undefined) return { kind: 'dynamic' };
  if (id === ownId) return { kind: 'self' };
  const name = printable(literal(at(chosen, 'cachedResultName')) ?? '');
  return { kind: 'stored', id, name: name === '' ? undefined : name };
}

/** The workflow that settings name for failures; `DEFAULT` is n8n's older way to say none. */
export function errorWorkflowOf(settings: Record<string, unknown>): string | undefined {
  const said = literal(at(settings, 'errorWorkflow'));
  return said === undefined || said === 'DEFAULT' ? undefined : workflowId(said);
}

/** An id, also out of an editor address such as `https://n8n.example/workflow/AbC123/executions`. */
function workflowId(text: string): string | undefined {
  const id = /\/workflow\/([\w-]+)/.exec(text.slice(0, 2000))?.[1] ?? text;
  return /^[\w-]{1,100}$/.test(id) ? id : undefined;
}
