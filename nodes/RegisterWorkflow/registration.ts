import type { IExecuteFunctions } from 'n8n-workflow';
import { NodeOperationError } from 'n8n-workflow';

import type { EntityReference, EntityRegistration } from '../../client/src/contract';
import { jsonObject, list, present, textOf } from '../shared/parameters.ts';
import { runningDefinition, withoutSecrets } from './definition.ts';
import type { Operation } from './properties.ts';

/** The registration that the node is set to send for an input item. */
export function buildRegistration(
  context: IExecuteFunctions,
  operation: Operation,
  index: number,
): EntityRegistration {
  const fields = additionalFields(context, index);
  if (operation === 'entity') return { ...entity(context, index), ...fields };
  return { ...thisWorkflow(context, index), ...fields };
}

function thisWorkflow(context: IExecuteFunctions, index: number): EntityRegistration {
  const { id, name, active } = context.getWorkflow();
  if (!id) {
    throw new NodeOperationError(context.getNode(), 'This workflow has no ID yet', {
      itemIndex: index,
      description: 'Save the workflow, then run it again.',
    });
  }
  const setState = context.getNodeParameter('setState', index, true) && knowsState(context);
  const sendDefinition = context.getNodeParameter('sendDefinition', index, true);
  return {
    entity_id: String(id),
    entity_type: 'workflow',
    entity_name: name,
    registered_by: 'n8n',
    ...(setState ? { current_state: active ? 'active' : 'inactive' } : {}),
    ...(sendDefinition ? { workflow: runningDefinition(context) } : {}),
  };
}

/** In a manual run n8n calls every workflow inactive, which would end the watch over an active one. */
function knowsState(context: IExecuteFunctions): boolean {
  return context.getWorkflow().active || context.getMode() !== 'manual';
}

function entity(context: IExecuteFunctions, index: number): EntityRegistration {
  const text = (name: string) => textOf(context.getNodeParameter(name, index, ''));
  const entityType = text('entity_type');
  return {
    entity_id: text('entity_id') ?? '',
    entity_type: (entityType === 'other' ? text('other_entity_type') : entityType) ?? '',
    entity_name: text('entity_name'),
    registered_by: 'n8n',
  };
}

function additionalFields(context: IExecuteFunctions, index: number): Partial<EntityRegistration> {
  const { parent, dependencies, tags, capabilities, metadata, workflow, ...plain } =
    context.getNodeParameter('additionalFields', index, {});
  const definition = jsonObject(context, index, 'Workflow (JSON)', workflow);
  return {
    ...present({
      ...plain,
      metadata: jsonObject(context, index, 'Metadata (JSON)', metadata),
      workflow: definition && withoutSecrets(definition),
    }),
    tags: list(tags),
    capabilities: list(capabilities),
    parent: references(parent)?.[0],
    dependencies: references(dependencies),
  };
}

/** A fixed collection of references: `{ reference: {…} }` or `{ reference: [{…}, …] }`. */
function references(collection: unknown): EntityReference[] | undefined {
  const { reference } = (collection ?? {}) as { reference?: EntityReference | EntityReference[] };
  return reference && [reference].flat();
}
