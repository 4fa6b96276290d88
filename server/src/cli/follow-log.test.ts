import { randomUUID } from 'node:crypto';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  commandFor,
  NOBODY,
  runRollcall,
  spawnRollcall,
  type RunningCommand,
} from '../../../test/rollcall/command.ts';
import { startTestRollcall, type TestRollcall } from '../../../test/rollcall/start.ts';
import { freshTenant, type FreshTenant } from '../../../test/rollcall/tenant.ts';

let rollcall: TestRollcall;
let tenant: FreshTenant;
let folder: string;
let log: string;
let running: RunningCommand[] = [];
beforeAll(async () => {
  rollcall = await startTestRollcall();
});
beforeEach(async () => {
  tenant = await freshTenant(rollcall);
  folder = mkdtempSync(join(tmpdir(), 'follow-log-'));
  log = join(folder, 'n8nEventLog.log');
});
afterEach(async () => {
  for (const { process, ended } of running) {
    process.kill('SIGKILL');
    await ended;
  }
  running = [];
  rmSync(folder, { recursive: true });
});
afterAll(() => rollcall.stop());

/** A line as n8n writes it, on the run `n` of the workflow `w`. */
const line = (n: number, eventName = 'n8n.workflow.success') =>
  `${JSON.stringify({
    __type: '$$EventMessageWorkflow',
    id: randomUUID(),
    ts: new Date(rollcall.clock.now().getTime() - 60_000).toISOString().replace('Z', '+00:00'),
    eventName,
    message: eventName,
    payload: { executionId: String(n), workflowId: 'w', _email: 'owner@example.com' },
  })}\n`;
const lines = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, place) => line(from + place)).join('');
const write = (text: string) => appendFileSync(log, text);
/** As n8n does at each start. */
function rotate(): void {
  for (const age of [2, 1]) {
    const older = join(folder, `n8nEventLog-${age}.log`);
    if (existsSync(older)) renameSync(older, join(folder, `n8nEventLog-${age + 1}.log`));
  }
  renameSync(log, join(folder, 'n8nEventLog-1.log'));
  writeFileSync(log, '');
}
const run = (...args: string[]) => commandFor(tenant)(['n8n', 'follow-log', log, ...args]);
const once = async (...args: string[]) => {
  const { code, stdout, stderr } = await run('--once', '--json', ...args);
  expect([code, stderr]).toEqual([0, expect.any(String)]);
  return JSON.parse(stdout) as Record<string, number>;
};
function follow(args: string[] = [], url = tenant.url): RunningCommand {
  const command = spawnRollcall(['n8n', 'follow-log', log, ...args], {
    env: { ROLLCALL_URL: url, ROLLCALL_API_KEY: tenant.key },
  });
  running.push(command);
  return command;
}
/** Resolves when the server has these runs, and no other. */
async function arrived(...runs: number[]): Promise<void> {
  const wanted = runs.map(String).sort();
  for (;;) {
    const rows = await rollcall.sql<{ execution_id: string }>(
      'select execution_id from rollcall.executions where tenant_id = $1',
      [tenant.tenant],
    );
    const found = rows.map(({ execution_id }) => execution_id).sort();
    if (found.length >= wanted.length) return expect(found).toEqual(wanted);
  }
}
const counted = async () =>
  Number(
    (
      await rollcall.sql<{ n: string }>(
        'select coalesce(sum(events), 0) as n from rollcall.n8n_events where tenant_id = $1',
        [tenant.tenant],
      )
    )[0]?.n,
  );
const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, place) => from + place);

describe('--once', () => {
  test('ships what is there, oldest file first, and next time what has come since', async () => {
    write(lines(1, 3));
    rotate();
    write(lines(4, 5));
    rotate();
    write(lines(6, 7));
    expect(await once()).toEqual({ accepted: 7, duplicates: 0, rejected: 0, broken: 0 });
    await arrived(...range(1, 7));
    expect(await once()).toMatchObject({ accepted: 0, duplicates: 0 });
    write(lines(8, 8));
    rotate();
    write(lines(9, 9));
    expect(await once()).toMatchObject({ accepted: 2, duplicates: 0 });
    await arrived(...range(1, 9));
    expect(await counted()).toBe(9);
  });

  test('leaves half a line for later, and leaves out what is no event', async () => {
    const [first, second] = [line(1), line(2)];
    const confirm = { __type: '$$EventMessageConfirm', confirm: randomUUID(), ts: '', source: {} };
    write(`${JSON.stringify(confirm)}\n\n{"half": \n${first}[1]\n\0\0\0\n${second.slice(0, 60)}`);
    expect(await once()).toEqual({ accepted: 1, duplicates: 0, rejected: 0, broken: 2 });
    await arrived(1);
    write(second.slice(60));
    expect(await once()).toEqual({ accepted: 1, duplicates: 0, rejected: 0, broken: 0 });
    await arrived(1, 2);
  });

  test('reads the end of a renamed file even where n8n was stopped in the middle of a line', async () => {
    write(line(1) + line(2).trimEnd());
    rotate();
    write(line(3));
    rotate();
    write(line(4).slice(0, 40));
    rotate();
    expect(await once()).toEqual({ accepted: 3, duplicates: 0, rejected: 0, broken: 1 });
    await arrived(1, 2, 3);
  });

  test('begins anew with a log that was cut short, and does not repeat the older ones', async () => {
    write(lines(1, 2));
    rotate();
    write(lines(3, 6));
    await once();
    truncateSync(log, 0);
    write(line(7));
    const { stderr, stdout } = await run('--once', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ accepted: 1, duplicates: 0 });
    expect(stderr).toContain('lines may be missing');
    await arrived(...range(1, 7));
  });

  test('says so when the file it was reading is gone, and reads what there is', async () => {
    write(lines(1, 2));
    await once();
    write(line(3));
    rotate();
    rmSync(join(folder, 'n8nEventLog-1.log'));
    write(line(4));
    const { stderr, stdout } = await run('--once', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ accepted: 1, duplicates: 0 });
    expect(stderr).toContain('lines may be missing');
    expect((await run('--once')).stderr).toBe('');
  });

  test('is not fooled by another file of the same name and length', async () => {
    write(line(1));
    await once();
    const size = readFileSync(log).length;
    const other = join(folder, 'other');
    writeFileSync(other, line(2).padEnd(size, ' '));
    copyFileSync(other, log);
    expect(await once()).toMatchObject({ accepted: 1 });
    await arrived(1, 2);
  });

  test('ships long logs in batches, and lines longer than a batch', async () => {
    const long = JSON.stringify({
      id: randomUUID(),
      eventName: 'n8n.ai.llm.generated',
      ts: rollcall.clock.now().toISOString(),
      payload: { executionId: '1', workflowId: 'w', msg: 'x'.repeat(1_500_000) },
    });
    write(lines(1, 600) + `${long}\n` + lines(601, 1200));
    expect(await once()).toEqual({ accepted: 1201, duplicates: 0, rejected: 0, broken: 0 });
    expect(await counted()).toBe(1201);
  });

  test('tells how many the server refused, and why, and goes on', async () => {
    const old = line(1).replace(/"ts":"\d{4}/, '"ts":"1999');
    write(old + line(2));
    const { code, stdout, stderr } = await run('--once');
    expect([code, stdout]).toEqual([0, 'Shipped 1 event; 0 known before, 1 refused.\n']);
    expect(stderr).toMatch(/refused: .*older than/);
    write(old);
    expect((await run('--once')).stdout).toContain('1 refused');
    expect(await once()).toMatchObject({ accepted: 0, rejected: 0 });
  });

  test('names the instance and no person', async () => {
    write(line(1));
    await once('--instance', 'prod');
    const { items } = (await tenant.get('/api/v1/executions')).body;
    expect(items).toMatchObject([{ execution_id: '1', instance_id: 'prod', status: 'success' }]);
  });
});

