import { z } from 'zod';
import type { Clock } from '../../platform/clock.ts';
import { fromCursor, pageOf, paging, sortField, toPage } from '../../platform/http/page.ts';
import { route, type Route } from '../../platform/http/route.ts';
import { invalid } from '../../platform/problem.ts';
import { ApiKeyRequestSchema, ApiKeySchema, CreatedApiKeySchema, WhoAmI } from './auth.schema.ts';
import type { AuthStore } from './auth.store.ts';
import { hashKey, makeKey, prefixOf } from './keys.ts';

export function authRoutes(store: AuthStore, clock: Clock, forgetKeys: () => void): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/v1/whoami',
      access: 'any',
      summary: 'Tenant, project and scopes of the key in use',
      response: WhoAmI,
      handle: ({ tenant, project, keyId, actor, scopes }) => ({
        tenant_id: tenant,
        project_id: project,
        key_id: keyId,
        name: actor,
        scopes,
      }),
    }),
    route({
      method: 'post',
      path: '/api/v1/keys',
      access: 'admin',
      summary: 'Create an API key',
      description: 'The answer holds the key itself, this once.',
      body: ApiKeyRequestSchema,
      response: CreatedApiKeySchema,
      status: () => 201,
      handle: async ({ tenant, project, actor, body }) => {
        if (body.expires_at && new Date(body.expires_at) <= clock()) {
          throw invalid([
            { path: 'expires_at', code: 'not_in_future', message: 'must be in the future' },
          ]);
        }
        const key = makeKey();
        const created = await store.createKey({
          tenant,
          project: body.project_id ?? project,
          name: body.name,
          prefix: prefixOf(key),
          hash: hashKey(key),
          scopes: body.scopes,
          createdBy: actor,
          expiresAt: body.expires_at ?? null,
        });
        return { ...created, key };
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/keys',
      access: 'admin',
      summary: 'List API keys, oldest first',
      query: z.strictObject(paging),
      response: pageOf(ApiKeySchema),
      handle: async ({ tenant, query }) =>
        toPage(
          await store.listKeys(
            tenant,
            query.limit,
            fromCursor(query.cursor, [sortField.timestamp, sortField.uuid]),
          ),
        ),
    }),
    route({
      method: 'delete',
      path: '/api/v1/keys/:id',
      access: 'admin',
      summary: 'Revoke an API key',
      params: z.object({ id: z.uuid() }),
      response: ApiKeySchema,
      handle: async ({ tenant, params }) => {
        const revoked = await store.revokeKey(tenant, params.id, clock());
        forgetKeys();
        return revoked;
      },
    }),
  ];
}
