import { execFileSync } from 'node:child_process';

/** In a process of its own: Jest's has flags and a heap that others fill. */
const GROW_AND_GIVE_BACK = `
  const { giveBackMemory } = await import('./server/src/cli/give-back-memory.ts');
  let kept = [];
  for (let i = 0; i < 600_000; i++) kept.push({ i, text: String(i) });
  const grown = process.memoryUsage();
  kept = [];
  giveBackMemory();
  const left = process.memoryUsage();
  console.log(JSON.stringify({ grown, left, gc: typeof globalThis.gc }));`;

it('returns what is no longer used, and leaves no collector for others to call', () => {
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', GROW_AND_GIVE_BACK]);
  const { grown, left, gc } = JSON.parse(output.toString()) as {
    grown: NodeJS.MemoryUsage;
    left: NodeJS.MemoryUsage;
    gc: string;
  };
  expect(left.rss).toBeLessThan(grown.rss - 20_000_000);
  expect(left.heapTotal).toBeLessThan(grown.heapTotal / 2);
  expect(gc).toBe('undefined');
});
