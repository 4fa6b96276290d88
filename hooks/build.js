import { build } from 'esbuild';

/** One file that n8n can `require`: nothing has to be installed beside it. An argument says where to put it. */
await build({
  absWorkingDir: import.meta.dirname,
  entryPoints: ['src/index.ts'],
  outfile: process.argv[2] ?? 'dist/rollcall-hooks.cjs',
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20.15',
  logLevel: 'warning',
});
