import { after, suite } from 'node:test';

import { testExamples } from './examples.ts';
import { testFaults } from './faults.ts';
import { testPackage } from './loading.ts';
import { testTools } from './tools.ts';
import { inWorld } from './world.ts';

/** The nodes in a real n8n against a real Rollcall server: npm run test:n8n. */
await inWorld(async (world) => {
  suite('the installed package', () => testPackage(world));
  suite('the examples', () => testExamples(world));
  suite('the nodes as tools of an agent', () => testTools(world));
  suite('when Rollcall is in trouble', () => testFaults(world));
  await new Promise<void>((done) => after(() => done()));
});
