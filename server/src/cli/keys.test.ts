import { commandFor } from '../../../test/rollcall/command.ts';
import { startTestRollcall, type TestRollcall } from '../../../test/rollcall/start.ts';

let rollcall: TestRollcall;
let run: ReturnType<typeof commandFor>;
beforeAll(async () => {
  rollcall = await startTestRollcall();
  run = commandFor(rollcall);
});
afterAll(() => rollcall.stop());

const create = async (name: string, ...more: string[]) => {
  const { stdout } = await run([
    'keys',
    'create',
    '--json',
    '--name',
    name,
    '--scope',
    'admin',
    ...more,
  ]);
  return JSON.parse(stdout) as {
    id: string;
    key: string;
    scopes: string[];
    expires_at: string | null;
  };
};
const statusWith = async (key: string) => (await rollcall.get('/api/v1/whoami', { key })).status;

describe('rollcall keys', () => {
  test('create shows a working key once, with its scopes and how to use it', async () => {
    const args = ['--name', 'n8n', '--scope', 'telemetry:write', '--scope', 'registry:write'];
    const { code, stdout } = await run(['keys', 'create', ...args]);
    expect(code).toBe(0);
    const key = /^ {2}(rc_\S{43})$/m.exec(stdout)?.[1] ?? '';
    expect(stdout).toContain(`export ROLLCALL_API_KEY=${key}`);
    expect(stdout).toContain('It does not expire.');
    const { body } = await rollcall.get('/api/v1/whoami', { key });
    expect(body).toMatchObject({ name: 'n8n', scopes: ['telemetry:write', 'registry:write'] });
    expect((await run(['keys', 'list'])).stdout).not.toContain(key);
  });

  test('create takes several scopes after one --scope', async () => {
    const made = await create('two', 'gaps:read');
    expect(made.scopes).toEqual(['admin', 'gaps:read']);
  });

  test('create takes a span or a date as the end', async () => {
    const days = (iso: string | null) =>
      Math.round((Date.parse(iso ?? '') - Date.now()) / 86_400_000);
    expect(days((await create('short', '--expires', '90d')).expires_at)).toBe(90);
    expect((await create('dated', '--expires', '2999-12-31T12:00:00Z')).expires_at).toContain(
      '2999-12-31',
    );
  });

  test('create refuses an end in the past, and names the option', async () => {
    const args = [
      'keys',
      'create',
      '--name',
      'late',
      '--scope',
      'admin',
      '--expires',
      '2020-01-01',
    ];
    const { code, stderr } = await run(args);
    expect(code).toBe(1);
    expect(stderr).toContain('expires_at (--expires): must be in the future');
  });

  test('list shows who has which key, and none of the keys', async () => {
    const made = await create('listed');
    const { code, stdout } = await run(['keys', 'list']);
    const line = stdout.split('\n').find((text) => text.startsWith(made.id.slice(0, 8)));
    expect(code).toBe(0);
    expect(line).toMatch(/listed +rc_.{6}… +active +admin +default +never +never/);
    expect(stdout).not.toContain(made.key);
  });

  test('revoke ends the key whose id begins so', async () => {
    const { id, key } = await create('ended');
    expect(await statusWith(key)).toBe(200);
    const { code, stdout } = await run(['keys', 'revoke', id.slice(0, 8)]);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `Revoked the key ended (${id.slice(0, 8)}).\n`,
    });
    expect(await statusWith(key)).toBe(401);
    expect((await run(['keys', 'list'])).stdout).toMatch(/ended .* revoked/);
  });

  test('revoke does not take away the key in use', async () => {
    const { body } = await rollcall.get('/api/v1/whoami');
    const { code, stderr } = await run(['keys', 'revoke', body.key_id]);
    expect(code).toBe(2);
    expect(stderr).toContain('lock you out');
    expect(await statusWith(rollcall.key)).toBe(200);
  });

  test('revoke says so when there is no such key', async () => {
    const whole = await run(['keys', 'revoke', '00000000-0000-4000-8000-000000000000']);
    expect([whole.code, whole.stderr]).toEqual([1, expect.stringContaining('There is no key')]);
    const begun = await run(['keys', 'revoke', '00000000-0000-4000-8']);
    expect([begun.code, begun.stderr]).toEqual([1, expect.stringContaining('rollcall keys list')]);
  });
});
