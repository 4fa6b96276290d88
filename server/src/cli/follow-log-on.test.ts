import { createServer, type Server } from 'node:http';
import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { NOBODY, runRollcall } from '../../../test/rollcall/command.ts';
import { n8nLog, type N8nLog } from '../../../test/rollcall/n8n-log.ts';
import { startTestRollcall, type TestRollcall } from '../../../test/rollcall/start.ts';
import { freshTenant, type FreshTenant } from '../../../test/rollcall/tenant.ts';

let rollcall: TestRollcall;
let tenant: FreshTenant;
let log: N8nLog;
beforeAll(async () => {
  rollcall = await startTestRollcall();
});
beforeEach(async () => {
  tenant = await freshTenant(rollcall);
  log = n8nLog(tenant);
});
afterEach(() => log.end());
afterAll(() => rollcall.stop());

describe('following', () => {
  test('begins with the next line, follows it into new files, and ends well on Ctrl-C', async () => {
    log.write(log.lines(1, 3));
    const { process, says, ended } = log.follow();
    await says(/Following/, 'stderr');
    log.write(log.line(4));
    await log.arrived(4);
    log.write(log.line(5));
    log.rotate();
    log.write(log.line(6));
    await log.arrived(4, 5, 6);
    process.kill('SIGINT');
    expect(await ended).toMatchObject({
      code: 0,
      stdout: 'Shipped 3 events; 0 known before, 0 refused.\n',
    });
  });

  test('--from-start begins with the oldest line', async () => {
    log.write(log.lines(1, 2));
    log.rotate();
    log.write(log.line(3));
    log.follow(['--from-start']);
    await log.arrived(1, 2, 3);
  });

  test('ships each line once across restarts, however it ended', async () => {
    log.write(log.lines(1, 2));
    const first = log.follow(['--from-start']);
    await log.arrived(1, 2);
    await first.says(/Following/, 'stderr');
    first.process.kill('SIGKILL');
    await first.ended;
    log.write(log.line(3));
    log.rotate();
    log.write(log.line(4));
    const second = log.follow();
    await second.says(/from where it was left/, 'stderr');
    await log.arrived(1, 2, 3, 4);
    second.process.kill('SIGTERM');
    expect((await second.ended).code).toBe(0);
    expect(await log.counted()).toBe(4);
  });

  test('waits for a log that n8n has not begun', async () => {
    const { says } = log.follow();
    await says(/Waiting for n8n to begin one/, 'stderr');
    await says(/Following/, 'stderr');
    log.write(log.line(1));
    await log.arrived(1);
  });

  test('waits for a server that is away, and loses nothing', async () => {
    let open = false;
    const door: Server = createServer((request, response) => {
      if (!open) return void response.writeHead(503).end('away');
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        void tenant.post(request.url ?? '', Buffer.concat(chunks)).then(({ status, body }) => {
          response.writeHead(status, { 'content-type': 'application/json' });
          response.end(JSON.stringify(body));
        });
      });
    });
    await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(door.address() as AddressInfo).port}`;
    const { process, says, ended } = log.follow(['--from-start'], url);
    log.write(log.lines(1, 2));
    await says(/Waiting for it/, 'stderr');
    log.write(log.line(3));
    open = true;
    await says(/is back/, 'stderr');
    await log.arrived(1, 2, 3);
    process.kill('SIGINT');
    expect((await ended).code).toBe(0);
    door.closeAllConnections();
    await new Promise((resolve) => door.close(resolve));
  });

  test('ends on Ctrl-C while the server is away, and ships the same lines next time', async () => {
    log.write(log.line(1));
    const { process, says, ended } = log.follow(['--from-start'], NOBODY);
    await says(/Waiting for it/, 'stderr');
    process.kill('SIGINT');
    expect((await ended).code).toBe(0);
    expect(await log.once()).toMatchObject({ accepted: 1 });
  });
});

describe('it ends with what to do', () => {
  test.each([
    ['when there is no log', () => log.run('--once'), /There is no log at .*\n.*~\/\.n8n/],
    [
      'without a server',
      () => {
        log.write(log.line(1));
        return runRollcall(['n8n', 'follow-log', log.path, '--once'], {
          env: { ROLLCALL_URL: NOBODY, ROLLCALL_API_KEY: tenant.key },
        });
      },
      /No Rollcall at/,
    ],
    [
      'with a key that may not',
      async () => {
        log.write(log.line(1));
        const key = await rollcall.keyFor(tenant.tenant, ['telemetry:read']);
        return log.run('--from-start', '--key', key);
      },
      /scope/,
    ],
    [
      'when the state is somebody else’s',
      () => {
        log.write(log.line(1));
        writeFileSync(join(log.folder, 'state'), '{"version":9}');
        return log.run('--once', '--state', join(log.folder, 'state'));
      },
      /does not hold the position/,
    ],
    [
      'when the position cannot be kept',
      () => {
        log.write(log.line(1));
        return log.run('--once', '--state', join(log.folder, 'no', 'such', 'folder'));
      },
      /cannot be kept.*\n.*--state/,
    ],
  ])('%s', async (_, attempt, message) => {
    const { code, stdout, stderr } = await attempt();
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(message);
  });
});
