import { commandFor } from '../../../test/rollcall/command.ts';
import { startTestRollcall, type TestRollcall } from '../../../test/rollcall/start.ts';

let rollcall: TestRollcall;
let run: ReturnType<typeof commandFor>;
beforeEach(async () => {
  rollcall = await startTestRollcall();
  run = commandFor(rollcall);
});
afterEach(() => rollcall.stop());

const at = (seconds: number) =>
  new Date(rollcall.clock.now().getTime() - 3_600_000 + seconds * 1_000).toISOString();
async function report(execution_id: string, more: object = {}): Promise<string> {
  const body = {
    execution_id,
    workflow_id: 'orders',
    status: 'success',
    started_at: at(0),
    ...more,
  };
  const answer = await rollcall.post('/api/v1/executions/ingest', body);
  if (answer.status >= 300) throw new Error(JSON.stringify(answer.body));
  return answer.body.id as string;
}
const listed = async (...args: string[]): Promise<string[]> => {
  const { stdout, stderr } = await run(['executions', 'list', '--json', ...args]);
  expect(stderr).toBe('');
  return JSON.parse(stdout).items.map(({ execution_id }: { execution_id: string }) => execution_id);
};

describe('rollcall executions list', () => {
  test('shows what ran, newest first, with what went wrong', async () => {
    expect((await run(['executions', 'list'])).stdout).toBe('Nothing has run yet.\n');
    await report('17', { completed_at: at(1.5), mode: 'webhook', workflow_name: 'Orders' });
    await report('18', {
      started_at: at(2),
      status: 'error',
      error: { type: 'Timeout', message: 'late', node: 'Post' },
    });
    const { code, stdout } = await run(['executions', 'list']);
    expect(code).toBe(0);
    const [head, first, second, , footer] = stdout.split('\n');
    expect(head).toMatch(/^ID +EXECUTION +STATUS +WORKFLOW +MODE +BEGAN +TOOK +ERROR$/);
    expect(first).toMatch(/^[0-9a-f]{8} +18 +error +orders +.* +Post: Timeout: late$/);
    expect(second).toMatch(/^[0-9a-f]{8} +17 +success +Orders +webhook +\d{4}-.* +1\.5 s$/);
    expect(footer).toBe('2 executions.');
  });

  test('filters', async () => {
    await report('1', { mode: 'webhook', instance_id: 'main', completed_at: at(5) });
    await report('2', {
      workflow_id: 'other',
      status: 'error',
      error: { type: 'Timeout', message: 'late' },
    });
    await report('3', { status: 'cancelled', started_at: at(3_000) });
    expect(await listed('--workflow', 'other')).toEqual(['2']);
    expect(await listed('--status', 'error,cancelled')).toEqual(['3', '2']);
    expect(await listed('--mode', 'webhook')).toEqual(['1']);
    expect(await listed('--instance', 'main')).toEqual(['1']);
    expect(await listed('--error', 'Timeout')).toEqual(['2']);
    expect(await listed('--text', 'LATE')).toEqual(['2']);
    expect(await listed('--since', '30m')).toEqual(['3']);
    expect(await listed('--until', '30m', '--status', 'success')).toEqual(['1']);
    expect(await listed('--slower-than', '5000')).toEqual(['1']);
    expect(await listed('--limit', '1')).toEqual(['3']);
    expect((await run(['executions', 'list', '--mode', 'none'])).stdout).toBe(
      'No execution fits.\n',
    );
  });

  test('says which option is wrong', async () => {
    const { code, stderr } = await run(['executions', 'list', '--status', 'fine']);
    expect(code).toBe(1);
    expect(stderr).toContain('--status');
    expect((await run(['executions', 'list', '--since', 'once'])).code).toBe(2);
  });
});

