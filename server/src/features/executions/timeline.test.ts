import fc from 'fast-check';
import type { NodeExecution, RunStatus } from '@rollcall/client/contract';
import { at, bars, draw, execution, node } from '../../../../test/rollcall/timeline-example.ts';

test('lanes stand in the order of first starts, a node’s runs in one lane', () => {
  const nodes = [node('b', 10, 30), node('a', 40, 50, { run_index: 1 }), node('a', 0, 10)];
  const { lanes, origin, duration_ms, open } = draw({ nodes });
  expect(
    lanes.map((lane) => [lane.node_name, lane.bars.map(({ run_index }) => run_index)]),
  ).toEqual([
    ['a', [0, 1]],
    ['b', [0]],
  ]);
  expect([origin, duration_ms, open]).toEqual([at(0), 100, false]);
});

test('what is not told follows from the rest', () => {
  const nodes = [
    node('by end', null, 30, { duration_ms: 20 }),
    node('by duration', 40, null, { duration_ms: 5 }),
    node('backwards', 50, 45, { duration_ms: 3 }),
  ];
  expect(bars({ nodes })).toEqual([
    ['by end', 10, 20],
    ['by duration', 40, 5],
    ['backwards', 50, 3],
  ]);
});

test('runs that nobody timed are named, without a bar', () => {
  const { lanes } = draw({
    nodes: [node('a', 0, 5), node('when', null, null, { status: 'error' })],
  });
  expect(lanes[1]).toMatchObject({
    node_name: 'when',
    bars: [],
    unplaced: [{ run_index: 0, retry_index: 0, status: 'error', carried_over: false }],
  });
});

test('a running one is drawn up to now, and so are its open bars', () => {
  const running = execution({ status: 'running', completed_at: null, duration_ms: null });
  const nodes = [node('a', 0, 20), node('b', 20, null, { status: 'running' })];
  const drawn = draw({ execution: running, nodes }, 500);
  expect([drawn.open, drawn.duration_ms]).toEqual([true, 500]);
  expect(drawn.lanes[1]?.bars[0]).toMatchObject({ open: true, offset_ms: 20, duration_ms: 480 });
  expect(drawn.critical_path.map(({ node_name }) => node_name)).toEqual(['a', 'b']);
  expect(drawn.gaps).toEqual([]);
});

test('a bar without an end in a run that has ended goes up to that end', () => {
  expect(bars({ nodes: [node('a', 0, 5), node('b', 5, null)] })).toEqual([
    ['a', 0, 5],
    ['b', 5, 95],
  ]);
});

test('a clock that runs before the run’s own moves the origin, not the bars below zero', () => {
  const { origin, lanes } = draw({ nodes: [node('a', -20, 5)] });
  expect([origin, lanes[0]?.bars[0]?.offset_ms]).toEqual([at(-20), 0]);
});

test('what a retry took over from the run it repeats has no place in it', () => {
  const retry = execution({ mode: 'retry' });
  const nodes = [node('before', -5_000, -4_000), node('again', 5, 50)];
  const { origin, lanes } = draw({ execution: retry, nodes });
  expect(origin).toBe(at(0));
  expect(
    lanes.map(({ node_name, bars, unplaced }) => [node_name, bars.length, unplaced.length]),
  ).toEqual([
    ['again', 1, 0],
    ['before', 0, 1],
  ]);
  expect(lanes[1]?.unplaced[0]?.carried_over).toBe(true);
});

test('phases follow each other within the bar', () => {
  const phased = node('a', 10, 50, {
    prep_duration_ms: 5,
    exec_duration_ms: 30,
    post_duration_ms: 100,
  });
  expect(draw({ nodes: [phased] }).lanes[0]?.bars[0]?.phases).toEqual([
    { phase: 'prep', offset_ms: 10, duration_ms: 5 },
    { phase: 'exec', offset_ms: 15, duration_ms: 30 },
    { phase: 'post', offset_ms: 45, duration_ms: 5 },
  ]);
  const partly = node('a', 10, 50, { prep_duration_ms: 5, post_duration_ms: 10 });
  expect(draw({ nodes: [partly] }).lanes[0]?.bars[0]?.phases).toEqual([
    { phase: 'prep', offset_ms: 10, duration_ms: 5 },
    { phase: 'exec', offset_ms: 15, duration_ms: 25 },
    { phase: 'post', offset_ms: 40, duration_ms: 10 },
  ]);
  expect(draw({ nodes: [node('a', 0, 5)] }).lanes[0]?.bars[0]?.phases).toEqual([]);
});

test('the critical path tells how long each step waited', () => {
  const nodes = [
    node('a', 5, 10),
    node('side', 10, 15),
    node('b', 30, 90, { previous_nodes: ['a'] }),
  ];
  const { critical_path, lanes } = draw({ nodes });
  expect(critical_path.map(({ node_name, wait_ms }) => [node_name, wait_ms])).toEqual([
    ['a', 5],
    ['b', 20],
  ]);
  expect(lanes.map(({ bars }) => bars[0]?.on_critical_path)).toEqual([true, false, true]);
});

