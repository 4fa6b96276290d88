import { readFileSync } from 'node:fs';
import { build } from 'esbuild';

const { version } = JSON.parse(readFileSync(new URL('./package.json', import.meta.url), 'utf8'));

/** One file that n8n can `require`: nothing has to be installed beside it. */
await build({
  absWorkingDir: import.meta.dirname,
  entryPoints: ['src/index.ts'],
  outfile: 'dist/rollcall-hooks.cjs',
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20.15',
  define: { ROLLCALL_HOOKS_VERSION: JSON.stringify(version) },
  logLevel: 'warning',
});
