import type { NodeExecution } from '@rollcall/client/contract';
import { compareExecutions, type ComparisonSide } from './compare.ts';

const UNKNOWN = { nodes: null, connections: null, more_changes: false };
const compare = (left: ComparisonSide, right: ComparisonSide) =>
  compareExecutions(left, right, UNKNOWN);

const node = (node_name: string, more: Partial<NodeExecution> = {}) =>
  ({
    node_id: `id-${node_name}`,
    node_name,
    node_type: null,
    run_index: 0,
    retry_index: 0,
    attempts: null,
    status: 'success',
    duration_ms: 100,
    items_in: 1,
    items_out: 1,
    tokens_used: null,
    cost_micros: null,
    error: null,
    ...more,
  }) as NodeExecution;

const side = (nodes: NodeExecution[], more: object = {}, run: object = {}) =>
  ({
    execution: { workflow_id: 'w', workflow_version: null, duration_ms: null, ...run },
    definition_hash: null,
    nodes,
    states: [],
    truncated: false,
    ...more,
  }) as unknown as ComparisonSide;

const differences = (left: Partial<NodeExecution>, right: Partial<NodeExecution>) =>
  compare(side([node('a', left)]), side([node('a', right)])).nodes[0]?.differences;

test.each<[object, object, string[]]>([
  [{}, {}, []],
  [{ status: 'error' }, {}, ['status']],
  [{ items_in: 2 }, { items_in: 3 }, ['items_in']],
  [{ items_out: 2 }, { items_out: null }, []],
  [{ tokens_used: 10 }, { tokens_used: 11 }, ['tokens_used']],
  [{ cost_micros: 10 }, { cost_micros: 11 }, ['cost_micros']],
  [{ attempts: 3 }, { attempts: 1 }, ['retries']],
  [{ error: { message: 'no' } }, { error: { message: 'never' } }, ['error']],
  [{ error: { type: 'A', message: 'no' } }, { error: { type: 'A', message: 'no' } }, []],
])('%j beside %j: %j', (left, right, expected) => {
  expect(differences(left, right)).toEqual(expected);
  expect(differences(right, left)).toEqual(expected);
});

test.each([
  [100, 119, false],
  [100, 120, true],
  [20, 29, false],
  [20, 30, true],
  [0, 9, false],
  [0, 10, true],
])('%d ms beside %d ms differ: %s', (left, right, differ) => {
  const expected = differ ? ['duration_ms'] : [];
  expect(differences({ duration_ms: left }, { duration_ms: right })).toEqual(expected);
  expect(differences({ duration_ms: right }, { duration_ms: left })).toEqual(expected);
});

test('what ran on one side only is a difference, and stands before what does not differ', () => {
  const { nodes, differing } = compare(
    side([node('same'), node('left')]),
    side([node('right'), node('same')]),
  );
  expect(
    nodes.map((each) => [each.node_name, each.left && 1, each.right && 1, each.differences]),
  ).toEqual([
    ['left', 1, null, ['presence']],
    ['right', null, 1, ['presence']],
    ['same', 1, 1, []],
  ]);
  expect(differing).toBe(2);
});

test('a node that was renamed is the same by its id, one whose id is not known by its name', () => {
  const renamed = compare(
    side([node('old', { node_id: '1' }), node('b', { node_id: 'made up' })]),
    side([node('new', { node_id: '1' }), node('b', { node_id: '2' })]),
  );
  expect(renamed.nodes.map(({ node_name, differences }) => [node_name, differences])).toEqual([
    ['new', []],
    ['b', []],
  ]);
});

test('loops and tries are added up: items of the tries that decided, time of all', () => {
  const runs = [
    node('a', { retry_index: 0, status: 'error', items_out: 0, error: { message: 'no' } }),
    node('a', { retry_index: 1, items_out: 5 }),
    node('a', { run_index: 1, items_out: 7 }),
  ];
  expect(compare(side(runs), side([])).nodes[0]?.left).toEqual({
    status: 'success',
    runs: 2,
    retries: 1,
    duration_ms: 300,
    items_in: 2,
    items_out: 12,
    tokens_used: null,
    cost_micros: null,
    error_type: null,
    error_message: 'no',
  });
});

test('states are compared at each node, and at the end', () => {
  const states = (a: number, b: number) => ({
    states: [
      { node_name: 'b', state: { count: b } },
      { node_name: 'a', state: { count: a } },
    ],
  });
  const { nodes, state } = compare(
    side([node('a'), node('b')], states(1, 2)),
    side([node('a'), node('b')], states(1, 3)),
  );
  const change = { op: 'changed', path: '/count', from: 2, to: 3 };
  expect(nodes.map((each) => [each.node_name, each.differences, each.state?.changes])).toEqual([
    ['b', ['state'], [change]],
    ['a', [], []],
  ]);
  expect(state?.changes).toEqual([change]);
});

test.each([
  [{ definition_hash: 'x' }, { definition_hash: 'x' }, ['1', '2'], 'same'],
  [{ definition_hash: 'x' }, { definition_hash: 'y' }, ['1', '1'], 'changed'],
  [{ definition_hash: 'x' }, {}, ['1', '1'], 'same'],
  [{}, {}, ['1', '2'], 'changed'],
  [{}, {}, [null, '2'], 'unknown'],
])('definitions %j and %j of versions %j: %s', (left, right, [one, other], definition) => {
  const { workflow } = compare(
    side([], left, { workflow_version: one }),
    side([], right, { workflow_version: other }),
  );
  expect(workflow).toMatchObject({
    definition,
    left_version: one,
    right_version: other,
    same_workflow: true,
  });
});

test('the difference in duration is the right one’s minus the left one’s', () => {
  const compared = compare(side([], {}, { duration_ms: 50 }), side([], {}, { duration_ms: 20 }));
  expect(compared.duration_delta_ms).toBe(-30);
  expect(compare(side([]), side([], {}, { duration_ms: 20 })).duration_delta_ms).toBeNull();
});
