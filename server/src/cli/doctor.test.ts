import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { createDatabase, type TestDatabase } from '../../../test/cluster/database.ts';
import { ask } from '../../../test/cluster/scratch.ts';
import {
  describeWithPostgrest,
  startSupabase,
  type TestSupabase,
} from '../../../test/postgrest/start.ts';
import { commandFor, NOBODY } from '../../../test/rollcall/command.ts';
import {
  createRollcallDatabase,
  startTestRollcall,
  type TestRollcall,
} from '../../../test/rollcall/start.ts';
import type { Check } from './doctor/check.ts';

let rollcall: TestRollcall;
let n8n: Server;
let n8nUrl: string;
let emptyFolder: string;
beforeAll(async () => {
  rollcall = await startTestRollcall();
  emptyFolder = mkdtempSync(`${tmpdir()}/rollcall-doctor-`);
  n8n = createServer(({ url, headers }, response) => {
    const refused = url !== '/healthz' && headers['x-n8n-api-key'] !== 'good';
    response.writeHead(refused ? 401 : 200).end('{}');
  });
  await once(n8n.listen(0, '127.0.0.1'), 'listening');
  n8nUrl = `http://127.0.0.1:${(n8n.address() as AddressInfo).port}`;
});
afterAll(async () => {
  n8n.close();
  rmSync(emptyFolder, { recursive: true });
  await rollcall.stop();
});

const doctor = (env: Record<string, string> = {}, ...args: string[]) =>
  commandFor(rollcall)(['doctor', ...args], {
    cwd: emptyFolder,
    env: { N8N_BASE_URL: n8nUrl, DATABASE_URL: rollcall.databaseUrl, ...env },
  });

async function diagnose(env: Record<string, string> = {}, ...args: string[]) {
  const { code, stdout } = await doctor(env, '--json', ...args);
  const { ok, checks } = JSON.parse(stdout) as { ok: boolean; checks: Check[] };
  return { code, ok, checks: Object.fromEntries(checks.map((check) => [check.name, check])) };
}

