import { after, suite } from 'node:test';

import { testChannels } from './channels.ts';
import { inConnectedWorld, type ConnectedWorld } from './connectedWorld.ts';
import { testExamples } from './examples.ts';
import { testFaults } from './faults.ts';
import { installN8n, type InstalledN8n } from './install.ts';
import { testInstrumented } from './instrumented.ts';
import { testLifecycle } from './lifecycle.ts';
import { testPackage } from './loading.ts';
import { testMended } from './mended.ts';
import { inObservedWorld, type ObservedWorld } from './observedWorld.ts';
import { testOutages } from './outages.ts';
import { testReconciled } from './reconciled.ts';
import { testRuns } from './runs.ts';
import { testSchedules } from './schedules.ts';
import { testSilence } from './silence.ts';
import { testTools } from './tools.ts';
import { testTrigger } from './trigger.ts';
import { testWatching } from './watching.ts';
import { inWorld, type World } from './world.ts';

/** The nodes in an n8n that knows nothing else of Rollcall. */
const NODES: Suites<World> = {
  package: ['the installed package', testPackage],
  examples: ['the examples', testExamples],
  tools: ['the nodes as tools of an agent', testTools],
  instrumented: ['real workflows, instrumented', testInstrumented],
  trigger: ['the trigger', testTrigger],
  faults: ['when Rollcall is in trouble', testFaults],
};

/** An n8n that reports by hooks and tracing. The last suite ends n8n. */
const OBSERVED: Suites<ObservedWorld> = {
  lifecycle: ['the life of a workflow', testLifecycle],
  runs: ['executions', testRuns],
  channels: ['hooks, tracing, the Emit node and the event log together', testChannels],
  watching: ['the live streams while n8n runs', testWatching],
  outages: ['hooks and tracing when Rollcall is in trouble', testOutages],
};

/** An n8n that is read through its API and nothing else. The last suite puts the clock forward, and stops n8n. */
const CONNECTED: Suites<ConnectedWorld> = {
  reconciled: ['what n8n has beside what is registered', testReconciled],
  mended: ['gaps that are mended in n8n', testMended],
  silence: ['silence, by the clock', testSilence],
};

/** n8n's code, which nobody starts. */
const CODE: Suites<InstalledN8n> = {
  schedules: ['schedules', testSchedules],
};

type Suites<In> = Record<string, [title: string, declare: (world: In) => void]>;

/**
 * A real n8n against a real Rollcall server: `npm run test:n8n` for everything, or with the names of
 * suites, e.g. `npm run test:n8n -- lifecycle runs`.
 */
const wanted = process.argv.slice(2);
const names = [CODE, NODES, OBSERVED, CONNECTED].flatMap((suites) => Object.keys(suites));
const unknown = wanted.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  console.error(`There is no ${unknown.join(', ')}. Suites: ${names.join(', ')}.`);
  process.exit(2);
}

await inWorldOf(CODE, async (work) => work(await installN8n()));
await inWorldOf(NODES, inWorld);
await inWorldOf(OBSERVED, inObservedWorld);
await inWorldOf(CONNECTED, inConnectedWorld);

/** Builds a world and declares its wanted suites in it; none wanted, none built. */
async function inWorldOf<In>(
  suites: Suites<In>,
  build: (work: (world: In) => Promise<void>) => Promise<void>,
): Promise<void> {
  const chosen = Object.entries(suites).filter(
    ([name]) => wanted.length === 0 || wanted.includes(name),
  );
  if (chosen.length === 0) return;
  await build(async (world) => {
    const ended = chosen.map(
      ([, [title, declare]]) =>
        new Promise<void>((done) => {
          void suite(title, () => {
            declare(world);
            after(() => done());
          });
        }),
    );
    await Promise.all(ended);
  });
}
