import type { Gap } from '@rollcall/client/contract';
import { commandFor } from '../../../test/rollcall/command.ts';
import { startTestRollcall, type TestRollcall } from '../../../test/rollcall/start.ts';

let rollcall: TestRollcall;
let run: ReturnType<typeof commandFor>;
beforeEach(async () => {
  rollcall = await startTestRollcall();
  run = commandFor(rollcall);
});
afterEach(() => rollcall.stop());

const seen = (source_id: string, target_id = 'pdf') =>
  rollcall.post('/api/v1/telemetry', {
    protocol: 'n8n',
    source_id,
    target_id,
    operation: 'render',
    status: 'success',
  });
const gaps = async (...args: string[]): Promise<Gap[]> =>
  JSON.parse((await run(['gaps', 'list', '--json', ...args])).stdout).items;
const gapOf = async (id: string) => (await gaps('--id', id))[0] as Gap;

describe('rollcall gaps list', () => {
  test('checks first, then shows what is missing and how to fix it', async () => {
    await seen('orders');
    const { code, stdout } = await run(['gaps', 'list']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ID +SEVERITY +GRADE +KIND +ENTITY +SINCE +WHAT\n/);
    expect(stdout).toMatch(
      /[0-9a-f]{8} +warning +certain +unregistered +workflow\/orders +just now +orders is named/,
    );
    expect(stdout).toMatch(/2 gaps\.\nFix one: rollcall gaps fix [0-9a-f]{8}\n$/);
  });

  test('shows what the last check found when asked not to check', async () => {
    await seen('orders');
    expect((await run(['gaps', 'list', '--no-check'])).stdout).toBe(
      'No open gap was known to the last check.\n',
    );
    await run(['gaps', 'list']);
    expect(await gaps('--no-check')).toHaveLength(2);
  });

  test('says that all is clear', async () => {
    expect(await run(['gaps', 'list', '--exit-code'])).toEqual({
      code: 0,
      stdout: 'All clear: no open gap.\n',
      stderr: '',
    });
  });

  test('ends with 3 for open gaps when asked to, in both forms', async () => {
    await seen('orders');
    expect((await run(['gaps', 'list', '--exit-code'])).code).toBe(3);
    expect((await run(['gaps', 'list', '--exit-code', '--json'])).code).toBe(3);
    expect((await run(['gaps', 'list', '--exit-code', '--kind', 'silent'])).code).toBe(0);
    expect((await run(['gaps', 'list'])).code).toBe(0);
  });

  test('filters', async () => {
    await seen('orders');
    expect(await gaps('--type', 'workflow')).toMatchObject([{ entity_id: 'orders' }]);
    expect(await gaps('--id', 'pdf')).toMatchObject([{ entity_id: 'pdf' }]);
    expect(await gaps('--severity', 'critical')).toEqual([]);
    expect(await gaps('--kind', 'unregistered', '--limit', '1')).toHaveLength(1);
    expect(await gaps('--state', 'closed')).toEqual([]);
  });

  test('with a key that may only read shows the last check, and says so', async () => {
    await seen('orders');
    await run(['gaps', 'list']);
    const key = await rollcall.keyFor('default', ['gaps:read']);
    const { code, stdout, stderr } = await run(['gaps', 'list', '--key', key]);
    expect(code).toBe(0);
    expect(stdout).toContain('workflow/orders');
    expect(stderr).toContain('lacks the scope gaps:write');
  });
});

