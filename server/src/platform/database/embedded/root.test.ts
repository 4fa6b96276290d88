import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { ask, makeScratch, type Scratch } from '../../../../../test/cluster/scratch.ts';
import { NOBODY, runsAsRoot } from './account.ts';

const asRoot = runsAsRoot() ? it : it.skip;
if (!runsAsRoot())
  console.warn('Skipped: what only root can try, a user that cannot reach a folder');

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
});
