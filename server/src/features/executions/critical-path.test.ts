import fc from 'fast-check';
import { criticalPath, type PlacedRun } from './critical-path.ts';

const run = (node_name: string, start: number, end: number, more: Partial<PlacedRun> = {}) => ({
  node_name,
  run_index: 0,
  retry_index: 0,
  previous_nodes: [] as string[],
  start,
  end,
  ...more,
});
const names = (runs: PlacedRun[]) =>
  criticalPath(runs).map(({ node_name, run_index, retry_index }) =>
    [node_name, run_index || '', retry_index ? `try ${retry_index}` : ''].join('').trim(),
  );

test('a chain is critical as a whole', () => {
  expect(names([run('c', 25, 40), run('a', 0, 10), run('b', 10, 20)])).toEqual(['a', 'b', 'c']);
});

test('of two branches the one that ended last counts', () => {
  const branches = [
    run('start', 0, 5),
    run('quick', 5, 10, { previous_nodes: ['start'] }),
    run('slow', 5, 50, { previous_nodes: ['start'] }),
    run('merge', 50, 60, { previous_nodes: ['quick', 'slow'] }),
  ];
  expect(names(branches)).toEqual(['start', 'slow', 'merge']);
});

test('what a run took its input from wins over what ended later', () => {
  const runs = [
    run('start', 0, 5),
    run('mine', 5, 8, { previous_nodes: ['start'] }),
    run('other', 5, 19),
    run('last', 20, 30, { previous_nodes: ['mine'] }),
  ];
  expect(names(runs)).toEqual(['start', 'mine', 'last']);
});

test('a previous node that had not ended, or that nobody knows, gives way to what had', () => {
  const runs = [
    run('a', 0, 5),
    run('agent', 5, 90),
    run('tool', 90.5, 100, { previous_nodes: ['agent', 'unknown'] }),
    run('late', 7, 60, { previous_nodes: ['agent'] }),
  ];
  expect(names(runs)).toEqual(['a', 'agent', 'tool']);
  expect(names(runs.filter(({ node_name }) => node_name !== 'tool'))).toEqual(['a', 'agent']);
});

test('a later try follows the try before it', () => {
  const runs = [
    run('a', 0, 5),
    run('b', 5, 10, { previous_nodes: ['a'] }),
    run('noise', 0, 29),
    run('b', 30, 40, { previous_nodes: ['a'], retry_index: 1 }),
  ];
  expect(names(runs)).toEqual(['a', 'b', 'btry 1']);
});

test('a loop goes round as often as it did', () => {
  const runs = [0, 1, 2].flatMap((run_index) => [
    run('loop', run_index * 20, run_index * 20 + 5, { run_index, previous_nodes: ['work'] }),
    run('work', run_index * 20 + 5, run_index * 20 + 20, { run_index, previous_nodes: ['loop'] }),
  ]);
  expect(names(runs)).toEqual(['loop', 'work', 'loop1', 'work1', 'loop2', 'work2']);
});

test('runs that took no time stand in the order of what they took', () => {
  const runs = [
    run('a', 0, 10),
    run('d', 10, 10, { previous_nodes: ['c'] }),
    run('b', 10, 10, { previous_nodes: ['a'] }),
    run('c', 10, 10, { previous_nodes: ['b'] }),
  ];
  const path = names(runs);
  expect([path[0], path.at(-1)]).toEqual(['a', 'd']);
});

test('an agent that ends with its tool holds it', () => {
  const runs = [run('agent', 0, 100), run('tool', 40, 100, { previous_nodes: ['agent'] })];
  expect(names(runs)).toEqual(['agent']);
});

test('nothing ran: nothing is critical', () => {
  expect(criticalPath([])).toEqual([]);
});

const anyRun = fc
  .record({
    node_name: fc.constantFrom('a', 'b', 'c', 'd'),
    run_index: fc.nat(2),
    retry_index: fc.nat(1),
    previous_nodes: fc.array(fc.constantFrom('a', 'b', 'c', 'x'), { maxLength: 2 }),
    start: fc.nat(40),
    took: fc.nat(15),
  })
  .map(({ took, ...rest }): PlacedRun => ({ ...rest, end: rest.start + took }));

test('whatever ran: it ends at the end, each step had ended before the next, and none is missing before the first', () => {
  fc.assert(
    fc.property(fc.array(anyRun, { minLength: 1, maxLength: 30 }), (runs) => {
      const path = criticalPath(runs);
      expect(new Set(path).size).toBe(path.length);
      expect(path.at(-1)?.end).toBe(Math.max(...runs.map(({ end }) => end)));
      for (const [index, step] of path.entries()) {
        const before = path[index - 1];
        if (before) expect(before.end).toBeLessThanOrEqual(step.start + 1);
      }
      const first = path[0] as PlacedRun;
      for (const other of runs)
        if (other.start < first.start) expect(other.end).toBeGreaterThan(first.start);
    }),
    { numRuns: 500 },
  );
});

test('thousands of runs at one moment take no time to speak of and end', () => {
  const runs = Array.from({ length: 5_000 }, (_, run_index) =>
    run('same', 7, 7, { run_index, previous_nodes: ['same'] }),
  );
  expect(criticalPath(runs).length).toBeLessThanOrEqual(5_000);
});
