import { commandFor, NOBODY } from '../../../test/rollcall/command.ts';
import { n8nWorkflow, startN8nServer, type N8nServer } from '../../../test/rollcall/n8n-server.ts';
import { startTestRollcall, type TestRollcall } from '../../../test/rollcall/start.ts';

let rollcall: TestRollcall;
let n8n: N8nServer;
let run: ReturnType<typeof commandFor>;
beforeAll(async () => {
  n8n = await startN8nServer([n8nWorkflow('one'), n8nWorkflow('two', { active: false })]);
});
beforeEach(async () => {
  rollcall = await startTestRollcall();
  run = commandFor(rollcall);
});
afterEach(() => rollcall.stop());
afterAll(() => n8n.stop());

const connect = (...more: string[]) =>
  run(['n8n', 'connect', n8n.url, '--key-stdin', ...more], { input: `${n8n.key}\n` });

test('connect takes the key from standard input and waits for the first inventory', async () => {
  const { code, stdout, stderr } = await connect('--name', 'Prod', '--label', 'eu');
  expect([code, stderr]).toEqual([
    0,
    expect.stringMatching(/^Connected Prod \([0-9a-f]{8}\)\.\n$/),
  ]);
  expect(stdout).toMatch(/^2 workflows \(1 active\), 2 changes applied, 0 executions read in /);
  expect(stdout + stderr).not.toContain(n8n.key);
});

test('connect takes the key from the environment, too', async () => {
  const { stdout } = await run(['n8n', 'connect', n8n.url, '--json', '--prunes-after', '24'], {
    env: { N8N_API_KEY: n8n.key },
  });
  expect(JSON.parse(stdout)).toMatchObject({ prunes_after: 24, workflows: { total: 2 } });
  expect(stdout).not.toContain(n8n.key);
});

test('connect without a key, with a wrong one and without n8n says what to do', async () => {
  const missing = await run(['n8n', 'connect', n8n.url]);
  expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining('--key-stdin')]);
  const wrong = await run(['n8n', 'connect', n8n.url, '--n8n-key', 'wrong']);
  expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('Settings, n8n API')]);
  const nobody = await run(['n8n', 'connect', NOBODY, '--n8n-key', 'any']);
  expect([nobody.code, nobody.stderr]).toEqual([1, expect.stringContaining('does not answer')]);
});

test('connections are listed, shown, read again and removed by the beginning of their id', async () => {
  expect((await run(['n8n', 'connections', 'list'])).stdout).toContain('No n8n is connected');
  await connect('--name', 'Prod', '--sampled');
  const { stdout } = await run(['n8n', 'connections', 'list']);
  expect(stdout).toMatch(/ID +NAME +ADDRESS +STATE +WORKFLOWS/);
  const id = /^([0-9a-f]{8}) +Prod .* ok +2 /m.exec(stdout)?.[1] ?? '';
  const shown = await run(['n8n', 'connections', 'show', id]);
  expect(shown.stdout).toContain(`key …${n8n.key.slice(-4)}`);
  expect(shown.stdout).toMatch(/^evidence +sampled$/m);
  const again = await run(['n8n', 'connections', 'sync', id]);
  expect([again.code, again.stdout]).toEqual([0, expect.stringContaining('0 changes applied')]);
  n8n.fail(/workflows/, { status: 401, body: '{"message":"unauthorized"}' });
  const failed = await run(['n8n', 'connections', 'sync', id]);
  expect([failed.code, failed.stderr]).toEqual([1, expect.stringContaining('connections sync')]);
  expect((await run(['n8n', 'connections', 'remove', id])).stdout).toContain('Removed');
  expect((await run(['n8n', 'connections', 'show', id])).code).toBe(1);
});
