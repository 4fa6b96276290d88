import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { commandFor, NOBODY, runRollcall, spawnRollcall } from '../../../test/rollcall/command.ts';
import { startTestRollcall, type TestRollcall } from '../../../test/rollcall/start.ts';
import { VERSION } from '../version.ts';

let rollcall: TestRollcall;
let run: ReturnType<typeof commandFor>;
beforeAll(async () => {
  rollcall = await startTestRollcall();
  run = commandFor(rollcall);
});
afterAll(() => rollcall.stop());

describe('the command line', () => {
  test('says its version', async () => {
    expect(await runRollcall(['--version'])).toEqual({
      code: 0,
      stdout: `${VERSION}\n`,
      stderr: '',
    });
  });

  test('explains its exit codes and its environment in its help', async () => {
    const { code, stdout } = await runRollcall(['--help']);
    expect(code).toBe(0);
    for (const text of ['0  done', '1  failed', '2  called wrongly', '3  gaps list']) {
      expect(stdout).toContain(text);
    }
    expect(stdout).toContain('ROLLCALL_API_KEY');
  });

  test.each([
    ['an unknown command', ['gapz'], 'Did you mean gaps'],
    ['an unknown option', ['gaps', 'list', '--kinds', 'silent'], '--kinds'],
    [
      'a value that is none of the choices',
      ['gaps', 'list', '--kind', 'quiet'],
      'broken_dependency',
    ],
    ['a number that is none', ['entities', 'list', '--limit', '0'], 'at least 1'],
    ['a reference without an id', ['entities', 'list', '--parent', 'team'], 'TYPE/ID'],
    ['a moment that is none', ['gaps', 'mute', 'a', '--reason', 'x', '--until', 'soon'], '90d'],
    ['a missing option', ['keys', 'create', '--name', 'x'], '--scope'],
    ['a missing argument', ['gaps', 'fix'], 'id'],
    ['an address that is none', ['gaps', 'list', '--url', 'ftp://rollcall'], '--url'],
    ['a key that cannot be one', ['gaps', 'list', '--key', 'rc two'], 'API key'],
  ])(
    'ends with 2 on %s, says what is allowed, and asks the server nothing',
    async (_, args, hint) => {
      const { code, stdout, stderr } = await run(args, { env: { ROLLCALL_URL: NOBODY } });
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toContain(hint);
    },
  );

  test('without a server says so and how to start one', async () => {
    const { code, stdout, stderr } = await run(['entities', 'list', '--url', NOBODY]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe(`Error: No Rollcall at ${NOBODY}; start one with: npm start\n`);
  });

  test('says so when something else answers at the address', async () => {
    const other = createServer((_request, response) => response.end('<h1>Hello</h1>'));
    await once(other.listen(0, '127.0.0.1'), 'listening');
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    const { code, stderr } = await run(['entities', 'list', '--url', url]);
    other.close();
    expect(code).toBe(1);
    expect(stderr).toContain(`${url} answered 200, but not in the way a Rollcall server does`);
    expect(stderr).toContain('ROLLCALL_URL');
  });

  test('names each wrong environment variable', async () => {
    const { code, stderr } = await run(['gaps', 'list'], { env: { ROLLCALL_URL: 'here' } });
    expect(code).toBe(1);
    expect(stderr).toContain('ROLLCALL_URL: Invalid URL');
  });

  test('takes the options that every command has in any place', async () => {
    const options = ['--url', rollcall.url, '--key', rollcall.key, '--json'];
    const before = await runRollcall([...options, 'entities', 'list']);
    const after = await runRollcall(['entities', 'list', ...options]);
    expect(JSON.parse(before.stdout)).toEqual({ items: [], next_cursor: null });
    expect(after).toEqual(before);
  });

  test('takes the admin key of the environment when no other is set', async () => {
    const env = { ROLLCALL_API_KEY: '', ROLLCALL_ADMIN_KEY: rollcall.key };
    expect((await run(['entities', 'list'], { env })).code).toBe(0);
  });

  test('refused for its key says what to set', async () => {
    const { code, stderr } = await run(['entities', 'list'], { env: { ROLLCALL_API_KEY: '' } });
    expect(code).toBe(1);
    expect(stderr).toContain(
      'No API key is set.\nGive a valid key in ROLLCALL_API_KEY or with --key',
    );
  });

  test('refused for a scope names the scope and how to make a key that has it', async () => {
    const key = await rollcall.keyFor('default', ['telemetry:write']);
    const { code, stderr } = await run(['entities', 'list', '--key', key]);
    expect(code).toBe(1);
    expect(stderr).toContain('registry:read');
    expect(stderr).toContain('rollcall keys create');
  });

  test('with --json fails with the problem document on standard error and nothing on the other', async () => {
    const { code, stdout, stderr } = await run(['entities', 'show', 'workflow', 'nope', '--json']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(JSON.parse(stderr)).toMatchObject({ status: 404, code: 'not_found' });
  });

  test('with --json says in JSON, too, that there is no server', async () => {
    const { stderr } = await run(['entities', 'list', '--json', '--url', NOBODY]);
    expect(JSON.parse(stderr)).toMatchObject({
      code: 'unreachable',
      detail: expect.stringContaining('No Rollcall at'),
    });
  });

  test('ends well when nobody reads on', async () => {
    const command = spawnRollcall(['migrate', '--print']);
    command.process.stdout?.once('data', () => command.process.stdout?.destroy());
    expect(await command.ended).toMatchObject({ code: 0, stderr: '' });
  });
});
