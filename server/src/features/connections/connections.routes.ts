import { z } from 'zod';
import { fromCursor, pageOf, paging, sortField, toPage } from '../../platform/http/page.ts';
import { route, type Route } from '../../platform/http/route.ts';
import {
  ConnectionChangesSchema,
  ConnectionPath,
  ConnectionRequestSchema,
  ConnectionSchema,
  SyncJobSchema,
} from './connections.schema.ts';
import type { ConnectionsStore } from './connections.store.ts';
import type { connections } from './connections.ts';

type Service = ReturnType<typeof connections>;

const PATH = '/api/v1/n8n/connections';

export function connectionsRoutes(store: ConnectionsStore, service: Service): Route[] {
  return [
    route({
      method: 'post',
      path: PATH,
      access: 'registry:write',
      summary: 'Connect an n8n instance',
      description:
        'Its workflows and latest executions are read through its public API at once and from then on every `interval_seconds`. Address and key are tried first: a 422 names what is wrong (`n8n_unreachable`, `n8n_key_refused`, `n8n_key_lacks_scope`, `n8n_answers_html`, `n8n_redirects`, `not_n8n`, `n8n_busy`).',
      body: ConnectionRequestSchema,
      response: ConnectionSchema,
      status: () => 201,
      conflict: 'A connection to this n8n is there already',
      handle: (request) => service.create(request, request.body),
    }),
    route({
      method: 'get',
      path: PATH,
      access: 'registry:read',
      summary: 'List connections to n8n, oldest first',
      query: z.strictObject(paging),
      response: pageOf(ConnectionSchema),
      handle: async ({ tenant, query: { limit, cursor } }) => {
        const after = fromCursor(cursor, [sortField.timestamp, sortField.uuid]);
        return toPage(await store.list(tenant, limit, after));
      },
    }),
    route({
      method: 'get',
      path: `${PATH}/:id`,
      access: 'registry:read',
      summary: 'One connection, with the progress and the last result of its inventory',
      params: ConnectionPath,
      response: ConnectionSchema,
      handle: ({ tenant, params }) => store.get(tenant, params.id),
    }),
    route({
      method: 'patch',
      path: `${PATH}/:id`,
      access: 'registry:write',
      summary: 'Change a connection',
      description:
        'Only what is given changes. A new `base_url` on another host needs the `api_key` as well. A given `instance_id` takes along what stood under the connection’s own.',
      params: ConnectionPath,
      body: ConnectionChangesSchema,
      response: ConnectionSchema,
      conflict: 'Another connection leads to this n8n, or the stored key cannot be decrypted here',
      handle: ({ tenant, params, body }) => service.update(tenant, params.id, body),
    }),
    route({
      method: 'delete',
      path: `${PATH}/:id`,
      access: 'registry:write',
      summary: 'Delete a connection and its key',
      description: 'What only it knew of n8n goes with it; entities and executions stay.',
      params: ConnectionPath,
      response: ConnectionSchema,
      handle: ({ tenant, params }) => store.delete(tenant, params.id),
    }),
    route({
      method: 'post',
      path: `${PATH}/:id/sync`,
      access: 'registry:write',
      summary: 'Take an inventory now',
      description:
        'Answers at once; GET on the connection shows how far it is. One that waits or runs already is answered as it is.',
      params: ConnectionPath,
      response: SyncJobSchema,
      later: true,
      handle: ({ tenant, params }) => service.sync(tenant, params.id),
    }),
  ];
}
