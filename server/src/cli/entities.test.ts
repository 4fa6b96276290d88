import { commandFor } from '../../../test/rollcall/command.ts';
import { startTestRollcall, type TestRollcall } from '../../../test/rollcall/start.ts';

let rollcall: TestRollcall;
let run: ReturnType<typeof commandFor>;
const entities = [
  { entity_type: 'team', entity_id: 'billing', entity_name: 'Billing', current_state: 'active' },
  {
    entity_type: 'workflow',
    entity_id: 'a/b',
    entity_name: 'Invoices 請求書',
    description: 'Sends them',
    current_state: 'active',
    health_status: 'healthy',
    tags: ['money'],
    capabilities: ['trigger:webhook'],
    parent: { entity_type: 'team', entity_id: 'billing' },
    dependencies: [{ entity_type: 'mcp_server', entity_id: 'pdf' }],
  },
  { entity_type: 'mcp_server', entity_id: 'pdf', entity_name: 'PDF \u001b[31m\nmaker' },
];
beforeAll(async () => {
  rollcall = await startTestRollcall();
  run = commandFor(rollcall);
  for (const entity of entities) await rollcall.post('/api/v1/entities', entity);
});
afterAll(() => rollcall.stop());

const ids = async (...filters: string[]): Promise<string[]> => {
  const { stdout } = await run(['entities', 'list', '--json', ...filters]);
  return JSON.parse(stdout).items.map(({ entity_id }: { entity_id: string }) => entity_id);
};

describe('rollcall entities list', () => {
  test('shows a table, by name, that no name can break', async () => {
    const { code, stdout } = await run(['entities', 'list']);
    expect(code).toBe(0);
    expect(stdout).toBe(
      [
        'TYPE        ID       NAME             STATE    HEALTH   LAST SEEN  PARENT',
        'team        billing  Billing          active   unknown  never',
        'workflow    a/b      Invoices 請求書  active   healthy  never      team/billing',
        'mcp_server  pdf      PDF ·[31m maker  created  unknown  never',
        '',
        '3 entities.',
        '',
      ].join('\n'),
    );
  });

  test.each([
    [['--type', 'team'], ['billing']],
    [['--state', 'created'], ['pdf']],
    [['--health', 'healthy'], ['a/b']],
    [['--tag', 'money'], ['a/b']],
    [['--capability', 'trigger:webhook'], ['a/b']],
    [['--parent', 'team/billing'], ['a/b']],
    [['--text', 'invoice'], ['a/b']],
    [['--type', 'team', '--text', 'invoice'], []],
  ])('%j finds what fits', async (filters, expected) => {
    expect(await ids(...filters)).toEqual(expected);
  });

  test('says what to do when nothing fits', async () => {
    const { code, stdout } = await run(['entities', 'list', '--type', 'robot']);
    expect([code, stdout]).toEqual([0, expect.stringContaining('rollcall entities register')]);
  });

  test('names the option of a filter that the server does not accept', async () => {
    const { code, stderr } = await run(['entities', 'list', '--type', 'No Type']);
    expect(code).toBe(1);
    expect(stderr).toContain('entity_type (--type): must be a lower-case');
  });

  test('says when there is more, and shows it all when asked', async () => {
    expect(await ids('--limit', '2')).toHaveLength(2);
    const { stdout } = await run(['entities', 'list', '--limit', '2']);
    expect(stdout).toContain('2 entities, and more: add --all');
    expect(await ids('--all')).toHaveLength(3);
  });

  test('reads page after page', async () => {
    await rollcall.sql(
      `select rollcall_api.register_entity('default', jsonb_build_object('entity_type', 'agent', 'entity_id', i::text), 'test')
         from generate_series(1, 1201) i`,
    );
    expect(new Set(await ids('--all', '--type', 'agent')).size).toBe(1201);
    expect(await ids('--limit', '700', '--type', 'agent')).toHaveLength(700);
  });
});

describe('rollcall entities show', () => {
  test('shows the fields, the relations and the states of an entity', async () => {
    await rollcall.put('/api/v1/entities/workflow/a%2Fb/state', {
      new_state: 'inactive',
      reason: 'holidays',
    });
    const { code, stdout } = await run(['entities', 'show', 'workflow', 'a/b']);
    expect(code).toBe(0);
    for (const text of [
      'Invoices 請求書  workflow/a/b',
      'inactive, healthy',
      'description   Sends them',
      'tags          money',
      'below         team/billing',
      'depends on    mcp_server/pdf',
      'active → inactive  by default admin: holidays',
    ]) {
      expect(stdout).toContain(text);
    }
    expect((await run(['entities', 'show', 'workflow/a/b'])).stdout).toBe(stdout);
  });

  test('prints for programs what the server says, and the states', async () => {
    const { stdout } = await run(['entities', 'show', 'mcp_server', 'pdf', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      entity_id: 'pdf',
      depended_on_by: [{ entity_type: 'workflow', entity_id: 'a/b' }],
      states: [{ from_state: null, to_state: 'created' }],
    });
  });

  test('says so when there is none', async () => {
    const { code, stderr } = await run(['entities', 'show', 'workflow', 'gone']);
    expect([code, stderr]).toEqual([1, expect.stringContaining("no workflow 'gone'")]);
  });

  test('needs an id', async () => {
    expect((await run(['entities', 'show', 'workflow'])).code).toBe(2);
  });
});
