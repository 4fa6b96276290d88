import { spawn } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { freePort, runToEnd } from '../../test/n8n/child.ts';
import { n8nEnvironment, observed } from '../../test/n8n/environment.ts';
import { installN8n, type InstalledN8n } from '../../test/n8n/install.ts';
import { installPackage, ROOT } from '../../test/n8n/package.ts';

/**
 * A real n8n with this package's nodes, a credential for the local server and the examples, kept in data/n8n:
 * `npm run n8n` opens it, with the hooks and n8n's tracing switched on; `npm run n8n -- hello` runs the first
 * example without a browser.
 */
const PORT = 5678;
const FOLDER = join(ROOT, 'data/n8n');
const HELLO = 'rollcallHello001';

const { ROLLCALL_API_KEY: apiKey, ROLLCALL_URL: baseUrl = 'http://127.0.0.1:7655' } = process.env;
if (!apiKey) {
  console.error(
    'Set ROLLCALL_API_KEY to a key of your server (npm start prints one the first time).',
  );
  process.exit(1);
}

const [what] = process.argv.slice(2);
if (what !== undefined && what !== 'hello') {
  console.error(`There is no ${what}. Use: npm run n8n, or npm run n8n -- hello.`);
  process.exit(2);
}

const n8n = await installN8n();
await prepare(n8n, apiKey);
if (what === 'hello') await runHello(n8n);
else await open(n8n, apiKey);

async function prepare(installed: InstalledN8n, key: string): Promise<void> {
  console.log('Packing the nodes and importing the examples (about 20 s)');
  await mkdir(FOLDER, { recursive: true });
  await rm(join(FOLDER, '.n8n/nodes/node_modules'), { recursive: true, force: true });
  await installPackage(FOLDER);
  const credential = join(FOLDER, 'credential.json');
  const data = { baseUrl, apiKey: key };
  await writeFile(
    credential,
    JSON.stringify([{ id: 'rollcallApi00001', name: 'Rollcall', type: 'rollcallApi', data }]),
    { mode: 0o600 },
  );
  try {
    await command(installed, 'import:credentials', `--input=${credential}`);
  } finally {
    await rm(credential);
  }
  await command(
    installed,
    'import:workflow',
    '--separate',
    `--input=${resolve(ROOT, 'examples')}/`,
  );
}

async function runHello(installed: InstalledN8n): Promise<void> {
  await command(installed, 'execute', `--id=${HELLO}`);
  console.log('Hello Rollcall ran. Its event is in the tail; now: npx rollcall entities list');
}

async function command(installed: InstalledN8n, ...args: string[]): Promise<void> {
  const env = n8nEnvironment(FOLDER, await freePort(), await freePort());
  await runToEnd(`n8n ${args[0]}`, [installed.binary, ...args], { env });
}

async function open(installed: InstalledN8n, key: string): Promise<void> {
  const env = { ...n8nEnvironment(FOLDER, PORT, await freePort()), ...observed(baseUrl, key) };
  const child = spawn(process.execPath, [installed.binary, 'start'], { env, stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  child.on('close', (code) => process.exit(code ?? 1));
}
