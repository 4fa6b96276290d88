import { z } from 'zod';
import { Problem } from '../problem.ts';
import { route, type Route } from './route.ts';

interface Health {
  /** Rejects when the database does not answer. */
  ping: () => Promise<unknown>;
  isStopping: () => boolean;
}

export function healthRoutes({ ping, isStopping }: Health): Route[] {
  const status = z.object({ status: z.literal('ok') });
  return [
    route({
      method: 'get',
      path: '/healthz',
      access: 'public',
      summary: 'Is the process alive?',
      response: status,
      handle: () => ({ status: 'ok' as const }),
    }),
    route({
      method: 'get',
      path: '/readyz',
      access: 'public',
      summary: 'Does the database answer?',
      response: status,
      handle: async () => {
        if (isStopping())
          throw new Problem(503, 'shutting_down', {
            detail: 'The server is stopping.',
            retryAfter: 5,
          });
        await ping();
        return { status: 'ok' as const };
      },
    }),
  ];
}
