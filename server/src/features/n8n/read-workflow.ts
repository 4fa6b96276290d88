import { invalid } from '../../platform/problem.ts';
import { readDefinition, type WorkflowFacts } from './extract/extract.ts';
import { WorkflowShapeError } from './extract/shape.ts';
import { outlineOf } from './outline.ts';

/** As `readFacts`, with the outline of its definition, which has to be as n8n stores it. */
export function readWorkflow(workflow: Record<string, unknown>) {
  const { facts, hashesOf } = definitionOf(workflow);
  return { ...told(facts), outline: outlineOf(workflow, facts.definition_hash, hashesOf) };
}

/** Facts of a workflow for its registration. @throws Problem 422 that names the field when it is not a workflow */
export const readFacts = (workflow: Record<string, unknown>) => told(definitionOf(workflow).facts);

function told({
  capabilities,
  dependencies,
  definition_hash,
  triggers,
  schedules,
  webhook_paths,
  node_count,
}: WorkflowFacts) {
  return {
    capabilities,
    dependencies: dependencies.map(({ entity_type, entity_id }) => ({ entity_type, entity_id })),
    definition_hash,
    metadata: { n8n: { triggers, schedules, webhook_paths, node_count } },
  };
}

function definitionOf(workflow: Record<string, unknown>) {
  try {
    return readDefinition(workflow);
  } catch (error) {
    if (!(error instanceof WorkflowShapeError)) throw error;
    throw invalid([
      { path: `workflow.${error.path}`, code: 'not_a_workflow', message: error.message },
    ]);
  }
}
