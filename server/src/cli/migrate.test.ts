import { createDatabase, type TestDatabase } from '../../../test/cluster/database.ts';
import { ask, makeScratch } from '../../../test/cluster/scratch.ts';
import { NOBODY, runRollcall } from '../../../test/rollcall/command.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await createDatabase();
});
afterEach(() => database.drop());

const migrate = (env: Record<string, string>, ...args: string[]) =>
  runRollcall(['migrate', ...args], { env });
const here = () => ({ DATABASE_URL: database.url });
const applied = () => ask(database.url, 'select name from rollcall.schema_migrations order by 1');

describe('rollcall migrate', () => {
  test('says what it applied, and the second time that there is nothing to do', async () => {
    const first = await migrate(here());
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toMatch(/^Applied to PostgreSQL at .*:\n {2}0001_tenancy\.sql\n/);
    expect(first.stdout).toMatch(/functions and views, built anew\n$/);
    expect(await applied()).toContainEqual({ name: '0001_tenancy.sql' });
    const second = await migrate(here());
    expect([second.code, second.stdout]).toEqual([0, expect.stringContaining('Up to date')]);
  });

  test('prints JSON for programs', async () => {
    await migrate(here());
    const { stdout } = await migrate(here(), '--json');
    expect(JSON.parse(stdout)).toEqual({ database: expect.any(String), applied: [] });
  });

  test('--print prints a script that does the same, without a database', async () => {
    const unreachable = { DATABASE_URL: `postgres://${new URL(NOBODY).host}/none` };
    const { code, stdout } = await migrate(unreachable, '--print');
    expect(code).toBe(0);
    await ask(database.url, stdout);
    const { stdout: after } = await migrate(here(), '--json');
    expect(JSON.parse(after).applied).toEqual([]);
  });

  test('brings the embedded database up to date, and leaves it stopped', async () => {
    const scratch = makeScratch();
    const env = { ROLLCALL_DATA_DIR: scratch.dataDir };
    try {
      const { code, stdout } = await migrate(env);
      expect([code, stdout]).toEqual([0, expect.stringContaining('0001_tenancy.sql')]);
      const server = await scratch.start();
      expect(await ask(server.url, 'select rollcall_api.list_tenants() as tenants')).toEqual([
        { tenants: ['default'] },
      ]);
      const busy = await migrate(env);
      expect(busy.code).toBe(1);
      expect(busy.stderr).toContain(`pid ${process.pid}`);
      expect(scratch.warnings).toEqual([]);
    } finally {
      await scratch.clear();
    }
  });

  test('refuses a migration that was changed, without a stack trace', async () => {
    await migrate(here());
    await ask(
      database.url,
      `update rollcall.schema_migrations set checksum = 'other' where name = '0001_tenancy.sql'`,
    );
    const { code, stderr } = await migrate(here());
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^Error: Migration 0001_tenancy\.sql was changed after it was applied\..*\n$/,
    );
  });

  test('says which database is missing, and what to do', async () => {
    const url = new URL(database.url);
    url.pathname = '/nowhere';
    const { code, stderr } = await migrate({ DATABASE_URL: url.href });
    expect(code).toBe(1);
    expect(stderr).toContain('database "nowhere" does not exist (3D000)');
    expect(stderr).toContain('createdb');
  });

  test('says how to migrate a Supabase that only its gateway reaches', async () => {
    const env = { SUPABASE_URL: NOBODY, SUPABASE_SERVICE_ROLE_KEY: 'key' };
    const { code, stderr } = await migrate(env);
    expect([code, stderr]).toEqual([1, expect.stringContaining('rollcall migrate --print')]);
  });
});
