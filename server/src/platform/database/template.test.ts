import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { folderForDatabases } from '../../../../test/cluster/folder.ts';
import { ask, makeScratch, type Scratch } from '../../../../test/cluster/scratch.ts';
import { NOBODY, runsAsRoot } from './embedded/account.ts';
import { migrate } from './migrate.ts';
import { fingerprint, readSchema } from './schema.ts';
import { makeTemplate, templateFolder } from './template.ts';

const log = { info() {}, warn() {}, error() {} };
const leftovers = () =>
  fs.readdirSync(tmpdir()).filter((name) => name.startsWith('rollcall-template-'));

const before = leftovers();

let home: string;
let template: string;
beforeAll(async () => {
  home = fs.mkdtempSync(join(folderForDatabases(), 'rollcall-templates-'));
  template = join(home, 'cache', 'cluster-now');
  fs.mkdirSync(join(home, 'cache', 'cluster-of-yesterday'), { recursive: true });
  await makeTemplate(template, log);
});
afterAll(() => fs.rmSync(home, { recursive: true, force: true }));

let scratch: Scratch;
beforeEach(() => {
  scratch = makeScratch();
});
afterEach(() => scratch.clear());

const drafts = () => fs.readdirSync(scratch.dataDir).filter((name) => name.includes('.new'));

test('a template is made once, for this user alone, and those of other versions go', async () => {
  expect(fs.readdirSync(join(home, 'cache'))).toEqual(['cluster-now']);
  expect(fs.statSync(template)).toMatchObject({ uid: process.getuid?.() });
  expect(fs.statSync(template).mode & 0o077).toBe(0);
  expect(fs.existsSync(join(template, 'postmaster.pid'))).toBe(false);
  expect(leftovers()).toEqual(before);
  const { mtimeMs } = fs.statSync(template);
  await makeTemplate(template, log);
  expect(fs.statSync(template).mtimeMs).toBe(mtimeMs);
});

test('a first start copies it: the schema is there, and each copy is its own', async () => {
  const first = await scratch.start({ template });
  expect(scratch.infos).toContainEqual(expect.objectContaining({ made: 'copied' }));
  expect(await ask(first.url, 'select tenant_id from rollcall.tenants')).toEqual([]);
  const began = new Date(Date.now() - 1000).toISOString();
  expect(await migrate(first.url)).toEqual({ applied: [] });
  // Not as old as the template: audits of weeks before it would be kept.
  const made = `select tenant_id, created_at >= '${began}' as now from rollcall.tenants`;
  expect(await ask(first.url, made)).toEqual([{ tenant_id: 'default', now: true }]);
  expect(await ask(first.url, 'select from rollcall.gap_rules')).toHaveLength(2);
  await ask(first.url, 'create table kept as select 42 as answer');
  expect(drafts()).toEqual([]);
  const data = fs.statSync(first.folder);
  expect(data.mode & 0o777).toBe(0o700);
  if (runsAsRoot()) expect(data.uid).toBe(NOBODY.uid);
  await first.stop();

  const other = makeScratch();
  try {
    const { url } = await other.start({ template });
    await expect(ask(url, 'select answer from kept')).rejects.toThrow('does not exist');
  } finally {
    await other.clear();
  }
  const again = await scratch.start({ template });
  expect(await ask(again.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
  expect(scratch.infos.at(-1)).toMatchObject({ made: false });
});

test.each([
  ['none', () => undefined],
  ['one that is gone', () => join(home, 'gone')],
  ['one of another PostgreSQL', () => copyWith('PG_VERSION', '12\n')],
  ['one that is no cluster', () => copyWith('PG_VERSION', null)],
])('without a usable template the database is made all the same: %s', async (_, folder) => {
  const { url } = await scratch.start({ template: folder() });
  expect(await ask(url, 'select 1 as one')).toEqual([{ one: 1 }]);
  expect(scratch.infos).toContainEqual(expect.objectContaining({ made: 'made' }));
  expect(drafts()).toEqual([]);
});

function copyWith(file: string, text: string | null): string {
  const copy = fs.mkdtempSync(join(home, 'broken-'));
  fs.cpSync(template, copy, { recursive: true });
  if (text === null) fs.rmSync(join(copy, file));
  else fs.writeFileSync(join(copy, file), text);
  return copy;
}

test('the one that is looked for is of this PostgreSQL and of this schema', async () => {
  const schema = await readSchema();
  const print = fingerprint(schema);
  expect(await templateFolder()).toMatch(
    new RegExp(`/\\.cache/rollcall/cluster-17\\.[^/]+-${print}$`),
  );
  const changed = { ...schema.disposable, checksum: 'another' };
  for (const other of [
    { ...schema, bootstrap: `${schema.bootstrap} ` },
    { ...schema, clear: '' },
    { ...schema, migrations: schema.migrations.slice(1) },
    { ...schema, disposable: changed },
  ]) {
    expect(fingerprint(other)).not.toBe(print);
  }
});
