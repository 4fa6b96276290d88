import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { derivedInstanceId, roleOf, versionOf } from '../src/instance.ts';
import { startProcess } from './n8n-process.ts';
import { startStandIn } from './rollcall-stand-in.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rollcall-hooks-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const facts = (environment: Record<string, string>, ...command: string[]) => ({
  environment,
  arguments: ['node', '/nowhere/bin/n8n', ...command],
});

/** What n8n's own code makes of a user folder, in a process of its own; it leaves its settings file there. */
function idByN8n(environment: Record<string, string>): string {
  const core = createRequire(import.meta.url).resolve('n8n-core');
  const script = `
    require(${JSON.stringify(createRequire(core).resolve('reflect-metadata'))});
    const { InstanceSettings } = require(${JSON.stringify(core)});
    const n8nFolder = ${JSON.stringify(join(folder, '.n8n'))};
    const logger = { info() {}, debug() {}, warn() {}, error() {} };
    const encryptionKey = process.env.N8N_ENCRYPTION_KEY ?? '';
    const config = { n8nFolder, userHome: ${JSON.stringify(folder)}, encryptionKey };
    console.log('id=' + new InstanceSettings(config, logger).instanceId);`;
  const output = execFileSync(process.execPath, ['-e', script], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: folder, N8N_USER_FOLDER: folder, ...environment },
  });
  return /^id=(.*)$/m.exec(output)?.[1] ?? '';
}

test('the instance id is the one that n8n derives, of a key that it made itself', () => {
  const id = idByN8n({});
  expect(id).toMatch(/^[0-9a-f]{64}$/);
  expect(derivedInstanceId(facts({ N8N_USER_FOLDER: folder }))).toBe(id);
});

test('and of a key that the operator gave', () => {
  const N8N_ENCRYPTION_KEY = 'an odd number of characters';
  const id = idByN8n({ N8N_ENCRYPTION_KEY });
  expect(derivedInstanceId(facts({ N8N_USER_FOLDER: folder, N8N_ENCRYPTION_KEY }))).toBe(id);
  const elsewhere = join(folder, 'nothing-here');
  expect(derivedInstanceId(facts({ N8N_USER_FOLDER: elsewhere, N8N_ENCRYPTION_KEY }))).toBe(id);
  const file = join(folder, 'key');
  writeFileSync(file, N8N_ENCRYPTION_KEY);
  expect(
    derivedInstanceId(facts({ N8N_USER_FOLDER: elsewhere, N8N_ENCRYPTION_KEY_FILE: file })),
  ).toBe(id);
});

test('nothing to derive it from, or nonsense, is no error', () => {
  expect(derivedInstanceId(facts({ N8N_USER_FOLDER: folder }))).toBe('unknown');
  mkdirSync(join(folder, '.n8n'));
  for (const content of ['', '{', '[]', '{"encryptionKey":{}}']) {
    writeFileSync(join(folder, '.n8n/config'), content);
    expect(derivedInstanceId(facts({ N8N_USER_FOLDER: folder }))).toBe('unknown');
  }
});

test('an id that n8n has stored wins over the derived one, and a named one over both', async () => {
  const rollcall = await startStandIn();
  const asked: unknown[] = [];
  const findOne = async (question: unknown) => {
    asked.push(question);
    return { id: 'k1', value: 'stored-id' };
  };
  const workflows = { find: async () => [], manager: { getRepository: () => ({ findOne }) } };
  const environments: Record<string, string>[] = [{}, { N8N_INSTANCE_ID: 'named-id' }];
  for (const environment of environments) {
    const n8n = startProcess({ url: rollcall.url, workflows, environment });
    n8n.call('workflow.afterDelete', 'w1');
    await new Promise((resolve) => void setImmediate(resolve));
    await n8n.end();
  }
  await rollcall.stop();
  expect(new Set(rollcall.events.map(({ instance_id }) => instance_id))).toEqual(
    new Set(['stored-id', 'named-id']),
  );
  // Other rows of that table are secrets.
  expect(asked).toEqual([
    { where: { type: 'instance.id', status: 'active' }, select: ['id', 'value'] },
  ]);
});

test('an n8n that never answers what its id is gets the derived one', async () => {
  const rollcall = await startStandIn();
  idByN8n({});
  const findOne = () => new Promise(() => undefined);
  const workflows = { find: async () => [], manager: { getRepository: () => ({ findOne }) } };
  const environment = { N8N_USER_FOLDER: folder };
  const n8n = startProcess({ url: rollcall.url, workflows, environment });
  for (let index = 0; index < 1_500; index += 1) n8n.call('workflow.afterDelete', `w${index}`);
  await n8n.end();
  await rollcall.stop();
  expect(rollcall.events).toHaveLength(1_501);
  const id = derivedInstanceId(facts(environment));
  expect(new Set(rollcall.events.map((event) => event.instance_id))).toEqual(new Set([id]));
});

test.each([
  [[], 'main'],
  [['start'], 'main'],
  [['--tunnel'], 'main'],
  [['worker', '--concurrency=5'], 'worker'],
  [['webhook'], 'webhook'],
  [['execute', '--id=1'], 'cli'],
])('n8n %j is the process %s', (command, role) => {
  expect(roleOf(facts({}, ...command))).toBe(role);
});

test('the version is that of the n8n whose command runs', () => {
  mkdirSync(join(folder, 'n8n/bin'), { recursive: true });
  writeFileSync(join(folder, 'n8n/package.json'), '{"name":"n8n","version":"2.41.1"}');
  writeFileSync(join(folder, 'n8n/bin/n8n'), '');
  symlinkSync(join(folder, 'n8n/bin/n8n'), join(folder, 'linked'));
  const run = (script: string) => versionOf({ environment: {}, arguments: ['node', script] });
  expect(run(join(folder, 'linked'))).toBe('2.41.1');
  expect(run(join(folder, 'nowhere'))).toBeUndefined();
  writeFileSync(join(folder, 'n8n/package.json'), '{"name":"other","version":"1.0.0"}');
  expect(run(join(folder, 'linked'))).toBeUndefined();
});