describe('rollcall doctor', () => {
  test('finds all well, in order, and says what to do next', async () => {
    const { code, stdout } = await doctor();
    expect(code).toBe(0);
    const names = ['node', 'configuration', 'server', 'its database', 'key', 'schema', 'n8n'];
    expect([...stdout.matchAll(/^ok {7}(\S+( \S+)?) {2,}/gm)].map(([, name]) => name)).toEqual(
      names,
    );
    expect(stdout).toContain('default admin, tenant default, project default: admin');
    expect(stdout).toMatch(/All is well\. Next: .*\n$/);
  });

  test('warns of what may be missing, and is content', async () => {
    const { code, ok, checks } = await diagnose({ N8N_BASE_URL: NOBODY, DATABASE_URL: '' });
    expect({ code, ok }).toEqual({ code: 0, ok: true });
    expect(checks.n8n).toMatchObject({
      status: 'warning',
      message: `${NOBODY}: does not answer (ECONNREFUSED)`,
      fix: expect.stringContaining('--n8n'),
    });
    expect(checks.schema).toMatchObject({
      status: 'warning',
      message: expect.stringContaining('yet'),
    });
  });

  test('warns of a key that some commands cannot work with', async () => {
    const key = await rollcall.keyFor('default', ['registry:read', 'telemetry:read']);
    const { code, checks } = await diagnose({ ROLLCALL_API_KEY: key });
    expect(code).toBe(0);
    expect(checks.key).toMatchObject({
      status: 'warning',
      fix: expect.stringContaining('gaps:read, gaps:write'),
    });
  });

  test('checks the key of n8n when there is one', async () => {
    const good = await diagnose({}, '--n8n-key', 'good');
    expect(good.checks.n8n?.message).toContain('its API key is good');
    const bad = await diagnose({ N8N_API_KEY: 'bad' });
    expect(bad.code).toBe(1);
    expect(bad.checks.n8n).toMatchObject({
      status: 'failed',
      message: expect.stringContaining('401'),
      fix: expect.stringContaining('N8N_API_KEY'),
    });
  });

  test('without a server says how to start one, and goes on with the rest', async () => {
    const { code, stdout } = await doctor({ ROLLCALL_URL: NOBODY });
    expect(code).toBe(1);
    expect(stdout).toContain(`No Rollcall at ${NOBODY}; start one with: npm start`);
    expect(stdout).toMatch(/^ok +schema/m);
    expect(stdout).toContain('Something is broken. Begin with server: ');
  });

  test.each([
    ['no key', '', 'none is set'],
    ['a key that is not valid', 'rc_wrong', 'unknown, revoked or expired'],
  ])('with %s says where one comes from', async (_, ROLLCALL_API_KEY, message) => {
    const { code, checks } = await diagnose({ ROLLCALL_API_KEY });
    expect(code).toBe(1);
    expect(checks.key).toMatchObject({
      status: 'failed',
      message: expect.stringContaining(message),
      fix: expect.stringContaining('first start'),
    });
  });

  test('names each environment variable that is wrong', async () => {
    const { code, checks } = await diagnose({ ROLLCALL_PORT: 'high', N8N_BASE_URL: 'there' });
    expect(code).toBe(1);
    expect(checks.configuration?.message).toContain('ROLLCALL_PORT');
    expect(checks.configuration?.message).toContain('N8N_BASE_URL');
  });

  test('finds a database that cannot be reached', async () => {
    const { code, checks } = await diagnose({
      DATABASE_URL: `postgres://rollcall@${new URL(NOBODY).host}/rollcall`,
    });
    expect(code).toBe(1);
    expect(checks.schema).toMatchObject({
      status: 'failed',
      message: expect.stringContaining('ECONNREFUSED'),
      fix: expect.stringContaining('DATABASE_URL'),
    });
  });

  test('finds a database without the schema, and says to migrate', async () => {
    const empty = await createDatabase();
    const bare = await diagnose({ DATABASE_URL: empty.url });
    expect(bare.checks.schema).toMatchObject({
      status: 'failed',
      message: expect.stringContaining('0001_tenancy.sql'),
      fix: expect.stringContaining('rollcall migrate'),
    });
    await empty.drop();
  });

  test('finds a database whose schema is another version’s', async () => {
    const old = await createRollcallDatabase();
    await ask(
      old.url,
      `update rollcall.schema_migrations set checksum = '' where name = 'disposable'`,
    );
    const { checks } = await diagnose({ DATABASE_URL: old.url });
    expect(checks.schema).toMatchObject({
      status: 'failed',
      message: expect.stringContaining('lacks 1 part: disposable'),
    });
    await old.drop();
  });
});

describeWithPostgrest('rollcall doctor with Supabase', () => {
  let database: TestDatabase;
  let supabase: TestSupabase;
  beforeAll(async () => {
    database = await createRollcallDatabase();
    supabase = await startSupabase(database.url);
  });
  afterAll(async () => {
    await supabase.stop();
    await database.drop();
  });

  const schema = async (SUPABASE_SERVICE_ROLE_KEY: string) => {
    const env = { DATABASE_URL: '', SUPABASE_URL: supabase.url, SUPABASE_SERVICE_ROLE_KEY };
    return (await diagnose(env)).checks.schema;
  };

  test('finds its schema through the gateway', async () => {
    expect(await schema(await supabase.token('service_role'))).toEqual({
      name: 'schema',
      status: 'ok',
      message: `Supabase at ${new URL(supabase.url).host} is up to date`,
    });
  });

  test('names a key that is not taken', async () => {
    expect(await schema('not-a-token')).toMatchObject({
      status: 'failed',
      message: expect.stringContaining('does not take SUPABASE_SERVICE_ROLE_KEY'),
      fix: expect.stringContaining('service role key'),
    });
  });

  test('says how to migrate where only the gateway is known', async () => {
    await ask(database.url, `delete from rollcall.schema_migrations where name = 'disposable'`);
    expect(await schema(await supabase.token('service_role'))).toMatchObject({
      status: 'failed',
      message: expect.stringContaining('lacks 1 part'),
      fix: expect.stringContaining('rollcall migrate --print'),
    });
  });
});
