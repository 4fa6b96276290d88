import { z } from 'zod';
import { fromCursor, pageOf, paging, sortField, toPage } from '../../platform/http/page.ts';
import { route, type Route } from '../../platform/http/route.ts';
import { CreatedProjectSchema, ProjectRequestSchema, ProjectSchema } from './auth.schema.ts';
import type { AuthStore } from './auth.store.ts';

export function projectsRoutes(store: AuthStore): Route[] {
  return [
    route({
      method: 'post',
      path: '/api/v1/projects',
      access: 'admin',
      summary: 'Create a project',
      description:
        'Idempotent: a project that is there is renamed when a name is given. 201 when it is new.',
      body: ProjectRequestSchema,
      response: CreatedProjectSchema,
      status: ({ outcome }) => (outcome === 'created' ? 201 : 200),
      handle: ({ tenant, body }) => store.createProject(tenant, body.project_id, body.name),
    }),
    route({
      method: 'get',
      path: '/api/v1/projects',
      access: 'any',
      summary: 'List projects by id',
      query: z.strictObject(paging),
      response: pageOf(ProjectSchema),
      handle: async ({ tenant, query }) =>
        toPage(
          await store.listProjects(tenant, query.limit, fromCursor(query.cursor, [sortField.text])),
        ),
    }),
  ];
}
