#!/usr/bin/env node
import module from 'node:module';

const NEEDED = 24;
const [major] = process.versions.node.split('.').map(Number);
if (major < NEEDED) {
  console.error(
    `Rollcall needs Node ${NEEDED} or newer; this is ${process.version}. ` +
      'Inside the repository, go through npm, which brings its own: npm start, or npx rollcall.',
  );
  process.exit(1);
}
module.enableCompileCache();
const { main } = await import('../src/cli/main.ts');
await main(process.argv);
