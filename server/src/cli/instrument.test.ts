import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm, stat, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { instrumentWorkflow } from '../../../client/src/instrument/index.ts';
import { spawnRollcall } from '../../../test/rollcall/command.ts';

const FIXTURES = new URL('../../../test/fixtures/workflows/', import.meta.url).pathname;
const REAL = join(FIXTURES, '05-query-perplexity-ai-from-your-n8n-workflows.json');

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rollcall-instrument-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** No server and no key: it needs neither. */
const run = (args: string[], input?: string) =>
  spawnRollcall(['instrument', ...args], { cwd: folder, input }).ended;
const read = (name: string) => readFileSync(join(folder, name), 'utf8');

test('prints the instrumented workflow in a pipe, and what came on standard error', async () => {
  const { code, stdout, stderr } = await run([REAL]);
  const { workflow, inserted } = instrumentWorkflow(JSON.parse(readFileSync(REAL, 'utf8')));
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual(workflow);
  expect(stderr).toContain(`${inserted.length} nodes come.`);
  for (const { name, after } of inserted) expect(stderr).toContain(`+ ${name}  after ${after}`);
});

test('in place and out again gives back the file byte for byte, in its own indentation', async () => {
  for (const indent of [undefined, 2, 4, '\t']) {
    for (const end of ['', '\n']) {
      const text = JSON.stringify(JSON.parse(readFileSync(REAL, 'utf8')), null, indent) + end;
      writeFileSync(join(folder, 'w.json'), text);
      expect(await run(['w.json', '--in-place'])).toMatchObject({ code: 0 });
      expect(read('w.json')).not.toBe(text);
      expect(await run(['w.json', '--in-place', '--remove'])).toMatchObject({ code: 0 });
      expect(read('w.json')).toBe(text);
    }
  }
});

test('--check ends with 4 while something would change, and writes nothing', async () => {
  writeFileSync(join(folder, 'w.json'), readFileSync(REAL));
  const before = read('w.json');
  const asked = await run(['w.json', '--check']);
  expect([asked.code, read('w.json')]).toEqual([4, before]);
  expect(asked.stdout).toContain('+ Rollcall start');
  await run(['w.json', '--in-place']);
  expect(await run(['w.json', '--check'])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('nothing to change'),
  });
  expect((await run(['w.json', '--check', '--remove'])).code).toBe(4);
});

test('a file in which nothing changes keeps its time', async () => {
  await run([REAL, '--out', 'w.json']);
  const past = new Date('2020-01-01T00:00:00Z');
  await utimes(join(folder, 'w.json'), past, past);
  await run(['w.json', '--in-place']);
  expect((await stat(join(folder, 'w.json'))).mtime).toEqual(past);
});

test('--out writes elsewhere; an export of several stays one', async () => {
  const several = [1, 2].map(() => JSON.parse(readFileSync(REAL, 'utf8')));
  const { code, stdout } = await run(['-', '--out', 'all.json'], JSON.stringify(several));
  expect(code).toBe(0);
  expect(stdout).toContain('Item 2 of Standard input');
  expect(stdout).toContain('Written: all.json');
  expect(JSON.parse(read('all.json'))).toEqual(
    several.map((one) => instrumentWorkflow(one).workflow),
  );
});

test('--json tells programs what came and went', async () => {
  const { stdout } = await run([REAL, '--json', '--credential', 'Roll', '--no-register']);
  const result = JSON.parse(stdout);
  expect(result).toMatchObject({ changed: true, removed: [] });
  expect(result.inserted.map(({ role }: { role: string }) => role)).not.toContain('register');
  expect(JSON.stringify(result.workflow)).toContain('"name":"Roll"');
});

test.each([
  ['a file that is not there', ['nothing.json'], 2, /cannot be read/, ''],
  ['no JSON', ['-'], 2, /is not JSON/, '{'],
  ['a list of numbers', ['-'], 2, /must hold the JSON of a workflow/, '[1]'],
  ['no workflow', ['-'], 2, /nodes: must be a list/, '{"name": "x"}'],
  ['standard input in place', ['-', '--in-place'], 2, /--in-place needs a file/, '{}'],
  ['two places', [REAL, '--in-place', '--out', 'x'], 2, /cannot be used with/, ''],
  ['a place that cannot be', [REAL, '--out', 'no/such/folder/x'], 1, /cannot be written/, ''],
])('%s is refused', async (_what, args, expected, says, input) => {
  const { code, stdout, stderr } = await run(args, input);
  expect([code, stdout]).toEqual([expected, '']);
  expect(stderr).toMatch(says);
});
