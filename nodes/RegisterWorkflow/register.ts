import type { IDataObject, IExecuteFunctions } from 'n8n-workflow';

import type { RegisteredEntity } from '../../client/src/contract';
import { askRollcall } from '../shared/transport.ts';
import type { Operation } from './properties.ts';
import { buildRegistration } from './registration.ts';

/** Registers what the node is set to for an input item; answers the entity as the server holds it. */
export async function register(
  context: IExecuteFunctions,
  operation: Operation,
  index: number,
): Promise<IDataObject> {
  const { entity, ...outcome } = await askRollcall<RegisteredEntity>(context, {
    method: 'POST',
    path: '/api/v1/entities',
    body: { ...buildRegistration(context, operation, index) },
    timeout: context.getNodeParameter('options.timeout', index, 10_000) as number,
  });
  return { ...entity, ...outcome };
}
