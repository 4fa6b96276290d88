import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { run } from './install.ts';

/** The repository. */
export const ROOT = resolve(import.meta.dirname, '../..');

/** The built hooks file. */
export const HOOKS = join(ROOT, 'hooks/dist/rollcall-hooks.cjs');

let built: Promise<void> | undefined;

/**
 * Builds and packs the n8n package (and, with it, the hooks file) and puts the tarball's content where n8n keeps the community
 * packages that a user installs.
 */
export async function installPackage(userFolder: string): Promise<void> {
  const folder = join(userFolder, '.n8n/nodes/node_modules');
  await mkdir(folder, { recursive: true });
  await (built ??= run('npm', ['run', 'build'], ROOT));
  await run('npm', ['pack', '--pack-destination', folder], ROOT);
  const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz'));
  if (!tarball) throw new Error(`npm pack left no tarball in ${folder}`);
  await run('tar', ['-xzf', tarball], folder);
  await rm(join(folder, tarball));
  await rename(join(folder, 'package'), join(folder, 'n8n-nodes-rollcall'));
}
