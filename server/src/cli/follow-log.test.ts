import { randomUUID } from 'node:crypto';
import { copyFileSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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

const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, place) => from + place);

describe('--once', () => {
  test('ships what is there, oldest file first, and next time what has come since', async () => {
    log.write(log.lines(1, 3));
    log.rotate();
    log.write(log.lines(4, 5));
    log.rotate();
    log.write(log.lines(6, 7));
    expect(await log.once()).toEqual({ accepted: 7, duplicates: 0, rejected: 0, broken: 0 });
    await log.arrived(...range(1, 7));
    expect(await log.once()).toMatchObject({ accepted: 0, duplicates: 0 });
    log.write(log.lines(8, 8));
    log.rotate();
    log.write(log.lines(9, 9));
    expect(await log.once()).toMatchObject({ accepted: 2, duplicates: 0 });
    await log.arrived(...range(1, 9));
    expect(await log.counted()).toBe(9);
  });

  test('leaves half a line for later, and leaves out what is no event', async () => {
    const [first, second] = [log.line(1), log.line(2)];
    const confirm = { __type: '$$EventMessageConfirm', confirm: randomUUID(), ts: '', source: {} };
    log.write(
      `${JSON.stringify(confirm)}\n\n{"half": \n${first}[1]\n\0\0\0\n${second.slice(0, 60)}`,
    );
    expect(await log.once()).toEqual({ accepted: 1, duplicates: 0, rejected: 0, broken: 2 });
    await log.arrived(1);
    log.write(second.slice(60));
    expect(await log.once()).toEqual({ accepted: 1, duplicates: 0, rejected: 0, broken: 0 });
    await log.arrived(1, 2);
  });

  test('reads the end of a renamed file even where n8n was stopped in the middle of a line', async () => {
    log.write(log.line(1) + log.line(2).trimEnd());
    log.rotate();
    log.write(log.line(3));
    log.rotate();
    log.write(log.line(4).slice(0, 40));
    log.rotate();
    expect(await log.once()).toEqual({ accepted: 3, duplicates: 0, rejected: 0, broken: 1 });
    await log.arrived(1, 2, 3);
  });

  test('begins anew with a log that was cut short, and does not repeat the older ones', async () => {
    log.write(log.lines(1, 2));
    log.rotate();
    log.write(log.lines(3, 6));
    await log.once();
    truncateSync(log.path, 0);
    log.write(log.line(7));
    const { stderr, stdout } = await log.run('--once', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ accepted: 1, duplicates: 0 });
    expect(stderr).toContain('lines may be missing');
    await log.arrived(...range(1, 7));
  });

  test('says so when the file it was reading is gone, and reads what there is', async () => {
    log.write(log.lines(1, 2));
    await log.once();
    log.write(log.line(3));
    log.rotate();
    rmSync(join(log.folder, 'n8nEventLog-1.log'));
    log.write(log.line(4));
    const { stderr, stdout } = await log.run('--once', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ accepted: 1, duplicates: 0 });
    expect(stderr).toContain('lines may be missing');
    expect((await log.run('--once')).stderr).toBe('');
  });

  test('is not fooled by another file of the same name and length', async () => {
    log.write(log.line(1));
    await log.once();
    const size = readFileSync(log.path).length;
    const other = join(log.folder, 'other');
    writeFileSync(other, log.line(2).padEnd(size, ' '));
    copyFileSync(other, log.path);
    expect(await log.once()).toMatchObject({ accepted: 1 });
    await log.arrived(1, 2);
  });

  test('ships long logs in batches, and lines longer than a batch', async () => {
    const long = JSON.stringify({
      id: randomUUID(),
      eventName: 'n8n.ai.llm.generated',
      ts: rollcall.clock.now().toISOString(),
      payload: { executionId: '1', workflowId: 'w', msg: 'x'.repeat(1_500_000) },
    });
    log.write(log.lines(1, 600) + `${long}\n` + log.lines(601, 1200));
    expect(await log.once()).toEqual({ accepted: 1201, duplicates: 0, rejected: 0, broken: 0 });
    expect(await log.counted()).toBe(1201);
  });

  test('tells how many the server refused, and why, and goes on', async () => {
    const old = log.line(1).replace(/"ts":"\d{4}/, '"ts":"1999');
    log.write(old + log.line(2));
    const { code, stdout, stderr } = await log.run('--once');
    expect([code, stdout]).toEqual([0, 'Shipped 1 event; 0 known before, 1 refused.\n']);
    expect(stderr).toMatch(/refused: .*older than/);
    log.write(old);
    expect((await log.run('--once')).stdout).toContain('1 refused');
    expect(await log.once()).toMatchObject({ accepted: 0, rejected: 0 });
  });

  test('names the instance and no person', async () => {
    log.write(log.line(1));
    await log.once('--instance', 'prod');
    const { items } = (await tenant.get('/api/v1/executions')).body;
    expect(items).toMatchObject([{ execution_id: '1', instance_id: 'prod', status: 'success' }]);
  });
});
