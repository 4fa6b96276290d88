import * as fs from 'node:fs';
import { join } from 'node:path';
import { ask, makeScratch, type Scratch } from '../../../../../test/cluster/scratch.ts';
import { startOf } from './processes.ts';

let scratch: Scratch;
beforeEach(() => {
  scratch = makeScratch();
});
afterEach(() => scratch.clear());

const inData = (...names: string[]) => join(scratch.dataDir, 'postgres', ...names);

describe('the embedded database', () => {
  it('is made at the first start and answers queries', async () => {
    const { url } = await scratch.start();
    const rows = await ask(
      url,
      `SELECT current_user AS name, current_database() AS database,
              current_setting('server_encoding') AS encoding, datcollate AS locale
       FROM pg_database WHERE datname = current_database()`,
    );
    expect(rows).toEqual([
      { name: 'rollcall', database: 'rollcall', encoding: 'UTF8', locale: 'C' },
    ]);
  });

  it('keeps what was acknowledged on disk and listens to nobody on the network', async () => {
    const { url } = await scratch.start();
    const names = ['fsync', 'full_page_writes', 'listen_addresses', 'synchronous_commit'];
    const rows = await ask(
      url,
      `SELECT setting FROM pg_settings WHERE name = ANY ('{${names.join()}}') ORDER BY name`,
    );
    const network = process.platform === 'win32' ? '127.0.0.1' : '';
    expect(rows).toEqual(['on', 'on', network, 'on'].map((setting) => ({ setting })));
  });

  it('keeps its rows over a restart', async () => {
    const first = await scratch.start();
    await ask(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.stop();
    const second = await scratch.start();
    expect(await ask(second.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  it('leaves no process behind when stopped, and may be stopped twice', async () => {
    const server = await scratch.start();
    expect(startOf(server.pid)).toBeDefined();
    await Promise.all([server.stop(), server.stop()]);
    expect(startOf(server.pid)).toBeUndefined();
    expect(fs.existsSync(inData('postmaster.pid'))).toBe(false);
  });

  it('tells when it dies by itself, and keeps its rows', async () => {
    const server = await scratch.start();
    await ask(server.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    process.kill(server.pid, 'SIGKILL');
    expect(await server.exited).toEqual({ code: null, signal: 'SIGKILL' });
    const next = await scratch.start();
    expect(await ask(next.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  it('starts below a path that is too long for a socket', async () => {
    const deep = makeScratch({ name: join('x'.repeat(100), 'data') });
    try {
      for (let round = 0; round < 2; round++) {
        const { url, stop } = await deep.start();
        expect(await ask(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
        await stop();
      }
    } finally {
      await deep.clear();
    }
  });

  it('starts below a path with spaces, commas and quotes', async () => {
    const odd = makeScratch({ name: `a "b", c's%20 d` });
    try {
      const { url } = await odd.start();
      expect(await ask(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    } finally {
      await odd.clear();
    }
  });

  it('refuses the data of another major version and says how to move them', async () => {
    await (await scratch.start()).stop();
    fs.writeFileSync(inData('PG_VERSION'), '16\n');
    await expect(scratch.start()).rejects.toMatchObject({
      code: 'wrong_version',
      message: expect.stringMatching(/is of PostgreSQL 16, .* PostgreSQL 17, .*pg_dump/),
    });
  });

  it('refuses a folder with files that are no database, and leaves them alone', async () => {
    fs.mkdirSync(inData(), { recursive: true });
    fs.writeFileSync(inData('notes.txt'), 'mine');
    await expect(scratch.start()).rejects.toMatchObject({ code: 'data_folder_unusable' });
    expect(fs.readFileSync(inData('notes.txt'), 'utf8')).toBe('mine');
  });

  it('shows the end of its log when it cannot start', async () => {
    await (await scratch.start()).stop();
    fs.writeFileSync(inData('postgresql.conf'), 'no_such_setting = 1\n');
    await expect(scratch.start()).rejects.toMatchObject({
      code: 'start_failed',
      message: expect.stringContaining('no_such_setting'),
    });
  });

  it('keeps a long log aside instead of adding to it', async () => {
    const log = join(scratch.dataDir, 'postgres.log');
    await (await scratch.start()).stop();
    fs.truncateSync(log, 5 * 1024 * 1024);
    await (await scratch.start()).stop();
    expect(fs.statSync(log).size).toBeLessThan(100_000);
    expect(fs.statSync(`${log}.1`).size).toBe(5 * 1024 * 1024);
  });
});
