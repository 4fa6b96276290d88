import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandFor } from '../../../test/rollcall/command.ts';
import { startTestRollcall, type TestRollcall } from '../../../test/rollcall/start.ts';

let rollcall: TestRollcall;
let run: ReturnType<typeof commandFor>;
let folder: string;
beforeAll(async () => {
  rollcall = await startTestRollcall();
  run = commandFor(rollcall);
  folder = await mkdtemp(join(tmpdir(), 'rollcall-audit-'));
  await rollcall.post('/api/v1/entities', { entity_type: 'team', entity_id: 'support' });
  rollcall.clock.advance(60_000);
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await rollcall.stop();
});

describe('rollcall audit', () => {
  test('prints Markdown of the last week', async () => {
    const { code, stdout, stderr } = await run(['audit']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^# Rollcall audit\n/);
    expect(stdout).toContain('## Appeared (1)');
    expect(stdout).toContain('[support](/api/v1/entities/team/support)');
  });

  test('writes a page to a file and prints nothing', async () => {
    const file = join(folder, 'audit.html');
    const { code, stdout, stderr } = await run(['audit', '--format', 'html', '--out', file]);
    expect([code, stdout, stderr]).toEqual([0, '', `Written to ${file}\n`]);
    expect(await readFile(file, 'utf8')).toMatch(/^<!doctype html>[^]*<\/html>\n$/);
  });

  test.each([
    [['--json']],
    [['--format', 'json', '--since', '2001-01-01']],
    [['--format', 'json', '--since', '52w']],
  ])('prints JSON for %j', async (more) => {
    const { stdout } = await run(['audit', ...more]);
    expect(JSON.parse(stdout).sections.appeared.items).toMatchObject([{ entity_id: 'support' }]);
  });

  test.each([
    [['--since', 'yesterday'], 2, 'Give a date'],
    [['--format', 'pdf'], 2, 'Allowed choices are json, md, html'],
    [['--since', '2199-01-01'], 1, '--since'],
    [['--out', '/nowhere/a.md'], 1, '/nowhere/a.md cannot be written'],
  ] as const)('%j fails with %d and says why', async (more, code, words) => {
    const ended = await run(['audit', ...more]);
    expect(ended.code).toBe(code);
    expect(ended.stdout).toBe('');
    expect(ended.stderr).toContain(words);
  });

  test('needs a key that may', async () => {
    const key = await rollcall.keyFor('default', ['gaps:read']);
    const { code, stderr } = await run(['audit'], { env: { ROLLCALL_API_KEY: key } });
    expect(code).toBe(1);
    expect(stderr).toContain('registry:read');
  });
});
