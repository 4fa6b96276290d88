import type { ExecutionDetail, LiveTopic, Scope } from '@rollcall/client/contract';
import { streamRoute, type StreamEvent } from '../../platform/http/stream.ts';
import type { Principal, Route } from '../../platform/http/route.ts';
import type { Batch } from '../../platform/live/catch-up.ts';
import type { LiveFeed } from '../../platform/live/feed.ts';
import { parsePosition } from '../../platform/live/position.ts';
import { Problem } from '../../platform/problem.ts';
import { LiveExecutionPath, LiveExecutionQuery, LiveQuery } from './live.schema.ts';
import { watchExecution } from './watch-execution.ts';

/** What a key needs for a topic, beside telemetry:read for the stream itself. */
const SCOPES: Record<LiveTopic, Scope> = {
  executions: 'telemetry:read',
  telemetry: 'telemetry:read',
  registry: 'registry:read',
  gaps: 'gaps:read',
};

/** Rollcall's id, or that of its own system, within an instance where one is named. */
interface ExecutionName {
  id: string;
  instance_id?: string | undefined;
}

interface Needs {
  feed: LiveFeed;
  /** @throws Problem 404, or 409 when several could be meant */
  readExecution: (tenant: string, name: ExecutionName) => Promise<ExecutionDetail>;
}

export function liveRoutes({ feed, readExecution }: Needs): Route[] {
  return [
    streamRoute({
      path: '/api/v1/live',
      access: 'telemetry:read',
      summary: 'Watch the fleet',
      description:
        'With Last-Event-ID, goes on after that event, on whichever server. The topics registry and gaps need their own read scopes.',
      query: LiveQuery,
      resumable: true,
      events: {
        ready: 'first; from here on nothing is missing',
        executions: 'runs began, went on or ended: `executions` with id, workflow_id and status',
        telemetry: 'telemetry came in: `accepted`, `errors`, `by_protocol`; at most one a second',
        registry: 'an entity was registered, or its state or health changed',
        gaps: 'a check opened or closed gaps',
        reset: 'what was seen last is too old to go on from: read again what is shown',
        closed: 'the server ends the stream: `code`, and in `retry` whether to connect again',
      },
      async open({ query, lastEventId, signal, ...principal }) {
        const topics = allowed(principal, query.topics);
        const after = lastEventId ? parsePosition(lastEventId) : undefined;
        const storedOnly = query.follow === 'false';
        const batches = await feed.follow(principal.tenant, { after, signal, storedOnly });
        return fleetEvents(batches, topics, lastEventId !== undefined && !after);
      },
    }),
    streamRoute({
      path: '/api/v1/executions/:id/live',
      access: 'telemetry:read',
      summary: 'Watch one execution until its end',
      description: 'After a reconnect it begins with the whole execution again.',
      params: LiveExecutionPath,
      conflict: 'Several instances have an execution of this id: say which with instance_id',
      query: LiveExecutionQuery,
      events: {
        execution: 'first: the execution as GET /api/v1/executions/{id} answers it',
        change: 'the fields that changed; in `node_executions` those that are new or changed',
        end: 'it has ended; the stream, too',
        closed: 'the server ends the stream: `code`, and in `retry` whether to connect again',
      },
      async open({ tenant, params, query, signal }) {
        const storedOnly = query.follow === 'false';
        // Before it is read, so that no change falls in between.
        const batches = await feed.follow(tenant, { signal, storedOnly });
        const { instance_id } = query;
        return watchExecution({
          first: await readExecution(tenant, { ...params, instance_id }),
          read: (id) => readExecution(tenant, { id }),
          batches,
          signal,
        });
      },
    }),
  ];
}

/** @throws Problem 403 for a topic that the key may not read */
function allowed({ scopes }: Principal, asked: LiveTopic[] | undefined): LiveTopic[] {
  const may = (topic: LiveTopic) => scopes.includes('admin') || scopes.includes(SCOPES[topic]);
  if (!asked) return (Object.keys(SCOPES) as LiveTopic[]).filter(may);
  const refused = asked.find((topic) => !may(topic));
  if (!refused) return asked;
  throw new Problem(403, 'missing_scope', {
    detail: `This key may not watch ${refused}: it lacks the scope ${SCOPES[refused]}.`,
  });
}

/** Milliseconds after which a reader whose topics are quiet is told how far it has come all the same. */
const BOOKMARK_MS = 10_000;

async function* fleetEvents(
  batches: AsyncIterable<Batch>,
  topics: LiveTopic[],
  strayed: boolean,
): AsyncGenerator<StreamEvent> {
  let told = -Infinity;
  let begun = false;
  for await (const { events, position, reset } of batches) {
    if (!begun) {
      begun = true;
      yield { event: 'ready', id: position, data: { topics } };
      if (strayed) yield { event: 'reset', id: position, data: { reason: 'unknown_id' } };
      told = performance.now();
    }
    if (reset) yield { event: 'reset', id: position, data: { reason: 'too_old' } };
    const heard = events.filter(({ topic }) => topics.includes(topic));
    for (const { topic, position: id, body } of heard) yield { event: topic, id, data: body };
    if (heard.length > 0) told = performance.now();
    else if (performance.now() - told > BOOKMARK_MS) {
      told = performance.now();
      yield { id: position };
    }
  }
}
