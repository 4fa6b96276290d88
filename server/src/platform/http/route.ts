import type { Scope } from '@rollcall/client/contract';
import { z } from 'zod';
import type { Problem } from '../problem.ts';
import type { OpenStream } from './stream.ts';

/** Who asks, as their key says. */
export interface Principal {
  keyId: string;
  tenant: string;
  project: string;
  /** Name of the key: stands in histories as the one who did it. */
  actor: string;
  scopes: Scope[];
}

export interface Request<Params, Query, Body> extends Principal {
  requestId: string;
  params: Params;
  query: Query;
  body: Body;
}

type Schema = z.ZodType;
type Output<S> = S extends Schema ? z.output<S> : undefined;

/** An answer that is no JSON. */
export interface TextAnswer {
  /** Media type. */
  type: string;
  text: string;
}

/**
 * An endpoint. Validation, authorisation, documentation and the tenancy test all come from this one
 * declaration; `handle` returns the answer and never sees the response.
 */
export interface RouteDeclaration<
  Params extends Schema | undefined,
  Query extends Schema | undefined,
  Body extends Schema | undefined,
  Response extends Schema,
> {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** Express pattern; its parameters are the keys of `params`. */
  path: `/${string}`;
  /** The scope a key needs; `any` valid key; or nobody's (`public`). */
  access: Scope | 'any' | 'public';
  summary: string;
  /** For the documentation: what to know before calling. */
  description?: string;
  params?: Params;
  query?: Query;
  body?: Body;
  /** The body may be as long as a batch's. */
  largeBody?: boolean;
  response: Response;
  /** 200 when left out, or 202 of what is done later. */
  status?: (response: z.output<Response>) => number;
  /** It answers before the work is done. */
  later?: boolean;
  /** When it answers 404, for the documentation; a route with a path that names something need not say so. */
  notFound?: string;
  /** When it answers 409, for the documentation; left out where it never does. */
  conflict?: string;
  /** Media types beside JSON, and the answer as one of them; JSON when there is none for this query. */
  text?: {
    types: string[];
    render: (response: z.output<Response>, query: Output<Query>) => TextAnswer | undefined;
  };
  handle: (
    request: Request<
      Output<Params>,
      Output<Query>,
      Body extends Schema ? z.output<Body> : undefined
    >,
  ) => Promise<z.input<Response>> | z.input<Response>;
}

/** A route whose types have done their work. */
export interface Route {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete' | 'head';
  path: `/${string}`;
  access: Scope | 'any' | 'public';
  summary: string;
  description?: string;
  params?: Schema;
  query?: Schema;
  body?: Schema;
  batch?: boolean;
  largeBody?: boolean;
  raw?: RawHandling;
  stream?: OpenStream;
  /** A stream that goes on after `Last-Event-ID`. */
  resumable?: true;
  response: Schema;
  status?: (response: unknown) => number;
  later?: boolean;
  notFound?: string;
  conflict?: string;
  text?: {
    types: string[];
    render: (response: unknown, query: unknown) => TextAnswer | undefined;
  };
  handle: (request: Request<unknown, unknown, unknown>) => unknown;
}

export function route<
  Response extends Schema,
  Params extends Schema | undefined = undefined,
  Query extends Schema | undefined = undefined,
  Body extends Schema | undefined = undefined,
>(declaration: RouteDeclaration<Params, Query, Body, Response>): Route {
  return declaration as unknown as Route;
}

export interface BatchDeclaration<
  Item extends Schema,
  Response extends Schema,
  Query extends Schema | undefined = undefined,
> {
  path: `/${string}`;
  access: Scope;
  summary: string;
  description?: string;
  query?: Query;
  /** Documents one item; the handler judges each by itself. */
  item: Item;
  response: Response;
  handle: (request: Request<undefined, Output<Query>, unknown[]>) => Promise<z.input<Response>>;
}

/** A POST whose body is one item, an array of items, or one item a line (NDJSON). */
export function batchRoute<
  Item extends Schema,
  Response extends Schema,
  Query extends Schema | undefined = undefined,
>({ item, ...declaration }: BatchDeclaration<Item, Response, Query>): Route {
  return { ...declaration, method: 'post', body: item, batch: true } as unknown as Route;
}

export interface RawRequest extends Principal {
  requestId: string;
  /** Inflated; empty when nothing was sent. */
  bytes: Uint8Array;
  contentType: string | undefined;
}

export interface RawAnswer {
  status: number;
  contentType: string;
  bytes: Uint8Array;
}

/** How a route speaks that follows somebody else's protocol down to its errors. */
export interface RawHandling {
  /** Content types that it takes and answers with, for the documentation. */
  types: string[];
  handle: (request: RawRequest) => Promise<RawAnswer> | RawAnswer;
  /** What a failure looks like to its callers: that of a key or a limit as much as its own. */
  refuse: (problem: Problem, contentType: string | undefined) => RawAnswer;
}

export interface RawDeclaration extends RawHandling {
  method: 'post' | 'head';
  path: `/${string}`;
  access: Scope | 'public';
  summary: string;
  description?: string;
}

/** An endpoint that takes and answers bytes. Key, scope, limits and documentation are those of every route. */
export function rawRoute({ types, handle, refuse, ...declaration }: RawDeclaration): Route {
  const bytes = z.unknown().meta({ type: 'string', format: 'binary' });
  return {
    ...declaration,
    ...(declaration.method === 'head' ? {} : { body: bytes }),
    response: bytes,
    raw: { types, handle, refuse },
    handle: () => undefined,
  };
}
