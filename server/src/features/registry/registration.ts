import type { EntityReference, EntityRegistration } from '@rollcall/client/contract';

/** What a workflow's JSON says about it. */
export interface Facts {
  capabilities: string[];
  dependencies: EntityReference[];
  definition_hash: string;
  metadata: Record<string, unknown>;
  /** For comparisons with what the definition is at other times. */
  outline?: object | undefined;
}

/** Reads n8n workflow JSON; throws a Problem that names the field when it is not a workflow. */
export type ReadWorkflow = (workflow: Record<string, unknown>) => Facts;

/**
 * What register_entity() takes: the caller's words, completed by what the workflow says of itself. The caller
 * wins where both speak; what is extracted stands apart, for the registry to unite. The workflow goes no further.
 */
export function registration(
  { workflow, metadata, ...entity }: EntityRegistration,
  readWorkflow: ReadWorkflow,
  redact: (metadata: Record<string, unknown>) => Record<string, unknown>,
): object {
  const told = metadata ? { ...entity, metadata: redact(metadata) } : entity;
  if (!workflow) return told;
  const facts = readWorkflow(workflow);
  const name = typeof workflow.name === 'string' ? storable(workflow.name) : '';
  return {
    ...(name ? { entity_name: name } : {}),
    definition_hash: facts.definition_hash,
    ...told,
    extracted_capabilities: facts.capabilities,
    extracted_dependencies: facts.dependencies,
    extracted_metadata: facts.metadata,
    ...(facts.outline && { outline: facts.outline }),
  };
}

/** A name that nobody checked, as far as the database holds it: no NUL, no half of a surrogate pair. */
function storable(name: string): string {
  return name
    .replaceAll('\0', ' ')
    .slice(0, 255)
    .replace(/[\ud800-\udbff]$/, '')
    .toWellFormed();
}
