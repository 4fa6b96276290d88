import { commandFor } from '../../../test/rollcall/command.ts';
import { startTestRollcall, type TestRollcall } from '../../../test/rollcall/start.ts';

let rollcall: TestRollcall;
let run: ReturnType<typeof commandFor>;
beforeEach(async () => {
  rollcall = await startTestRollcall();
  run = commandFor(rollcall);
});
afterEach(() => rollcall.stop());

describe('rollcall gaps simulate', () => {
  test('tells what would come, when and why', async () => {
    const slow = { entity_type: 'service', entity_id: 'slow', current_state: 'active' };
    await rollcall.post('/api/v1/entities', { ...slow, silent_after_seconds: 3600 });
    const { code, stdout } = await run(['gaps', 'simulate', '--ahead', '2h']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^WHEN +SEVERITY +GRADE +KIND +ENTITY +WHY\n/);
    expect(stdout).toMatch(/critical +certain +silent +service\/slow +its own limit\n/);
    expect(stdout).toMatch(/1 gap by .* if nothing reported\.\n$/);
    const none = await run(['gaps', 'simulate', '--ahead', '30m']);
    expect(none.stdout).toMatch(/^Nothing would be missing by /);
    const json = JSON.parse((await run(['gaps', 'simulate', '--ahead', '1d', '--json'])).stdout);
    expect(json).toMatchObject({ total: 1, items: [{ kind: 'silent' }] });
  });

  test('asks how far to look', async () => {
    expect((await run(['gaps', 'simulate'])).code).toBe(2);
  });
});

describe('what a gap explains', () => {
  test('is told below the table and by show, and not listed', async () => {
    const limit = { silent_after_seconds: 60, current_state: 'active' };
    const parent = { entity_type: 'team', entity_id: 'sales' };
    await rollcall.post('/api/v1/entities', { ...parent, ...limit });
    await rollcall.post('/api/v1/entities', {
      entity_type: 'agent',
      entity_id: 'a',
      parent,
      ...limit,
    });
    rollcall.clock.advance(120_000);
    const { stdout } = await run(['gaps', 'list']);
    expect(stdout).toContain('(+1 below)');
    expect(stdout).not.toContain('agent/a');
    expect(stdout).toContain('1 more is explained by these: --state inhibited');
    const [{ id }] = JSON.parse((await run(['gaps', 'list', '--json'])).stdout).items;
    const shown = (await run(['gaps', 'show', id])).stdout;
    expect(shown).toMatch(/Explains\n {2}silent +agent\/a/);
    expect(shown).toMatch(/History\n {2}.* opened/);
  });
});
