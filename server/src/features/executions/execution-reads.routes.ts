import type { Clock } from '../../platform/clock.ts';
import { fromCursor, pageOf, sortField, toPage } from '../../platform/http/page.ts';
import { route, type Route } from '../../platform/http/route.ts';
import { compareExecutions } from './compare.ts';
import {
  ComparisonQuery,
  EventQuery,
  ExecutionDetailSchema,
  ExecutionPath,
  ExecutionQuery,
  ExecutionSummarySchema,
  InstanceQuery,
  RegressionQuery,
  RunEventSchema,
  SpanQuery,
  SpanTreeSchema,
  StateQuery,
} from './execution-reads.schema.ts';
import type { ExecutionReadsStore } from './execution-reads.store.ts';
import {
  ExecutionComparisonSchema,
  StateSnapshotSchema,
  TimelineSchema,
  VersionChangeSchema,
} from './execution-views.schema.ts';
import { spanTrees } from './read-spans.ts';
import { withDiffs } from './read-states.ts';
import { timelineOf } from './timeline.ts';

const AMBIGUOUS = 'Several instances have an execution of this id: say which one';

const ONE =
  'By Rollcall’s id, or by the id that its own system gave it; where several have that one, `instance_id` chooses, and a 409 holds the candidates.';

export function executionReadRoutes(store: ExecutionReadsStore, clock: Clock): Route[] {
  const access = 'telemetry:read';
  const method = 'get';
  return [
    route({
      method,
      path: '/api/v1/executions',
      access,
      summary: 'List executions, newest first',
      description:
        'What no index finds (`text`, `mode`, `instance_id`, `project_id`, durations) is looked for in the newest 10,000 that the other filters leave; a page may then be short and still have a `next_cursor`, with which the search goes on.',
      query: ExecutionQuery,
      response: pageOf(ExecutionSummarySchema),
      handle: async ({ tenant, query: { limit, cursor, ...filter } }) =>
        toPage(
          await store.list(
            tenant,
            filter,
            limit,
            fromCursor(cursor, [sortField.timestamp, sortField.uuid]),
          ),
        ),
    }),
    // Before the routes of one execution, whose id it would be.
    route({
      method,
      path: '/api/v1/executions/compare',
      access,
      summary: 'What differs between two executions',
      description:
        'Of the nodes’ runs and their states, and in `workflow` what was changed in it between them: its nodes and connections, where both definitions are known.',
      query: ComparisonQuery,
      notFound: 'There is no execution of one of these ids',
      conflict: AMBIGUOUS,
      response: ExecutionComparisonSchema,
      async handle({ tenant, query }) {
        const { left, right, changes } = await store.comparison(
          tenant,
          { id: query.left, instance_id: query.left_instance_id },
          { id: query.right, instance_id: query.right_instance_id },
        );
        return compareExecutions(left, right, changes);
      },
    }),
    route({
      method,
      path: '/api/v1/executions/regressions',
      access,
      summary: 'How a workflow’s runs went before and after each change of its version',
      description:
        'Newest change first, each with the nodes and connections that it changed, the last good run before it and the first bad run after it (bad: ended in error, or lost).',
      query: RegressionQuery,
      response: pageOf(VersionChangeSchema),
      handle: async ({ tenant, query: { limit, cursor, workflow_id, ...filter } }) =>
        toPage(
          await store.versionChanges(
            tenant,
            workflow_id,
            filter,
            limit,
            fromCursor(cursor, [sortField.timestamp, sortField.uuid]),
          ),
        ),
    }),
    route({
      method,
      path: '/api/v1/executions/:id',
      access,
      summary: 'One execution',
      description: ONE,
      params: ExecutionPath,
      conflict: AMBIGUOUS,
      query: InstanceQuery,
      response: ExecutionDetailSchema,
      handle: ({ tenant, params, query }) => store.get(tenant, { ...params, ...query }),
    }),
    route({
      method,
      path: '/api/v1/executions/:id/timeline',
      access,
      summary: 'One execution, ready to draw',
      description: ONE,
      params: ExecutionPath,
      conflict: AMBIGUOUS,
      query: InstanceQuery,
      response: TimelineSchema,
      handle: async ({ tenant, params, query }) =>
        timelineOf(await store.timeline(tenant, { ...params, ...query }), clock()),
    }),
    route({
      method,
      path: '/api/v1/executions/:id/telemetry-spans',
      access,
      summary: 'Spans of an execution, as trees',
      description:
        'A page holds spans by their start, each below its parent where that is on the same page. A page ends early where it would be larger than 8 MB.',
      params: ExecutionPath,
      conflict: AMBIGUOUS,
      query: SpanQuery,
      response: pageOf(SpanTreeSchema),
      async handle({ tenant, params, query: { limit, cursor, instance_id } }) {
        const after = fromCursor(cursor, [sortField.timestamp, sortField.text, sortField.text]);
        const spans = await store.spans(tenant, { ...params, instance_id }, limit, after);
        return { ...toPage(spans), items: spanTrees(spans.items) };
      },
    }),
    route({
      method,
      path: '/api/v1/executions/:id/telemetry-events',
      access,
      summary: 'Events of an execution, by time',
      params: ExecutionPath,
      conflict: AMBIGUOUS,
      query: EventQuery,
      response: pageOf(RunEventSchema),
      handle: async ({ tenant, params, query: { limit, cursor, instance_id, ...filter } }) =>
        toPage(
          await store.events(
            tenant,
            { ...params, instance_id },
            filter,
            limit,
            fromCursor(cursor, [sortField.timestamp, sortField.uuid]),
          ),
        ),
    }),
    route({
      method,
      path: '/api/v1/executions/:id/state',
      access,
      summary: 'What the nodes of an execution shared, step by step',
      description:
        'Snapshots by sequence, each with what changed since the one before. A page ends early where it would be larger than 8 MB.',
      params: ExecutionPath,
      conflict: AMBIGUOUS,
      query: StateQuery,
      response: pageOf(StateSnapshotSchema),
      async handle({ tenant, params, query: { limit, cursor, instance_id } }) {
        const after = fromCursor(cursor, [sortField.number]);
        const states = await store.states(tenant, { ...params, instance_id }, limit, after);
        return { ...toPage(states), items: withDiffs(states.items, states.before) };
      },
    }),
  ];
}
