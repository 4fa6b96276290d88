import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandFor } from '../../../test/rollcall/command.ts';
import { startTestRollcall, type TestRollcall } from '../../../test/rollcall/start.ts';

let rollcall: TestRollcall;
let folder: string;
beforeAll(async () => {
  rollcall = await startTestRollcall();
  folder = mkdtempSync(join(tmpdir(), 'rollcall-register-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await rollcall.stop();
});

const register = (args: string[], input?: string) =>
  commandFor(rollcall)(['entities', 'register', ...args], input === undefined ? {} : { input });
const stored = async (type: string, id: string) =>
  (await rollcall.get(`/api/v1/entities/${type}/${id}`)).body;
const file = (name: string, content: unknown): string => {
  writeFileSync(join(folder, name), JSON.stringify(content));
  return join(folder, name);
};
const workflow = JSON.parse(
  readFileSync(new URL('../../../examples/01-hello-rollcall.json', import.meta.url), 'utf8'),
) as { id: string; name: string; active: boolean };

describe('rollcall entities register', () => {
  test('registers what the options say, and updates it the second time', async () => {
    const flags = ['--type', 'agent', '--id', 'writer', '--tag', 'a', '--tag', 'b'];
    const more = ['--name', 'Writer', '--capability', 'write', '--parent', 'team/press'];
    const first = await register([...flags, ...more, '--endpoint', 'http://writer.test/']);
    expect(first).toMatchObject({
      code: 0,
      stdout: 'Registered agent/writer (Writer), created.\n',
    });
    const second = await register([...flags, '--state', 'active']);
    expect(second).toMatchObject({ code: 0, stdout: 'Updated agent/writer (Writer), active.\n' });
    expect(await stored('agent', 'writer')).toMatchObject({
      entity_name: 'Writer',
      tags: ['a', 'b'],
      capabilities: ['write'],
      parent: { entity_type: 'team', entity_id: 'press' },
      endpoint_url: 'http://writer.test/',
      current_state: 'active',
    });
  });

  test('registers what a file holds, with the options over it', async () => {
    const path = file('one.json', { entity_type: 'service', entity_id: 'mail', version: '1' });
    const { code, stdout } = await register([path, '--name', 'Mail', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      outcome: 'created',
      entity: { entity_id: 'mail', entity_name: 'Mail', version: '1' },
    });
  });

  test('registers each item of standard input', async () => {
    const items = ['x', 'y'].map((entity_id) => ({ entity_type: 'service', entity_id }));
    const { code, stdout } = await register(
      ['-', '--tag', 'both', '--json'],
      JSON.stringify(items),
    );
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toHaveLength(2);
    expect((await stored('service', 'y')).tags).toEqual(['both']);
  });

  test('registers an n8n workflow with what its JSON tells, and without its pinned data', async () => {
    const pinned = { ...workflow, active: true, pinData: { Start: [{ json: { a: 1 } }] } };
    const { code } = await register(['--workflow', file('workflow.json', pinned)]);
    expect(code).toBe(0);
    expect(await stored('workflow', workflow.id)).toMatchObject({
      entity_name: workflow.name,
      current_state: 'active',
      capabilities: expect.arrayContaining([expect.stringMatching(/^trigger:/)]),
    });
  });

  test('registers every workflow of an n8n export', async () => {
    const all = [
      { ...workflow, id: 'on', active: true },
      { ...workflow, id: 'off', active: false },
      { ...workflow, id: 'old', active: false, isArchived: true },
    ];
    const { code, stdout } = await register(['--workflow', '-'], JSON.stringify(all));
    expect(code).toBe(0);
    expect(stdout.match(/(in)?active|archived/g)).toEqual(['active', 'inactive', 'archived']);
  });

  test('says which item failed, why, and how far it came', async () => {
    const items = [
      { entity_type: 'service', entity_id: 'good' },
      { entity_type: 'service', entity_id: 'bad', tags: 'one' },
    ];
    const { code, stderr } = await register(['-'], JSON.stringify(items));
    expect(code).toBe(1);
    expect(stderr).toContain('Item 2, service/bad');
    expect(stderr).toContain('tags (--tag)');
    expect(stderr).toContain('What stands before it is registered');
    expect((await stored('service', 'good')).entity_id).toBe('good');
  });

  test.each([
    ['no id', ['--type', 'agent'], 'Add --id.'],
    ['neither type nor id', [], 'Add --type and --id.'],
    ['a file that is not there', ['/nowhere.json'], 'cannot be read'],
    ['a file and a workflow', ['a.json', '--workflow', 'b.json'], 'not both'],
    ['an unknown state', ['--type', 'a', '--id', 'b', '--state', 'deleted'], 'Allowed choices'],
  ])('refuses %s', async (_, args, hint) => {
    expect(await register(args)).toMatchObject({ code: 2, stderr: expect.stringContaining(hint) });
  });

  test.each([
    ['no JSON', '{"entity_id"', 'is not JSON'],
    ['no object', '[1]', 'must hold a JSON object'],
    ['an empty list', '[]', 'holds no item'],
  ])('refuses %s on standard input', async (_, input, hint) => {
    const ended = await register(['-'], input);
    expect(ended).toMatchObject({ code: 2, stderr: expect.stringContaining(hint) });
  });

  test('refuses one id for several items', async () => {
    const { code, stderr } = await register(['-', '--id', 'same'], '[{}, {}]');
    expect([code, stderr]).toEqual([2, expect.stringContaining('fit only one')]);
  });
});