describe('following', () => {
  test('begins with the next line, follows it into new files, and ends well on Ctrl-C', async () => {
    write(lines(1, 3));
    const { process, says, ended } = follow();
    await says(/Following/, 'stderr');
    write(line(4));
    await arrived(4);
    write(line(5));
    rotate();
    write(line(6));
    await arrived(4, 5, 6);
    process.kill('SIGINT');
    expect(await ended).toMatchObject({
      code: 0,
      stdout: 'Shipped 3 events; 0 known before, 0 refused.\n',
    });
  });

  test('--from-start begins with the oldest line', async () => {
    write(lines(1, 2));
    rotate();
    write(line(3));
    follow(['--from-start']);
    await arrived(1, 2, 3);
  });

  test('ships each line once across restarts, however it ended', async () => {
    write(lines(1, 2));
    const first = follow(['--from-start']);
    await arrived(1, 2);
    await first.says(/Following/, 'stderr');
    first.process.kill('SIGKILL');
    await first.ended;
    write(line(3));
    rotate();
    write(line(4));
    const second = follow();
    await second.says(/from where it was left/, 'stderr');
    await arrived(1, 2, 3, 4);
    second.process.kill('SIGTERM');
    expect((await second.ended).code).toBe(0);
    expect(await counted()).toBe(4);
  });

  test('waits for a log that n8n has not begun', async () => {
    const { says } = follow();
    await says(/Waiting for n8n to begin one/, 'stderr');
    await says(/Following/, 'stderr');
    write(line(1));
    await arrived(1);
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
    const { process, says, ended } = follow(['--from-start'], url);
    write(lines(1, 2));
    await says(/Waiting for it/, 'stderr');
    write(line(3));
    open = true;
    await says(/is back/, 'stderr');
    await arrived(1, 2, 3);
    process.kill('SIGINT');
    expect((await ended).code).toBe(0);
    door.closeAllConnections();
    await new Promise((resolve) => door.close(resolve));
  });

  test('ends on Ctrl-C while the server is away, and ships the same lines next time', async () => {
    write(line(1));
    const { process, says, ended } = follow(['--from-start'], NOBODY);
    await says(/Waiting for it/, 'stderr');
    process.kill('SIGINT');
    expect((await ended).code).toBe(0);
    expect(await once()).toMatchObject({ accepted: 1 });
  });
});

describe('it ends with what to do', () => {
  test.each([
    ['when there is no log', () => run('--once'), /There is no log at .*\n.*~\/\.n8n/],
    [
      'without a server',
      () => {
        write(line(1));
        return runRollcall(['n8n', 'follow-log', log, '--once'], {
          env: { ROLLCALL_URL: NOBODY, ROLLCALL_API_KEY: tenant.key },
        });
      },
      /No Rollcall at/,
    ],
    [
      'with a key that may not',
      async () => {
        write(line(1));
        const key = await rollcall.keyFor(tenant.tenant, ['telemetry:read']);
        return run('--from-start', '--key', key);
      },
      /scope/,
    ],
    [
      'when the state is somebody else’s',
      () => {
        write(line(1));
        writeFileSync(join(folder, 'state'), '{"version":9}');
        return run('--once', '--state', join(folder, 'state'));
      },
      /does not hold the position/,
    ],
    [
      'when the position cannot be kept',
      () => {
        write(line(1));
        return run('--once', '--state', join(folder, 'no', 'such', 'folder'));
      },
      /cannot be kept.*\n.*--state/,
    ],
  ])('%s', async (_, attempt, message) => {
    const { code, stdout, stderr } = await attempt();
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(message);
  });
});
