import { commandFor } from '../../../test/rollcall/command.ts';
import { startTestRollcall, type TestRollcall } from '../../../test/rollcall/start.ts';

let rollcall: TestRollcall;
let run: ReturnType<typeof commandFor>;
beforeAll(async () => {
  rollcall = await startTestRollcall();
  run = commandFor(rollcall);
});
afterAll(() => rollcall.stop());

describe('rollcall projects', () => {
  test('create makes a project, and the second time says that it is there', async () => {
    const first = await run(['projects', 'create', 'lab', '--name', 'Laboratory']);
    expect([first.code, first.stdout]).toEqual([0, 'Made the project lab (Laboratory).\n']);
    const again = await run(['projects', 'create', 'lab']);
    expect([again.code, again.stdout]).toEqual([
      0,
      'Already there: the project lab (Laboratory).\n',
    ]);
  });

  test('list shows ids and names', async () => {
    await run(['projects', 'create', 'listed', '--name', 'Listed one']);
    const { code, stdout } = await run(['projects', 'list']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^default +Default /m);
    expect(stdout).toMatch(/^listed +Listed one /m);
  });

  test('answer JSON for programs', async () => {
    const made = await run(['projects', 'create', 'program', '--json']);
    expect(JSON.parse(made.stdout)).toMatchObject({
      outcome: 'created',
      project: { project_id: 'program', name: 'program' },
    });
    const { items } = JSON.parse((await run(['projects', 'list', '--json'])).stdout);
    expect(items).toContainEqual(expect.objectContaining({ project_id: 'program' }));
  });

  test('create says what is wrong with an id', async () => {
    const { code, stderr } = await run(['projects', 'create', 'no spaces']);
    expect([code, stderr]).toEqual([1, expect.stringContaining('project_id')]);
  });
});
