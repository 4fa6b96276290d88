import type { Scope } from '@rollcall/client/contract';
import { z } from 'zod';
import type { Request, Route, RouteDeclaration } from './route.ts';

/** A server-sent event. Without `event` it only moves the id that a reader comes back with. */
export interface StreamEvent {
  event?: string;
  id?: string;
  /** Anything JSON. */
  data?: unknown;
}

export interface Following {
  lastEventId: string | undefined;
  /** Says when nobody listens any more. */
  signal: AbortSignal;
}

type Schema = z.ZodType;
export type StreamRequest = Request<unknown, unknown, undefined> & Following;
export type OpenStream = (request: StreamRequest) => Promise<AsyncIterable<StreamEvent>>;

export interface StreamDeclaration<
  Params extends Schema | undefined,
  Query extends Schema | undefined,
> extends Pick<
  RouteDeclaration<Params, Query, undefined, z.ZodString>,
  'path' | 'summary' | 'description' | 'params' | 'query' | 'conflict'
> {
  access: Scope;
  /** Goes on after `Last-Event-ID`. */
  resumable?: true;
  /** Name of each event and when it comes, for the documentation. */
  events: Record<string, string>;
  /** What it throws is answered as a problem; what it yields is sent as fast as the reader takes it. */
  open: (
    request: Request<
      Params extends Schema ? z.output<Params> : undefined,
      Query extends Schema ? z.output<Query> : undefined,
      undefined
    > &
      Following,
  ) => Promise<AsyncIterable<StreamEvent>>;
}

/** A GET that is answered with server-sent events (WHATWG HTML, 9.2), resumable with Last-Event-ID. */
export function streamRoute<
  Params extends Schema | undefined = undefined,
  Query extends Schema | undefined = undefined,
>({ events, open, ...declaration }: StreamDeclaration<Params, Query>): Route {
  const lines = Object.entries(events).map(([name, when]) => `- \`${name}\`: ${when}`);
  return {
    ...declaration,
    description: [declaration.description, 'Events:', lines.join('\n')]
      .filter(Boolean)
      .join('\n\n'),
    method: 'get',
    response: z.string().meta({ description: 'Server-sent events; each `data` is JSON.' }),
    stream: open as OpenStream,
    handle: () => undefined,
  };
}