describe('rollcall gaps fix', () => {
  test('does the first offer, by the beginning of the id', async () => {
    await seen('orders');
    const { id } = await gapOf('orders');
    const { code, stdout } = await run(['gaps', 'fix', id.slice(0, 8)]);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^Done \(register\): Register orders as workflow\.\nThe gap is closed: /,
    );
    expect((await rollcall.get('/api/v1/entities/workflow/orders')).status).toBe(200);
    expect(await gaps('--id', 'orders')).toEqual([]);
  });

  test('registers under the type and the name it is given', async () => {
    await seen('orders');
    const { id } = await gapOf('orders');
    const options = ['--action', 'register', '--entity-type', 'agent', '--entity-name', 'Orders'];
    const { stdout } = await run(['gaps', 'fix', id, ...options, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ action: 'register', gap: { state: 'closed' } });
    const { body } = await rollcall.get('/api/v1/entities/agent/orders');
    expect(body.entity_name).toBe('Orders');
  });

  test('puts an orphan below a parent, and says which option is missing', async () => {
    const lost = { entity_type: 'team', entity_id: 'gone' };
    for (const entity_id of ['child', 'parent']) {
      const parent = entity_id === 'child' ? { parent: lost } : {};
      await rollcall.post('/api/v1/entities', { entity_type: 'agent', entity_id, ...parent });
    }
    const { id } = await gapOf('child');
    const refused = await run(['gaps', 'fix', id, '--action', 'reparent']);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('parent_type (--parent)');
    const done = await run(['gaps', 'fix', id, '--action', 'reparent', '--parent', 'agent/parent']);
    expect(done.code).toBe(0);
    const { body } = await rollcall.get('/api/v1/entities/agent/child');
    expect(body.parent).toEqual({ entity_type: 'agent', entity_id: 'parent' });
  });

  test('moves an entity to a state', async () => {
    await rollcall.post('/api/v1/entities', { entity_type: 'service', entity_id: 'slow' });
    rollcall.clock.advance(365 * 86_400_000);
    const { id, kind } = await gapOf('slow');
    expect(kind).toBe('stuck');
    await run(['gaps', 'fix', id, '--action', 'set_state', '--state', 'inactive']);
    const { body } = await rollcall.get('/api/v1/entities/service/slow');
    expect(body.current_state).toBe('inactive');
  });

  test('names the actions that would help when the chosen one does not', async () => {
    await seen('orders');
    const { id } = await gapOf('orders');
    const { code, stderr } = await run(['gaps', 'fix', id, '--action', 'detach']);
    expect(code).toBe(1);
    expect(stderr).toContain('Choose one of: register, mute');
  });
});

describe('rollcall gaps fix --dry-run, fixes and undo', () => {
  test('shows what would change and changes nothing', async () => {
    await seen('orders');
    const { id } = await gapOf('orders');
    const { code, stdout } = await run(['gaps', 'fix', id.slice(0, 13), '--dry-run']);
    expect(code).toBe(0);
    expect(stdout).toContain('Would be done (register): Register orders as workflow.');
    expect(stdout).toContain('workflow/orders current_state: nothing → active');
    expect(stdout).toContain('The gap would be closed:');
    expect((await rollcall.get('/api/v1/entities/workflow/orders')).status).toBe(404);
  });

  test('undo by the beginning of the fix’s id brings the gap back', async () => {
    await seen('orders');
    const { id } = await gapOf('orders');
    const { stdout } = await run(['gaps', 'fix', id]);
    const [, fix = ''] = /Undo: rollcall gaps undo ([0-9a-f]{8})/.exec(stdout) ?? [];
    const listed = await run(['gaps', 'fixes', '--status', 'done']);
    expect(listed.stdout).toMatch(new RegExp(`${fix} +done +unregistered +workflow/orders`));
    const undone = await run(['gaps', 'undo', fix]);
    expect([undone.code, undone.stdout]).toEqual([0, expect.stringContaining('The gap is open')]);
    expect(await gaps('--id', 'orders')).toHaveLength(1);
    expect((await run(['gaps', 'undo', fix])).stderr).toContain('was undone by');
    expect((await run(['gaps', 'retry', fix])).code).toBe(1);
  });

  test('fixes all that fit, after a dry run that says the same', async () => {
    await seen('orders');
    await seen('bills');
    const all = ['gaps', 'fix', '--kind', 'unregistered', '--all'];
    await gaps();
    const dry = await run([...all, '--dry-run']);
    expect([dry.code, dry.stdout]).toEqual([0, expect.stringContaining('3 gaps would be fixed.')]);
    expect((await run(all)).stderr).toContain('needs --yes');
    expect(await gaps()).toHaveLength(3);
    const done = await run([...all, '--yes']);
    expect([done.code, done.stdout]).toEqual([0, expect.stringContaining('3 gaps fixed.')]);
    expect(await gaps()).toHaveLength(0);
    expect((await run([...all, '--yes'])).stdout).toBe('No gap fits.\n');
  });

  test('ends with 1 when some were refused, and says why', async () => {
    await seen('orders');
    await gaps();
    const all = ['gaps', 'fix', '--all', '--yes', '--action', 'detach'];
    const { code, stdout } = await run(all);
    expect(code).toBe(1);
    expect(stdout).toContain('detach does not help against a gap of kind unregistered');
    expect(stdout).toContain('0 gaps fixed, 2 refused.');
  });

  test('asks for an id or for all, not both and not neither', async () => {
    for (const args of [[], ['abc', '--all'], ['abc', '--kind', 'silent'], ['--kind', 'silent']]) {
      const { code, stderr } = await run(['gaps', 'fix', ...args]);
      expect([code, stderr]).toEqual([2, expect.stringContaining('--all with a filter')]);
    }
  });
});

