import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import compression from 'compression';
import express, { type Express } from 'express';
import helmet from 'helmet';
import type { SerializedRequest, SerializedResponse } from 'pino';
import { pinoHttp } from 'pino-http';
import { documentation } from './platform/http/documentation.ts';
import { mount, type MountOptions } from './platform/http/mount.ts';
import { renderProblem } from './platform/http/render-problem.ts';
import type { Route } from './platform/http/route.ts';
import type { Log } from './platform/log.ts';
import { Problem } from './platform/problem.ts';

export interface AppOptions extends MountOptions {
  routes: Route[];
  log: Log;
  version: string;
}

const pages = fileURLToPath(new URL('../public/', import.meta.url));

/** The HTTP door: everything between a socket and a route's handler. */
export function createApp({ routes, log, version, ...options }: AppOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.set('query parser', 'simple');
  app.use(
    pinoHttp({
      logger: log,
      genReqId: (_request, response) => {
        const id = randomUUID();
        response.setHeader('X-Request-Id', id);
        return id;
      },
      // The path without its query: a caller may have put anything there.
      serializers: {
        req: ({ id, method, url }: SerializedRequest) => ({ id, method, path: url.split('?')[0] }),
        res: ({ statusCode }: SerializedResponse) => ({ status: statusCode }),
        err: () => undefined,
      },
      // Of a 503 that is ours the cause is logged where it is rendered.
      customLogLevel: (_request, { statusCode }) =>
        statusCode >= 500 && statusCode !== 503 ? 'error' : statusCode >= 400 ? 'warn' : 'debug',
    }),
  );
  app.use(
    helmet({
      contentSecurityPolicy: {
        directives: {
          'style-src': ["'self'", "'unsafe-inline'"],
          'font-src': ["'self'", 'data:'],
          'upgrade-insecure-requests': null,
        },
      },
      strictTransportSecurity: false,
    }),
  );
  app.use(compression({ threshold: 4096 }));
  mount(app, routes, options);
  app.use(documentation(routes, version));
  app.use(express.static(pages, { maxAge: '5m' }));
  app.use((request, _response) => {
    throw new Problem(404, 'no_such_route', {
      detail: `Nothing is at ${request.path}. See /docs for what there is.`,
    });
  });
  app.use(renderProblem(log));
  return app;
}
