import type { ApiKey, CreatedProject, Project, Scope } from '@rollcall/client/contract';
import type { Database } from '../../platform/database/port.ts';
import type { Rows } from '../../platform/http/page.ts';

export interface VerifiedKey {
  key_id: string;
  tenant_id: string;
  project_id: string;
  name: string;
  scopes: Scope[];
  expires_at: string | null;
}

export interface NewKey {
  tenant: string;
  project: string;
  name: string;
  prefix: string;
  hash: string;
  scopes: Scope[];
  createdBy: string;
  expiresAt: string | null;
}

export const authStore = (database: Database) => ({
  createTenant: (tenant: string, name: string) =>
    database.call<{ tenant_id: string; name: string }>('create_tenant', {
      p_tenant: tenant,
      p_name: name,
    }),

  listTenants: () => database.call<string[]>('list_tenants', {}),

  createProject: (tenant: string, project: string, name: string | undefined) =>
    database.call<CreatedProject>('create_project', {
      p_tenant: tenant,
      p_project: project,
      p_name: name ?? null,
    }),

  listProjects: (tenant: string, limit: number, after: unknown[] | null) =>
    database.call<Rows<Project>>('list_projects', {
      p_tenant: tenant,
      p_limit: limit,
      p_after: after,
    }),

  knownProjects: (tenant: string, projects: string[]) =>
    database.call<string[]>('known_projects', { p_tenant: tenant, p_projects: projects }),

  createKey: (key: NewKey) =>
    database.call<ApiKey>('create_key', {
      p_tenant: key.tenant,
      p_project: key.project,
      p_name: key.name,
      p_prefix: key.prefix,
      p_hash: key.hash,
      p_scopes: key.scopes,
      p_created_by: key.createdBy,
      p_expires_at: key.expiresAt,
    }),

  verifyKey: (hash: string, now: Date) =>
    database.call<VerifiedKey | null>('verify_key', { p_hash: hash, p_now: now.toISOString() }),

  touchKey: (tenant: string, key: string, usedAt: Date) =>
    database.call<true>('touch_key', {
      p_tenant: tenant,
      p_key: key,
      p_used_at: usedAt.toISOString(),
    }),

  listKeys: (tenant: string, limit: number, after: unknown[] | null) =>
    database.call<Rows<ApiKey>>('list_keys', { p_tenant: tenant, p_limit: limit, p_after: after }),

  revokeKey: (tenant: string, key: string, now: Date) =>
    database.call<ApiKey>('revoke_key', { p_tenant: tenant, p_key: key, p_now: now.toISOString() }),
});

export type AuthStore = ReturnType<typeof authStore>;
