import { z } from 'zod';
import {
  createDocument,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
} from 'zod-openapi';
import type { Route } from './route.ts';

const ProblemSchema = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.number(),
    code: z.string(),
    detail: z.string(),
    request_id: z.string(),
    errors: z
      .array(z.object({ path: z.string(), code: z.string(), message: z.string() }))
      .optional(),
  })
  .meta({
    id: 'Problem',
    description: 'RFC 9457. `code` is stable; `detail` says what to do next.',
  });

const problemDocument = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: ProblemSchema } },
});

const LAST_EVENT_ID = z.object({
  'Last-Event-ID': z.string().optional().meta({
    description: 'The id of the last event that was seen: the stream goes on after it.',
  }),
});

const answer = (description: string, { response, raw, stream, text }: Route) => ({
  description,
  content: {
    ...contentOf(raw?.types ?? [stream ? 'text/event-stream' : 'application/json'], response),
    ...contentOf(text?.types ?? [], z.string()),
  },
});

const contentOf = (types: string[], schema: z.ZodType) =>
  Object.fromEntries(types.map((type) => [type, { schema }]));

/** OpenAPI 3.1, from the declarations that serve the requests. */
export function openApiDocument(routes: Route[], version: string): object {
  const paths: ZodOpenApiPathsObject = {};
  for (const route of routes) {
    const path = route.path.replace(/:([a-z_]+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method]: operation(route) };
  }
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'Rollcall',
      version,
      description:
        'Registry and telemetry of an automation fleet. Keys travel as `Authorization: Bearer rc_...` or `X-API-Key`.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    security: [{ bearer: [] }, { header: [] }],
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        header: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
      },
    },
    paths,
  });
}

/** What a path names may be gone, or never have been. */
const notFoundOf = ({ params, notFound }: Route): string | undefined =>
  notFound ?? (params && 'There is no such thing here');

function operation(route: Route): ZodOpenApiOperationObject {
  const open = route.access === 'public';
  const notFound = notFoundOf(route);
  const problem = (description: string) =>
    route.raw ? answer(description, route) : problemDocument(description);
  return {
    operationId: `${route.method}_${route.path
      .replace(/^\/(api\/v1\/)?/, '')
      .replace(/[^a-z]+/g, '_')
      .replace(/_$/, '')}`,
    summary: route.summary,
    tags: [route.path.split('/')[3] ?? 'server'],
    description: [
      route.description,
      open || route.access === 'any' ? '' : `Scope: \`${route.access}\`.`,
    ]
      .filter(Boolean)
      .join('\n\n'),
    ...(open ? { security: [] } : {}),
    requestParams: {
      ...(route.params ? { path: route.params as z.ZodObject } : {}),
      ...(route.query ? { query: route.query as z.ZodObject } : {}),
      ...(route.resumable ? { header: LAST_EVENT_ID } : {}),
    },
    ...(route.body ? { requestBody: requestBody(route, route.body) } : {}),
    responses: {
      ...(route.later
        ? { 202: answer('Accepted; it is done later', route) }
        : { 200: answer('Done', route) }),
      ...(route.status ? { 201: answer('Created', route) } : {}),
      ...(open
        ? {}
        : {
            401: problem('No valid key'),
            403: problem('The key lacks the scope'),
            429: problem('Too many requests'),
          }),
      ...(notFound ? { 404: problem(notFound) } : {}),
      ...(route.conflict ? { 409: problem(route.conflict) } : {}),
      ...(route.stream
        ? {
            406: problem(
              'The request accepts no text/event-stream; send Accept: text/event-stream',
            ),
          }
        : {}),
      ...(route.body || route.query || route.params
        ? { 422: problem('Something in the request is wrong; `errors` says what') }
        : {}),
      ...(route.body || route.params
        ? { 400: problem('The path or the body cannot be read') }
        : {}),
      ...(route.body
        ? {
            413: problem('The body is too large'),
            415: problem('The body is of a type, or in an encoding, that is not taken'),
          }
        : {}),
      503: problem(
        'The database does not answer, or too much is waiting; Retry-After says when to try again',
      ),
    },
  };
}

function requestBody(route: Route, body: z.ZodType): ZodOpenApiOperationObject['requestBody'] {
  if (route.raw) return { required: true, content: contentOf(route.raw.types, body) };
  if (!route.batch) return { required: true, content: { 'application/json': { schema: body } } };
  return {
    required: true,
    content: {
      'application/json': { schema: z.union([body, z.array(body)]) },
      'application/x-ndjson': { schema: body },
    },
  };
}
