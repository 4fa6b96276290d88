import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { commandFor, spawnRollcall, type RunningCommand } from '../../../test/rollcall/command.ts';
import { startTestRollcall, type TestRollcall } from '../../../test/rollcall/start.ts';

let rollcall: TestRollcall;
let following: RunningCommand | undefined;
beforeEach(async () => {
  rollcall = await startTestRollcall();
});
afterEach(async () => {
  following?.process.kill('SIGKILL');
  await following?.ended;
  following = undefined;
  await rollcall.stop();
});

const event = (source_id: string, more: object = {}) => ({
  protocol: 'n8n',
  source_id,
  target_id: 'pdf',
  status: 'success',
  ...more,
});
const send = (...events: object[]) => rollcall.post('/api/v1/telemetry', events);
const ago = (minutes: number) =>
  new Date(rollcall.clock.now().getTime() - minutes * 60_000).toISOString();
const tail = (...args: string[]) => commandFor(rollcall)(['telemetry', 'tail', ...args]);
const follow = (args: string[] = [], url = rollcall.url, key = rollcall.key): RunningCommand => {
  following = spawnRollcall(['telemetry', 'tail', '--follow', ...args], {
    env: { ROLLCALL_URL: url, ROLLCALL_API_KEY: key },
  });
  return following;
};
const sources = (stdout: string) => [...stdout.matchAll(/(\S+) → /g)].map(([, source]) => source);

describe('rollcall telemetry tail', () => {
  test('shows the latest events, oldest first, one line each, and ends in a pipe', async () => {
    await send(
      event('first', { timestamp: ago(3) }),
      event('second', { timestamp: ago(2), operation: 'render', duration_ms: 132.4 }),
      event('third', {
        timestamp: ago(1),
        protocol: 'mcp',
        status: 'error',
        error_type: 'ToolError',
        error_message: 'no\npaper \u001b[2J',
      }),
    );
    const { code, stdout } = await tail('-n', '2');
    expect(code).toBe(0);
    expect(stdout.replace(/^.*?(\d\d:\d\d:\d\d\.\d{3})/gm, 'TIME')).toBe(
      'TIME  n8n      second → pdf  render  success  132 ms\n' +
        'TIME  mcp      third → pdf  -  error  ToolError: no paper ·[2J\n',
    );
  });

  test('prints one JSON document a line for programs', async () => {
    await send(event('one', { timestamp: ago(2) }), event('two', { timestamp: ago(1) }));
    const { stdout } = await tail('--json', '--no-follow');
    const lines = stdout.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line).source_id)).toEqual(['one', 'two']);
  });

  test.each([
    ['--source', 'source_id'],
    ['--target', 'target_id'],
    ['--protocol', 'protocol'],
    ['--status', 'status'],
    ['--workflow', 'workflow_id'],
    ['--execution', 'execution_id'],
    ['--correlation', 'correlation_id'],
  ])('%s shows the events that have it', async (option, field) => {
    const value = { protocol: 'a2a', status: 'timeout' }[field] ?? 'wanted';
    await send(event('other'), event('it', { [field]: value }));
    const { stdout } = await tail(option, value);
    expect(sources(stdout)).toEqual([field === 'source_id' ? 'wanted' : 'it']);
  });

  test('reads as many as it is asked for', async () => {
    await send(...Array.from({ length: 1201 }, (_, n) => event(`s${n}`)));
    expect(sources((await tail('-n', '1100')).stdout)).toHaveLength(1100);
  });

  test('says so when nothing fits', async () => {
    expect(await tail()).toEqual({ code: 0, stdout: '', stderr: 'No event fits.\n' });
  });
});

describe('rollcall telemetry tail --follow', () => {
  test('goes on with what comes, shows each event once, and ends well on Ctrl-C', async () => {
    await send(event('old', { timestamp: ago(2) }), event('latest', { timestamp: ago(1) }));
    const { process, says, ended } = follow(['-n', '1']);
    await says(/latest/);
    await send(event('new-1'));
    await says(/new-1/);
    await send(event('new-2'));
    await says(/new-2/);
    process.kill('SIGINT');
    const { code, stdout, stderr } = await ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(sources(stdout)).toEqual(['latest', 'new-1', 'new-2']);
  });

  test('shows an event that was stored before a younger one and became visible after it', async () => {
    await send(event('latest'));
    const { process, says, ended } = follow();
    await says(/latest/);
    await send(event('young'));
    await says(/young/);
    await rollcall.sql(
      `insert into rollcall.telemetry
         (tenant_id, event_id, "timestamp", received_at, protocol, source_id, target_id, status, project_id)
       values ('default', gen_random_uuid(), now(), now() - interval '2 s', 'n8n', 'late', 'pdf', 'success', 'default')`,
    );
    await says(/late /);
    process.kill('SIGINT');
    expect(sources((await ended).stdout)).toEqual(['latest', 'young', 'late']);
  });

  test('keeps to its filter, and prints JSON for programs', async () => {
    await send(event('latest', { status: 'error' }));
    const { process, says, ended } = follow(['--json', '--status', 'error']);
    await says(/latest/);
    await send(event('good'));
    await send(event('bad', { status: 'error' }));
    await says(/bad/);
    process.kill('SIGINT');
    const { stdout } = await ended;
    const lines = stdout.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line).source_id)).toEqual(['latest', 'bad']);
  });

  test('waits for a server that is away, and says so', async () => {
    await send(event('latest'));
    const door = createDoor();
    const { process, says, ended } = follow([], await door.open());
    await says(/latest/);
    await door.close();
    await says(/is gone\. Waiting for it/, 'stderr');
    await send(event('meanwhile'));
    await door.open();
    await says(/is back/, 'stderr');
    await says(/meanwhile/);
    process.kill('SIGINT');
    const { code, stdout } = await ended;
    await door.close();
    expect(code).toBe(0);
    expect(sources(stdout)).toEqual(['latest', 'meanwhile']);
  });

  test('ends when its key is revoked', async () => {
    await send(event('latest'));
    const key = await rollcall.keyFor('default', ['telemetry:read']);
    const { says, ended } = follow([], rollcall.url, key);
    await says(/latest/);
    const { body } = await rollcall.get('/api/v1/whoami', { key });
    await rollcall.call('DELETE', `/api/v1/keys/${body.key_id}`);
    const { code, stderr } = await ended;
    expect([code, stderr]).toEqual([1, expect.stringContaining('ROLLCALL_API_KEY')]);
  });

  test('without a server ends at once', async () => {
    const door = createDoor();
    const address = await door.open();
    await door.close();
    const { code, stderr } = await follow([], address).ended;
    expect([code, stderr]).toEqual([1, expect.stringContaining('No Rollcall at')]);
  });
});

/** Another address of the server, which can be shut and opened again. */
function createDoor() {
  let server: Server | undefined;
  let port = 0;
  return {
    async open(): Promise<string> {
      server = createServer((request, response) => {
        fetch(rollcall.url + request.url, { headers: { authorization: `Bearer ${rollcall.key}` } })
          .then(async (answer) => response.writeHead(answer.status).end(await answer.text()))
          .catch(() => response.destroy());
      });
      await once(server.listen(port, '127.0.0.1'), 'listening');
      port = (server.address() as AddressInfo).port;
      return `http://127.0.0.1:${port}`;
    },
    async close(): Promise<void> {
      if (!server?.listening) return;
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
