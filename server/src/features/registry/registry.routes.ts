import { z } from 'zod';
import type { Clock } from '../../platform/clock.ts';
import { fromCursor, pageOf, paging, sortField, toPage } from '../../platform/http/page.ts';
import { route, type Route } from '../../platform/http/route.ts';
import { registration, type ReadWorkflow } from './registration.ts';
import {
  EntityDetailSchema,
  EntityPath,
  EntityQuery,
  EntityRegistrationSchema,
  EntitySchema,
  HeartbeatRequest,
  RegisteredEntitySchema,
  StateChangeSchema,
  StateRequest,
} from './registry.schema.ts';
import type { RegistryStore } from './registry.store.ts';

interface Needs {
  store: RegistryStore;
  clock: Clock;
  readWorkflow: ReadWorkflow;
  redact: (metadata: Record<string, unknown>) => Record<string, unknown>;
}

const ENTITY = '/api/v1/entities/:entity_type/:entity_id';
const DELETED = 'It is deleted: only a new registration brings it back';

export function registryRoutes({ store, clock, readWorkflow, redact }: Needs): Route[] {
  return [
    route({
      method: 'post',
      path: '/api/v1/entities',
      access: 'registry:write',
      summary: 'Register an entity',
      description:
        'Idempotent: registering twice is a success. Fields that are left out keep what is stored. 201 when it is new.',
      body: EntityRegistrationSchema,
      response: RegisteredEntitySchema,
      conflict: 'Its parent or a dependency would lead back to it',
      status: ({ outcome }) => (outcome === 'created' ? 201 : 200),
      handle: (request) =>
        store.register(request, registration(request.body, readWorkflow, redact)),
    }),
    route({
      method: 'get',
      path: '/api/v1/entities',
      access: 'registry:read',
      summary: 'Search entities',
      description: 'Deleted ones are left out unless current_state asks for them.',
      query: EntityQuery,
      response: pageOf(EntitySchema),
      handle: async ({ tenant, query: { limit, cursor, sort, ...filter } }) => {
        const first = sort === 'entity_name' ? sortField.text : sortField.timestamp;
        const after = fromCursor(cursor, [first, sortField.text, sortField.text]);
        const rows = await store.list(tenant, filter, sort, limit, after);
        return toPage(rows);
      },
    }),
    route({
      method: 'get',
      path: ENTITY,
      access: 'registry:read',
      summary: 'One entity with its parents, children and dependencies',
      params: EntityPath,
      response: EntityDetailSchema,
      handle: ({ tenant, params }) => store.get(tenant, params),
    }),
    route({
      method: 'delete',
      path: ENTITY,
      access: 'registry:write',
      summary: 'Mark an entity deleted',
      description:
        'The entity and its history stay readable; only a new registration brings it back.',
      params: EntityPath,
      response: EntitySchema,
      handle: (request) => store.updateState(request, request.params, { new_state: 'deleted' }),
    }),
    route({
      method: 'put',
      path: `${ENTITY}/state`,
      access: 'registry:write',
      summary: 'Move an entity to a state, a health, or both',
      params: EntityPath,
      body: StateRequest,
      response: EntitySchema,
      conflict: DELETED,
      handle: (request) => store.updateState(request, request.params, request.body),
    }),
    route({
      method: 'get',
      path: `${ENTITY}/state`,
      access: 'registry:read',
      summary: 'History of states, newest first',
      params: EntityPath,
      query: z.strictObject(paging),
      response: pageOf(StateChangeSchema),
      handle: async ({ tenant, params, query }) =>
        toPage(
          await store.listStates(
            tenant,
            params,
            query.limit,
            fromCursor(query.cursor, [sortField.number]),
          ),
        ),
    }),
    route({
      method: 'post',
      path: `${ENTITY}/heartbeat`,
      access: 'registry:write',
      summary: 'Say that an entity is alive',
      params: EntityPath,
      body: HeartbeatRequest,
      response: EntitySchema,
      conflict: DELETED,
      handle: (request) =>
        store.heartbeat(request, request.params, request.body.health_status, clock()),
    }),
  ];
}
