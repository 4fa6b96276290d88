import type { AuthStore } from './auth.store.ts';

const KEPT_AT_MOST = 10_000;

/**
 * Tells which of some projects a tenant does not have. Projects never go, so those found once are remembered; others
 * are looked up each time they are named, for any server may make them.
 */
export function unknownProjects(store: Pick<AuthStore, 'knownProjects'>) {
  const kept = new Set<string>();
  const nameOf = (tenant: string, project: string) => `${tenant}/${project}`;

  return async (tenant: string, projects: Iterable<string>): Promise<Set<string>> => {
    const missing = new Set<string>();
    for (const project of projects) if (!kept.has(nameOf(tenant, project))) missing.add(project);
    if (missing.size === 0) return missing;
    for (const project of await store.knownProjects(tenant, [...missing])) {
      if (kept.size >= KEPT_AT_MOST) kept.clear();
      kept.add(nameOf(tenant, project));
      missing.delete(project);
    }
    return missing;
  };
}
