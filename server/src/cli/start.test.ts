import { once } from 'node:events';
import { existsSync, mkdirSync, watch } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { makeScratch, type Scratch } from '../../../test/cluster/scratch.ts';
import { NOBODY, spawnRollcall, type RunningCommand } from '../../../test/rollcall/command.ts';
import { createRollcallDatabase } from '../../../test/rollcall/start.ts';
import { postmasterPid } from '../platform/database/embedded/leftover.ts';
import { startOf } from '../platform/database/embedded/processes.ts';

let scratch: Scratch;
let running: RunningCommand[];
beforeEach(() => {
  scratch = makeScratch();
  running = [];
});
afterEach(async () => {
  for (const { process, ended } of running) {
    process.kill('SIGKILL');
    await ended;
  }
  await scratch.clear();
});

function start(env: Record<string, string> = {}, args: string[] = []): RunningCommand {
  const command = spawnRollcall(['start', ...args], {
    env: { ROLLCALL_PORT: '0', ROLLCALL_DATA_DIR: scratch.dataDir, ...env },
  });
  running.push(command);
  return command;
}

const URL_LINE = /is at (http:\S+)\n/;
const KEY_LINE = /admin key +(rc_\S{43})/;
const NEXT = /Next, in another terminal:\n/;
const postgres = () => postmasterPid(join(scratch.dataDir, 'postgres')) ?? 0;

describe('rollcall start', () => {
  test('serves from nothing, shows its first key once, and stops without leaving a database', async () => {
    const first = start();
    await first.says(NEXT);
    const [, url = ''] = await first.says(URL_LINE);
    const [, key = ''] = await first.says(KEY_LINE);
    const answer = await fetch(`${url}/api/v1/whoami`, { headers: { 'x-api-key': key } });
    expect(await answer.json()).toMatchObject({ tenant_id: 'default', scopes: ['admin'] });
    expect((await first.says(/export ROLLCALL_URL=(\S+)/))[1]).toBe(url);

    const pid = postgres();
    expect(startOf(pid)).toBeDefined();
    first.process.kill('SIGTERM');
    expect((await first.ended).code).toBe(0);
    expect(startOf(pid)).toBeUndefined();

    const second = start();
    await second.says(NEXT);
    const [, again = ''] = await second.says(URL_LINE);
    const still = await fetch(`${again}/api/v1/whoami`, { headers: { 'x-api-key': key } });
    expect(still.status).toBe(200);
    second.process.kill('SIGINT');
    const { code, stdout } = await second.ended;
    expect(code).toBe(0);
    expect(stdout).not.toContain('rc_');
  });

  test('with --json says where it is in one line', async () => {
    const database = await createRollcallDatabase();
    const { process, says, ended } = start({ DATABASE_URL: database.url }, ['--json']);
    const [line] = await says(/^.*\n/);
    expect(JSON.parse(line)).toMatchObject({
      url: expect.stringMatching(/^http:/),
      admin_key: expect.stringMatching(/^rc_/),
    });
    process.kill('SIGTERM');
    expect(await ended).toMatchObject({ code: 0, stdout: line });
    await database.drop();
  });

  test('asked to stop while it starts, stops as soon as it can, and leaves no database', async () => {
    mkdirSync(scratch.dataDir, { mode: 0o711 });
    const begun = new Promise<void>((resolve) => {
      const watcher = watch(scratch.dataDir, (_, name) => {
        if (name !== 'owner.json') return;
        watcher.close();
        resolve();
      });
    });
    const { process, ended } = start();
    await begun;
    process.kill('SIGTERM');
    expect((await ended).code).toBe(0);
    expect(existsSync(join(scratch.dataDir, 'owner.json'))).toBe(false);
    expect(postgres()).toBe(0);
  });
});

describe('rollcall start, once it serves,', () => {
  test('ends with 1 when its database is lost', async () => {
    const { says, ended } = start();
    await says(NEXT);
    process.kill(postgres(), 'SIGKILL');
    const { code, stderr } = await ended;
    expect([code, stderr]).toEqual([1, expect.stringContaining('postgres.log')]);
  });
});

describe('rollcall start ends with 1 and one clear message, without a stack trace,', () => {
  const refusal = async (env: Record<string, string>) => {
    const { code, stdout, stderr } = await start({ ROLLCALL_LOG_LEVEL: 'error', ...env }).ended;
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^Error: /);
    expect(stderr).not.toMatch(/^ +at /m);
    return stderr;
  };

  test('when its configuration is wrong', async () => {
    const stderr = await refusal({ ROLLCALL_PORT: '70000', ROLLCALL_PROFILE: 'moon' });
    expect(stderr).toContain('ROLLCALL_PORT: ');
    expect(stderr).toContain('ROLLCALL_PROFILE: ');
  });

  test('when another server has the data folder', async () => {
    await scratch.start();
    const stderr = await refusal({});
    expect(stderr).toContain(`pid ${process.pid}`);
    expect(stderr).toContain('ROLLCALL_DATA_DIR');
  });

  test('when its port is taken, by whom, and how to choose another', async () => {
    const database = await createRollcallDatabase();
    const env = { DATABASE_URL: database.url };
    const first = start(env);
    const [, url = ''] = await first.says(URL_LINE);
    const { host, port } = new URL(url);
    const stderr = await refusal({ ...env, ROLLCALL_PORT: port });
    expect(stderr).toContain(`A Rollcall server already listens at ${host}.`);
    expect(stderr).toContain(`ROLLCALL_PORT=${Number(port) + 1}`);

    const other = createServer((socket) => socket.end('hello'));
    await once(other.listen(0, '127.0.0.1'), 'listening');
    const taken = String((other.address() as AddressInfo).port);
    expect(await refusal({ ...env, ROLLCALL_PORT: taken })).toContain(
      `Another program already listens at 127.0.0.1:${taken}.`,
    );
    other.close();
    first.process.kill('SIGTERM');
    await first.ended;
    await database.drop();
  });

  test('when its database cannot be reached', async () => {
    const { host } = new URL(NOBODY);
    const stderr = await refusal({ DATABASE_URL: `postgres://rollcall:hidden@${host}/rollcall` });
    expect(stderr).toContain(`No database answers at ${host} (ECONNREFUSED).`);
    expect(stderr).not.toContain('hidden');
  });

  test('when Supabase cannot be reached', async () => {
    const env = { SUPABASE_URL: NOBODY, SUPABASE_SERVICE_ROLE_KEY: 'hidden' };
    const stderr = await refusal(env);
    expect(stderr).toContain(`Supabase at ${new URL(NOBODY).host} does not answer.`);
    expect(stderr).not.toContain('hidden');
  });
});
