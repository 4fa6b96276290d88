import { settled } from './dump.ts';
import type { TestRollcall } from './start.ts';

/** Tells in one query whether any row of any tenant has changed. */
export async function fingerprintOf({ sql }: TestRollcall): Promise<() => Promise<string>> {
  const tables = await sql<{ name: string }>(
    `select c.relname as name from pg_class c
      where c.relnamespace = 'rollcall'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition`,
  );
  const rows = tables.map(
    ({ name }) => `select to_jsonb(t)::text as row from rollcall.${name} t where ${settled(name)}`,
  );
  const text = `select md5(coalesce(string_agg(row, ',' order by row), '')) as print from (${rows.join(' union all ')}) r`;
  return async () => (await sql<{ print: string }>(text))[0]?.print ?? '';
}
