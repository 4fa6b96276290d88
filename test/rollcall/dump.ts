import type { TestRollcall } from './start.ts';

/** Telemetry is announced after the answer, so a row may still come then; every other row is there with it. */
export const settled = (table: string): string =>
  table === 'live_events' ? `topic <> 'telemetry'` : 'true';

/** Every row of a tenant, by table: what must not change, and what nobody else may see. */
export async function dumpTenant(
  { sql }: Pick<TestRollcall, 'sql'>,
  tenant: string,
): Promise<Record<string, string[]>> {
  const tables = await sql<{ name: string }>(
    `select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid
      where c.relnamespace = 'rollcall'::regnamespace and c.relkind in ('r', 'p')
        and not c.relispartition and a.attname = 'tenant_id' order by 1`,
  );
  const dump: Record<string, string[]> = {};
  for (const { name } of tables) {
    const rows = await sql<{ row: string }>(
      `select to_jsonb(t)::text as row from rollcall.${name} t
        where tenant_id = $1 and ${settled(name)} order by 1`,
      [tenant],
    );
    dump[name] = rows.map(({ row }) => row);
  }
  return dump;
}