test.each<[string, Partial<NodeExecution>, RunStatus, object[]]>([
  [
    'idle between nodes, and after the last',
    {},
    'success',
    [
      { kind: 'idle', offset_ms: 10, duration_ms: 50 },
      { kind: 'idle', offset_ms: 70, duration_ms: 30 },
    ],
  ],
  [
    'waiting before a Wait node that went on',
    { node_type: 'n8n-nodes-base.wait' },
    'success',
    [
      { kind: 'waiting', offset_ms: 10, duration_ms: 50 },
      { kind: 'waiting', offset_ms: 70, duration_ms: 30 },
    ],
  ],
  [
    'waiting after a node that waits',
    { status: 'waiting' },
    'success',
    [
      { kind: 'waiting', offset_ms: 10, duration_ms: 50 },
      { kind: 'waiting', offset_ms: 70, duration_ms: 30 },
    ],
  ],
])('gaps: %s', (_, second, status, gaps) => {
  const nodes = [node('a', 0, 10), node('b', 60, 70, second)];
  expect(draw({ execution: execution({ status }), nodes }).gaps).toEqual(gaps);
});

test('a run that waits is waiting after its last node, whatever that is', () => {
  const waiting = execution({ status: 'waiting', completed_at: null, duration_ms: null });
  expect(draw({ execution: waiting, nodes: [node('a', 0, 10)] }, 50).gaps).toEqual([
    { kind: 'waiting', offset_ms: 10, duration_ms: 40 },
  ]);
});

test('a sub-workflow’s run is linked where it is known', () => {
  const child = {
    id: '00000000-0000-4000-8000-000000000001',
    execution_id: '2',
    workflow_id: 'sub',
    workflow_name: null,
    status: 'success' as const,
    started_at: at(10),
    duration_ms: 5,
  };
  const nodes = [
    node('known', 0, 5, { child_execution_id: '2' }),
    node('unknown', 5, 9, { child_execution_id: '3' }),
  ];
  const { lanes } = draw({ nodes, children: [child] });
  expect(lanes.map(({ bars }) => bars[0]?.child)).toEqual([child, null]);
});

test('microseconds are kept', () => {
  const precise = node('a', null, null, {
    started_at: '2026-01-01T12:00:00.000250+00:00',
    completed_at: '2026-01-01T12:00:00.001+00:00',
  });
  expect(bars({ nodes: [precise] })).toEqual([['a', 0.25, 0.75]]);
  const others = [
    node('b', null, null, {
      started_at: '2026-01-01T12:00:00.0015Z',
      completed_at: '2026-01-01T13:00:00.5+01:00',
    }),
  ];
  expect(bars({ nodes: others })).toEqual([['b', 1.5, 498.5]]);
});

test('whatever was told: no bar leaves the timeline, and every run of a node is in it', () => {
  const moment = fc.option(fc.integer({ min: -500, max: 2_000 }));
  const any = fc
    .record({
      name: fc.constantFrom('a', 'b', 'c'),
      start: moment,
      end: moment,
      duration_ms: fc.option(fc.nat(500)),
      run_index: fc.nat(3),
      status: fc.constantFrom<RunStatus>(
        'queued',
        'running',
        'waiting',
        'success',
        'error',
        'cancelled',
        'lost',
      ),
    })
    .map(({ name, start, end, ...more }) => node(name, start, end, more));
  const anyExecution = fc
    .record({
      status: fc.constantFrom<RunStatus>('running', 'waiting', 'success', 'lost'),
      started_at: fc.constantFrom(null, at(0)),
      completed_at: fc.constantFrom(null, at(100)),
      mode: fc.constantFrom('retry', 'trigger'),
    })
    .map(execution);
  fc.assert(
    fc.property(
      anyExecution,
      fc.array(any, { maxLength: 12 }),
      fc.nat(3_000),
      (run, nodes, now) => {
        const { lanes, duration_ms, gaps, critical_path } = draw({ execution: run, nodes }, now);
        for (const stretch of [...lanes.flatMap(({ bars }) => bars), ...gaps, ...critical_path]) {
          expect(stretch.offset_ms).toBeGreaterThanOrEqual(0);
          expect(stretch.duration_ms).toBeGreaterThanOrEqual(0);
          expect(stretch.offset_ms + stretch.duration_ms).toBeLessThanOrEqual(duration_ms + 0.001);
        }
        const shown = lanes.flatMap(({ bars, unplaced }) => [...bars, ...unplaced]);
        expect(shown).toHaveLength(nodes.length);
      },
    ),
    { numRuns: 300 },
  );
});
