import { invalid } from '../../platform/problem.ts';
import { extractWorkflow } from './extract/extract.ts';
import { WorkflowShapeError } from './extract/shape.ts';
import { storedOutline } from './outline.ts';

/** As `readFacts`, with the outline of its definition, which has to be as n8n stores it. */
export function readWorkflow(workflow: Record<string, unknown>) {
  const facts = readFacts(workflow);
  return { ...facts, outline: storedOutline(workflow, facts.definition_hash) };
}

/** Facts of a workflow for its registration. @throws Problem 422 that names the field when it is not a workflow */
export function readFacts(workflow: Record<string, unknown>) {
  try {
    const {
      capabilities,
      dependencies,
      definition_hash,
      triggers,
      schedules,
      webhook_paths,
      node_count,
    } = extractWorkflow(workflow);
    return {
      capabilities,
      dependencies: dependencies.map(({ entity_type, entity_id }) => ({ entity_type, entity_id })),
      definition_hash,
      metadata: { n8n: { triggers, schedules, webhook_paths, node_count } },
    };
  } catch (error) {
    if (!(error instanceof WorkflowShapeError)) throw error;
    throw invalid([
      { path: `workflow.${error.path}`, code: 'not_a_workflow', message: error.message },
    ]);
  }
}
