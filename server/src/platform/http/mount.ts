import type {
  NextFunction,
  Request as HttpRequest,
  RequestHandler,
  Response,
  Router,
} from 'express';
import type { Scope } from '@rollcall/client/contract';
import { Problem } from '../problem.ts';
import { authenticate, type VerifyKey } from './authenticate.ts';
import { parseBatch, parseJson, readBody, readBytes } from './body.ts';
import { limitFailures, limitKeys } from './limit.ts';
import { answerRaw, answersRaw } from './raw.ts';
import type { Principal, Route } from './route.ts';
import { answerStream, type Streams } from './streams.ts';
import { validate } from './validate.ts';

export interface MountOptions {
  verifyKey: VerifyKey;
  /** Requests a second and key; 0 for no limit. */
  rateLimit: number;
  /** Bytes. */
  bodyLimit: number;
  batchBodyLimit: number;
  streams: Streams;
}

const NOBODY: Principal = { keyId: '', tenant: '', project: '', actor: '', scopes: [] };

/** Turns declarations into Express handlers: key, limit, body, validation, handler, answer. */
export function mount(router: Router, routes: Route[], options: MountOptions): void {
  const limit = limitKeys(options.rateLimit);
  const countFailure = limitFailures();
  const json = readBody(options.bodyLimit);
  const batch = readBody(options.batchBodyLimit);
  const bytes = readBytes(options.batchBodyLimit);

  const identify =
    (access: Scope | 'any'): RequestHandler =>
    async (request, _response, next) => {
      try {
        const principal = await authenticate(request, access, options.verifyKey);
        Object.assign(request, { principal, keyId: principal.keyId });
      } catch (error) {
        if (error instanceof Problem && error.status === 401) countFailure(request.ip ?? '');
        throw error;
      }
      next();
    };

  const methods = new Map<string, Set<string>>();
  for (const { path, method } of routes) {
    methods.set(path, (methods.get(path) ?? new Set()).add(method.toUpperCase()));
  }
  const refuseOtherMethods = (path: string): void => {
    const allowed = [...(methods.get(path) ?? [])];
    router.all(path, (_request, response) => {
      response.set('Allow', allowed.join(', '));
      throw new Problem(405, 'method_not_allowed', { detail: `Use ${allowed.join(' or ')} here.` });
    });
  };
  // A name that stands in a path is never taken for another path's parameter, whatever the method.
  const isFixed = ({ path }: { path: string }) => !path.includes(':');
  const [fixed, open] = [routes.filter(isFixed), routes.filter((route) => !isFixed(route))];
  const mountRoute = (route: Route): void => {
    const chain: RequestHandler[] = route.raw ? [answersRaw(route.raw)] : [];
    if (route.access !== 'public') {
      chain.push(identify(route.access));
      if (limit) chain.push(limit);
    }
    if (route.body) chain.push(route.raw ? bytes : route.batch || route.largeBody ? batch : json);
    chain.push(
      route.stream
        ? answerStream(route, route.stream, options)
        : route.raw
          ? answerRaw(route.raw, NOBODY)
          : answer(route),
    );
    router[route.method](route.path, ...chain);
  };
  for (const group of [fixed, open]) {
    group.forEach(mountRoute);
    new Set(group.map(({ path }) => path)).forEach(refuseOtherMethods);
  }
}

function answer(route: Route): RequestHandler {
  return async (request: HttpRequest, response: Response, _next: NextFunction) => {
    const principal = (request as { principal?: Principal }).principal ?? NOBODY;
    const params = route.params && validate(route.params, request.params, 'path');
    const query = route.query && validate(route.query, request.query, 'query');
    const result = await route.handle({
      ...principal,
      requestId: request.id as string,
      params,
      query,
      body: readRouteBody(route, request),
    });
    const { type, text } = route.text?.render(result, query) ?? {
      type: 'application/json',
      text: JSON.stringify(result),
    };
    response
      .status(route.status?.(result) ?? (route.later ? 202 : 200))
      .type(type)
      .send(text);
  };
}

function readRouteBody(route: Route, request: HttpRequest): unknown {
  if (!route.body) return undefined;
  if (route.batch) return parseBatch(request.body, request.headers['content-type']);
  const empty = !Buffer.isBuffer(request.body) || request.body.length === 0;
  if (empty && route.body.safeParse({}).success) return validate(route.body, {});
  return validate(route.body, parseJson(request.body));
}
