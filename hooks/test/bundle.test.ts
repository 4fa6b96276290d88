import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HOOKS_VERSION } from '../src/version.ts';

const ROOM = join(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'rollcall-bundle-'));
const BUNDLE = join(folder, 'rollcall-hooks.cjs');

beforeAll(() => {
  const built = spawnSync(process.execPath, ['build.js', BUNDLE], { cwd: ROOM, encoding: 'utf8' });
  expect(built).toMatchObject({ status: 0, stderr: '' });
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Loads the bundle as n8n does, in a process of its own. */
function load(environment: Record<string, string>, then = '') {
  const script = `
    const file = require(${JSON.stringify(BUNDLE)});
    const hooks = Object.entries(file).flatMap(([resource, operations]) =>
      Object.entries(operations).flatMap(([operation, calls]) =>
        calls.map((call) => (typeof call === 'function' ? resource + '.' + operation : 'no function'))));
    console.log(JSON.stringify(hooks));
    ${then}`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', script], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: folder, ...environment },
  });
  return { status, stderr, hooks: JSON.parse(stdout.split('\n')[0] ?? '') as string[] };
}

const KEY = { ROLLCALL_API_KEY: 'rc_abcdefghijklmnop' };

test('n8n finds every hook in one file that needs nothing beside it', () => {
  expect(load(KEY)).toEqual({
    status: 0,
    stderr: '',
    hooks: [
      'n8n.ready',
      'n8n.stop',
      'worker.ready',
      'workflow.afterCreate',
      'workflow.afterUpdate',
      'workflow.activate',
      'workflow.deactivate',
      'workflow.afterArchive',
      'workflow.afterUnarchive',
      'workflow.afterDelete',
      'workflow.postExecute',
    ],
  });
  const needed = [...readFileSync(BUNDLE, 'utf8').matchAll(/require\("([^"]+)"\)/g)];
  expect(new Set(needed.map(([, name]) => name))).toEqual(
    new Set(['node:crypto', 'node:fs', 'node:path']),
  );
});

test.each([
  ['no key', {}, 'Rollcall: ROLLCALL_API_KEY is not set, so nothing is reported.\n'],
  [
    'a key of two lines',
    { ROLLCALL_API_KEY: 'rc_a\nb' },
    'Rollcall: ROLLCALL_API_KEY is not a key, so nothing is reported.\n',
  ],
  [
    'an address that is none',
    { ...KEY, ROLLCALL_URL: 'rollcall.example' },
    'Rollcall: ROLLCALL_URL is not an http or https address, so nothing is reported.\n',
  ],
  ['switched off', { ...KEY, ROLLCALL_HOOKS_DISABLED: 'true' }, ''],
])('with %s n8n starts, no hook is there, and one line says so', (_, environment, line) => {
  expect(load(environment)).toEqual({ status: 0, stderr: line, hooks: [] });
});

test('nothing of it keeps a process alive that has come to its end', () => {
  const context = '{ dbCollections: { Workflow: { find: () => new Promise(() => {}) } } }';
  const { status } = load(
    { ...KEY, ROLLCALL_URL: 'http://127.0.0.1:9' },
    `file.n8n.ready[0].call(${context});
     file.workflow.activate[0].call(${context}, { id: 'w1' });
     file.workflow.postExecute[0].call(${context}, { status: 'success' }, { id: 'w1' }, '1');`,
  );
  expect(status).toBe(0);
});

test('it says of what version it is', () => {
  const { version } = JSON.parse(readFileSync(join(ROOM, 'package.json'), 'utf8')) as object & {
    version: string;
  };
  expect(HOOKS_VERSION).toBe(version);
});