describe('rollcall executions compare', () => {
  const nodes = (duration_ms: number) => [
    { node_name: 'Same', status: 'success', duration_ms: 5 },
    { node_name: 'Slow', status: 'success', duration_ms, items_out: 2 },
  ];
  async function version(id: string, names: string[]): Promise<void> {
    const workflow = {
      nodes: names.map((name) => ({ name, type: 'n8n-nodes-base.set', parameters: { name } })),
      connections: { Same: { main: [[{ node: names[1], type: 'main', index: 0 }]] } },
    };
    const entity = { entity_type: 'workflow', entity_id: 'orders', version: id, workflow };
    expect((await rollcall.post('/api/v1/entities', entity)).status).toBeLessThan(300);
  }

  test('says how they differ, and what was changed in the workflow between them', async () => {
    await version('v1', ['Same', 'Slow']);
    await version('v2', ['Same', 'New']);
    await report('17', { workflow_version: 'v1', duration_ms: 900, node_executions: nodes(800) });
    await report('18', { workflow_version: 'v2', duration_ms: 200, node_executions: nodes(100) });
    const { code, stdout, stderr } = await run(['executions', 'compare', '17', '18']);
    expect([code, stderr]).toEqual([0, '']);
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(/^orders {2}17 {2}success, .*, 900 ms$/);
    expect(lines[2]).toBe('  the second took 700 ms less');
    expect(lines.slice(4, 9)).toEqual([
      'The workflow was changed between them:',
      '  New  added (n8n-nodes-base.set)',
      '  Slow  removed (n8n-nodes-base.set)',
      '  Same -> Slow  removed',
      '  Same -> New  added',
    ]);
    expect(lines[10]).toMatch(/^NODE +FIRST +SECOND +DIFFERS IN$/);
    expect(lines[11]).toMatch(
      /^Slow +success, 800 ms, 2 items +success, 100 ms, 2 items +duration_ms$/,
    );
    expect(lines[12]).toBe('1 node differs, 1 does not.');
  });

  test('says what is not known', async () => {
    await report('17');
    await report('18', { workflow_version: 'v1' });
    await report('19', { workflow_version: 'v2' });
    const compared = async (left: string, right: string) =>
      (await run(['executions', 'compare', left, right])).stdout;
    expect(await compared('17', '18')).toContain('is not known: no version was told.');
    expect(await compared('18', '19')).toContain('was changed between them; to what is not known');
    expect(await compared('18', '18')).toContain('The workflow was not changed between them.');
  });

  test('prints JSON, and says which one is not there', async () => {
    const id = await report('17');
    const { stdout } = await run(['executions', 'compare', id.slice(0, 8), '17', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ differing: 0, workflow: { definition: 'unknown' } });
    const { code, stderr } = await run(['executions', 'compare', '17', '99']);
    expect([code, stderr]).toEqual([1, expect.stringContaining('99')]);
  });
});

describe('rollcall executions show', () => {
  const nodes = () => [
    { node_name: 'Hook', status: 'success', started_at: at(0), completed_at: at(1) },
    { node_name: 'Side', status: 'success', started_at: at(1), completed_at: at(2) },
    {
      node_name: 'Post',
      status: 'error',
      started_at: at(1),
      completed_at: at(4),
      attempts: 2,
      error: { type: 'Timeout', message: 'late' },
    },
  ];

  test('draws its nodes, those that decided the end marked', async () => {
    const id = await report('17', {
      status: 'error',
      completed_at: at(4),
      workflow_name: 'Orders',
      error: {
        type: 'Timeout',
        message: 'late',
        node: 'Post',
        stack: 'Timeout: late\n    at Post',
      },
      node_executions: nodes(),
    });
    await report('18', {
      parent_execution_id: '17',
      parent_workflow_id: 'orders',
      workflow_id: 'sub',
    });
    const { code, stdout } = await run(['executions', 'show', '17']);
    expect(code).toBe(0);
    expect(stdout).toContain(`Orders  17\n  ${id}\n  error, 4.0 s\n`);
    expect(stdout).toMatch(/called +18 \(sub, success\)/);
    expect(stdout).toContain('Post: Timeout: late\n  Timeout: late\n  at Post\n');
    const drawing = stdout.slice(stdout.indexOf('Nodes, over 4.0 s')).split('\n');
    const bar = (line = '') => [line.indexOf('█'), line.lastIndexOf('█')];
    const [, hook, side, post] = drawing;
    expect(hook).toMatch(/^\* Hook +█+ +1\.0 s$/);
    expect(post).toMatch(/^\* Post +█+ +3\.0 s, 2 tries, Timeout$/);
    expect(side).toMatch(/^ {2}Side +█+ +1\.0 s$/);
    expect(bar(side)[0]).toBe((bar(hook)[1] ?? 0) + 1);
    expect(bar(post)[0]).toBe(bar(side)[0]);
  });

  test('of a running one shows what is open', async () => {
    await report('1', {
      status: 'running',
      node_executions: [{ node_name: 'A', status: 'running', started_at: at(0) }],
    });
    const { stdout } = await run(['executions', 'show', '1']);
    expect(stdout).toMatch(/Nodes, over 60 min 0 s so far\n\* A +░+ +60 min 0 s/);
  });

  test('takes either id, the beginning of ours, and prints JSON', async () => {
    const id = await report('17');
    for (const given of ['17', id, id.slice(0, 8)]) {
      const { stdout } = await run(['executions', 'show', given, '--json']);
      expect(JSON.parse(stdout)).toMatchObject({ id, execution_id: '17' });
    }
    expect((await run(['executions', 'show', '17'])).stdout).toContain(
      'No node has told of its run.',
    );
  });

  test('names those that could be meant', async () => {
    const one = await report('7', { instance_id: 'one' });
    await report('7', { instance_id: 'two' });
    const { code, stderr } = await run(['executions', 'show', '7']);
    expect(code).toBe(2);
    expect(stderr).toContain(`${one}  orders --instance one`);
    expect((await run(['executions', 'show', '7', '--instance', 'two'])).code).toBe(0);
  });

  test.each(['nothing', 'abcd1234', '99'])('says that %s is not there', async (id) => {
    const { code, stdout, stderr } = await run(['executions', 'show', id]);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(id);
  });
});
