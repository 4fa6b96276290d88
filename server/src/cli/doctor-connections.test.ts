import { commandFor } from '../../../test/rollcall/command.ts';
import { connectN8n, CONNECTIONS, syncAgain } from '../../../test/rollcall/connected.ts';
import { n8nWorkflow, startN8nServer, type N8nServer } from '../../../test/rollcall/n8n-server.ts';
import { startTestRollcall, type TestRollcall } from '../../../test/rollcall/start.ts';
import type { Check } from './doctor/check.ts';

let rollcall: TestRollcall;
let n8n: N8nServer;
beforeEach(async () => {
  rollcall = await startTestRollcall();
  n8n = await startN8nServer([n8nWorkflow('one'), n8nWorkflow('two', { active: false })]);
});
afterEach(async () => {
  await rollcall.stop();
  await n8n.stop();
});

const env = (more: Record<string, string>) => ({
  DATABASE_URL: rollcall.databaseUrl,
  N8N_BASE_URL: '',
  ...more,
});

async function diagnose(more: Record<string, string> = {}, ...args: string[]) {
  const run = commandFor(rollcall);
  const { code, stdout } = await run(['doctor', '--json', ...args], { env: env(more) });
  const { checks } = JSON.parse(stdout) as { checks: Check[] };
  return { code, checks: checks.filter(({ name }) => name.startsWith('n8n')) };
}

test('doctor tells of each n8n that is connected, and asks for no other one', async () => {
  await connectN8n(rollcall, n8n, { name: 'Prod' });
  const { code, checks } = await diagnose();
  expect(code).toBe(0);
  expect(checks).toEqual([
    {
      name: 'n8n Prod',
      status: 'ok',
      message: `answers at ${n8n.url}; last inventory just now, 2 workflows (1 active)`,
    },
  ]);
  const { stdout } = await commandFor(rollcall)(['doctor'], { env: env({}) });
  expect(stdout).toMatch(/^ok +n8n Prod +answers at /m);
  expect(stdout).toMatch(/All is well\. Next: /);
});

test('doctor asks for another n8n when one is named', async () => {
  await connectN8n(rollcall, n8n, { name: 'Prod' });
  const names = (await diagnose({}, '--n8n', n8n.url)).checks.map(({ name }) => name);
  expect(names).toEqual(['n8n Prod', 'n8n']);
});

test('doctor says what went wrong with a connection, since when, and what is next', async () => {
  const { id } = await connectN8n(rollcall, n8n, { name: 'Prod' });
  n8n.fail(/workflows/, { status: 401, body: '{"message":"unauthorized"}' });
  await syncAgain(rollcall, id);
  const { code, checks } = await diagnose();
  expect(code).toBe(1);
  expect(checks).toEqual([
    {
      name: 'n8n Prod',
      status: 'failed',
      message: expect.stringMatching(
        /does not know this API key.*Settings, n8n API.*last inventory just now/,
      ),
      fix: expect.stringMatching(
        `PATCH ${CONNECTIONS}/${id} .*connections sync ${id.slice(0, 8)}$`,
      ),
    },
  ]);
  n8n.fail(/workflows/, { status: 302, headers: { location: 'https://sign.in/' } });
  await syncAgain(rollcall, id);
  const [redirected] = (await diagnose()).checks;
  expect(redirected).toMatchObject({
    status: 'failed',
    message: expect.stringContaining('redirects to https://sign.in'),
    fix: `When that is done: rollcall n8n connections sync ${id.slice(0, 8)}`,
  });
});

test('doctor warns of a connection that is paused, and of one that is read no more', async () => {
  const { id } = await connectN8n(rollcall, n8n, { name: 'Prod' });
  await rollcall.call('PATCH', `${CONNECTIONS}/${id}`, { paused: true });
  expect((await diagnose()).checks).toMatchObject([
    { status: 'warning', message: expect.stringContaining('is paused; last inventory just now') },
  ]);
  await rollcall.call('PATCH', `${CONNECTIONS}/${id}`, { paused: false });
  rollcall.clock.advance(-3_600_000);
  await syncAgain(rollcall, id);
  const { code, checks } = await diagnose();
  expect(code).toBe(0);
  expect(checks).toMatchObject([
    {
      status: 'warning',
      message: expect.stringMatching(/last inventory 6\d min ago, though one is due every 300 s/),
    },
  ]);
});

test('doctor with a key that may not read connections leaves them out', async () => {
  await connectN8n(rollcall, n8n);
  const ROLLCALL_API_KEY = await rollcall.keyFor('default', ['gaps:read']);
  expect((await diagnose({ ROLLCALL_API_KEY }, '--n8n', n8n.url)).checks).toMatchObject([
    { name: 'n8n' },
  ]);
});