describe('rollcall gaps show, mute and unmute', () => {
  test('show tells the evidence and every fix as a command', async () => {
    await seen('orders');
    const { id } = await gapOf('orders');
    const { code, stdout } = await run(['gaps', 'show', id]);
    expect(code).toBe(0);
    expect(stdout).toContain('last_peer: pdf');
    expect(stdout).toContain(`rollcall gaps fix ${id.slice(0, 8)} --action register\n`);
    expect(stdout).toContain('--action mute --reason TEXT --until WHEN');
  });

  test('mute takes a gap from the list until a date, unmute brings it back', async () => {
    await seen('orders');
    const { id } = await gapOf('orders');
    const muted = await run([
      'gaps',
      'mute',
      id.slice(0, 13),
      '--reason',
      'known',
      '--until',
      '7d',
    ]);
    expect(muted.code).toBe(0);
    expect(muted.stdout).toMatch(/is muted until \d{4}-\d\d-\d\d .*: known\n$/);
    expect(await gaps('--id', 'orders')).toEqual([]);
    expect(await gaps('--state', 'muted')).toMatchObject([{ id, mute_reason: 'known' }]);
    const back = await run(['gaps', 'unmute', id.slice(0, 13)]);
    expect([back.code, back.stdout]).toEqual([0, expect.stringContaining('is open again')]);
    expect(await gaps('--id', 'orders')).toHaveLength(1);
  });

  test('mute refuses an end in the past', async () => {
    await seen('orders');
    const { id } = await gapOf('orders');
    const { code, stderr } = await run([
      'gaps',
      'mute',
      id,
      '--reason',
      'x',
      '--until',
      '2020-01-01',
    ]);
    expect(code).toBe(1);
    expect(stderr).toContain('until (--until)');
  });
});

describe('the beginning of an id', () => {
  test('that fits several gaps ends with 2 and names them', async () => {
    // Of 17 ids two begin with the same digit.
    for (let n = 0; n < 16; n++) await seen(`source-${n}`);
    const ids = (await gaps('--all')).map(({ id }) => id);
    const digit = ids.map(([first]) => first as string).find((d, at, all) => all.indexOf(d) !== at);
    const { code, stdout, stderr } = await run(['gaps', 'fix', digit as string]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    for (const id of ids) expect(stderr.includes(id)).toBe(id.startsWith(digit as string));
    const { code: again, stderr: json } = await run(['gaps', 'fix', digit as string, '--json']);
    expect([again, JSON.parse(json).code]).toEqual([2, 'ambiguous_id']);
  });

  test('that fits none ends with 1, and what is no id with 2', async () => {
    const none = await run(['gaps', 'fix', 'abc']);
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('rollcall gaps list')]);
    expect((await run(['gaps', 'fix', 'orders'])).code).toBe(2);
  });

  test('that is a whole id of no gap ends with the server’s answer', async () => {
    const { code, stderr } = await run(['gaps', 'show', '00000000-0000-4000-8000-000000000000']);
    expect([code, stderr]).toEqual([1, expect.stringContaining('There is no gap')]);
  });
});
