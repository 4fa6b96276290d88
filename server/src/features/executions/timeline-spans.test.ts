import type { NodeExecution } from '@rollcall/client/contract';
import { at, draw, node } from '../../../../test/rollcall/timeline-example.ts';
import type { BriefSpan } from './timeline-spans.ts';

describe('spans', () => {
  const span = (
    span_id: string,
    parent_span_id: string | null,
    start: number,
    more: Partial<BriefSpan> = {},
  ): BriefSpan => ({
    trace_id: 't',
    span_id,
    parent_span_id,
    name: span_id,
    status: 'ok',
    started_at: at(start),
    ended_at: at(start + 2),
    node_name: null,
    ...more,
  });
  const within = (spans: BriefSpan[], nodes: NodeExecution[]) =>
    draw({ spans, nodes }).lanes.flatMap(({ node_name, bars }) =>
      bars.map((bar) => [node_name, bar.spans.map((each) => [each.span_id, each.depth])]),
    );

  test('stand in the run of the node that they were made in, the node’s own span left out', () => {
    const spans = [
      span('workflow', null, 0),
      span('own', 'workflow', 10, { node_name: 'a', name: 'node.execute' }),
      span('chat', 'own', 11),
      span('http', 'chat', 12),
      span('said', null, 13, { node_name: 'a' }),
      span('stranger', null, 14, { node_name: 'nobody' }),
    ];
    expect(within(spans, [node('a', 10, 20), node('b', 20, 30)])).toEqual([
      [
        'a',
        [
          ['chat', 0],
          ['http', 1],
          ['said', 0],
        ],
      ],
      ['b', []],
    ]);
  });

  test('of a node that ran several times stand in the run that had begun', () => {
    const spans = [
      span('x', null, 12, { node_name: 'a' }),
      span('y', null, 45, { node_name: 'a' }),
    ];
    const nodes = [node('a', 10, 20), node('a', 40, 50, { run_index: 1 })];
    expect(within(spans, nodes)).toEqual([
      ['a', [['x', 0]]],
      ['a', [['y', 0]]],
    ]);
  });

  test('in a circle belong to nobody', () => {
    expect(within([span('x', 'y', 1), span('y', 'x', 2)], [node('a', 0, 9)])).toEqual([['a', []]]);
  });
});
