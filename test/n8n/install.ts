import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';

const MANIFEST = join(import.meta.dirname, 'n8n.package.json');
const PROGRESS_EVERY_MS = 20_000;

/** An installed n8n: its folder and the script that `node` runs. */
export interface InstalledN8n {
  folder: string;
  binary: string;
}

/**
 * The n8n that `n8n.package.json` pins, installed once per manifest into the user's cache folder
 * and reused from then on. The first run takes about four minutes and 2.2 GB.
 */
export async function installN8n(): Promise<InstalledN8n> {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'rollcall');
  const name = `n8n-${await cacheKey()}`;
  const folder = join(cache, name);
  const installed = { folder, binary: join(folder, 'node_modules/n8n/bin/n8n') };
  if (existsSync(folder)) return installed;

  await mkdir(cache, { recursive: true });
  await removeAbandoned(cache);
  const partial = join(cache, `${name}.${process.pid}.partial`);
  await mkdir(partial);
  console.log(`Installing n8n into ${folder} (once; about four minutes, 2.2 GB)`);
  try {
    await cp(MANIFEST, join(partial, 'package.json'));
    await npm(partial, ['install', '--ignore-scripts', '--legacy-peer-deps']);
    await npm(partial, ['rebuild', 'sqlite3']);
    await publish(partial, folder);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return installed;
}

/** Native modules are built during the install, so the platform is part of the key. */
async function cacheKey(): Promise<string> {
  const { platform, arch, versions } = process;
  return createHash('sha256')
    .update(await readFile(MANIFEST))
    .update([platform, arch, versions.modules].join())
    .digest('hex')
    .slice(0, 12);
}

/** Another run may have finished the same folder first; then its copy serves. */
async function publish(partial: string, folder: string): Promise<void> {
  await rename(partial, folder).catch((error: unknown) => {
    if (!existsSync(folder)) throw error;
  });
}

async function removeAbandoned(cache: string): Promise<void> {
  for (const entry of await readdir(cache)) {
    const owner = /^n8n-\w+\.(\d+)\.partial$/.exec(entry)?.[1];
    if (owner && !isRunning(Number(owner))) {
      await rm(join(cache, entry), { recursive: true, force: true });
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function npm(cwd: string, args: string[]): Promise<void> {
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000);
  const progress = setInterval(
    () => console.log(`  npm ${args[0]}: ${seconds()} s so far`),
    PROGRESS_EVERY_MS,
  );
  try {
    await run('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], cwd);
    console.log(`  npm ${args[0]}: done in ${seconds()} s`);
  } finally {
    clearInterval(progress);
  }
}

/** Runs a command with this very Node first in PATH; rejects with its last words when it fails. */
export function run(command: string, args: string[], cwd: string): Promise<void> {
  const output: Buffer[] = [];
  const child = spawn(command, args, { cwd, env: buildEnvironment() });
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
  return new Promise((done, fail) => {
    child.once('error', fail);
    child.once('close', (code) => {
      if (code === 0) return done();
      const said = Buffer.concat(output).toString().slice(-4000);
      fail(new Error(`${command} ${args[0]} ended with ${code} in ${cwd}:\n${said}`));
    });
  });
}

/** npm and native builds must use this very Node: its binary first in PATH, its own headers. */
function buildEnvironment(): NodeJS.ProcessEnv {
  const bin = dirname(process.execPath);
  const home = resolve(bin, '..');
  const headers = existsSync(join(home, 'include/node/node.h')) ? { npm_config_nodedir: home } : {};
  return { ...process.env, ...headers, PATH: [bin, process.env.PATH].join(delimiter) };
}
