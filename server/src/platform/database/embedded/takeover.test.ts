import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { join } from 'node:path';
import {
  ask,
  makeScratch,
  spawnHolder,
  type Scratch,
} from '../../../../../test/cluster/scratch.ts';
import { NOBODY, runsAsRoot } from './account.ts';
import { ended, startOf } from './processes.ts';

let scratch: Scratch;
beforeEach(() => {
  scratch = makeScratch();
});
afterEach(() => scratch.clear());

const postmasterFile = () => join(scratch.dataDir, 'postgres', 'postmaster.pid');

/** PostgreSQL only minds processes that its own user may signal. */
const account = () => (runsAsRoot() ? NOBODY : {});

/** A living program that has nothing to do with the database, but might have its number. */
async function spawnStranger(): Promise<ChildProcess & { pid: number }> {
  const stranger = spawn('sleep', ['600'], { ...account(), stdio: 'ignore' });
  await once(stranger, 'spawn');
  return stranger as ChildProcess & { pid: number };
}

describe('a data folder', () => {
  it('is refused to a second server, which is told who has it and where', async () => {
    const holder = await scratch.startElsewhere();
    const refusal = scratch.start();
    await expect(refusal).rejects.toMatchObject({ code: 'already_running' });
    await expect(refusal).rejects.toThrow(`pid ${holder.process.pid}`);
    await expect(refusal).rejects.toThrow(scratch.dataDir);
    await expect(refusal).rejects.toThrow('ROLLCALL_DATA_DIR');
    expect(await ask(holder.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('is refused to the same process until it has stopped', async () => {
    const first = await scratch.start();
    await expect(scratch.start()).rejects.toMatchObject({ code: 'already_running' });
    await first.stop();
    await expect(scratch.start()).resolves.toBeDefined();
  });

  it('is taken over from a killed server, whose database is stopped and keeps its rows', async () => {
    const holder = await scratch.startElsewhere();
    await ask(holder.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await holder.kill();
    expect(startOf(holder.pid)).toBeDefined();

    const server = await scratch.start();
    expect(startOf(holder.pid)).toBeUndefined();
    expect(await ask(server.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    expect(scratch.warnings.join()).toContain('killed Rollcall');
  });

  it('is not blocked by a file of a dead database whose pid another program has now', async () => {
    const first = await scratch.start();
    const file = fs.readFileSync(postmasterFile(), 'utf8');
    await first.stop();
    const stranger = await spawnStranger();
    try {
      fs.writeFileSync(postmasterFile(), file.replace(/^\d+/, String(stranger.pid)));
      const next = await scratch.start();
      expect(await ask(next.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
      expect(startOf(stranger.pid)).toBeDefined();
    } finally {
      stranger.kill();
    }
  });

  it('is not blocked by a dead database that nobody has reaped', async () => {
    const first = await scratch.start();
    const file = fs.readFileSync(postmasterFile(), 'utf8');
    await first.stop();
    const script = 'sleep 0 & echo $!; exec sleep 600';
    const parent = spawn('sh', ['-c', script], {
      ...account(),
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    try {
      const [output] = (await once(parent.stdout, 'data')) as [Buffer];
      const zombie = Number(output);
      await ended(zombie, 10_000);
      expect(() => process.kill(zombie, 0)).not.toThrow();
      fs.writeFileSync(postmasterFile(), file.replace(/^\d+/, String(zombie)));
      const next = await scratch.start();
      expect(await ask(next.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    } finally {
      parent.kill();
    }
  });

  it('is not blocked by a dead owner whose pid another program has now', async () => {
    const holder = await scratch.startElsewhere();
    const ownerFile = join(scratch.dataDir, 'owner.json');
    const owner = JSON.parse(fs.readFileSync(ownerFile, 'utf8')) as object;
    await holder.kill();
    const stranger = await spawnStranger();
    try {
      fs.writeFileSync(ownerFile, JSON.stringify({ ...owner, pid: stranger.pid }));
      await expect(scratch.start()).resolves.toBeDefined();
      expect(startOf(stranger.pid)).toBeDefined();
    } finally {
      stranger.kill();
    }
  });

  it('recovers when the first start was killed while it made the database', async () => {
    fs.mkdirSync(scratch.dataDir, { mode: 0o711 });
    const draftBegun = new Promise<void>((resolve) => {
      const watcher = fs.watch(scratch.dataDir, (_, name) => {
        if (!name?.startsWith('postgres.new')) return;
        watcher.close();
        resolve();
      });
    });
    const starting = spawnHolder(scratch.dataDir);
    const ended = once(starting, 'exit');
    await draftBegun;
    starting.kill('SIGKILL');
    await ended;
    expect(fs.existsSync(join(scratch.dataDir, 'postgres'))).toBe(false);

    const server = await scratch.start();
    expect(await ask(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('loses what an interrupted first start left there', async () => {
    const draft = join(scratch.dataDir, 'postgres.new-abc123');
    fs.mkdirSync(join(draft, 'base'), { recursive: true });
    fs.writeFileSync(join(draft, 'PG_VERSION'), '17\n');
    fs.chmodSync(scratch.dataDir, 0o711);
    await scratch.start();
    expect(fs.existsSync(draft)).toBe(false);
  });
});
