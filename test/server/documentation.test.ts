import type { Route } from '../../server/src/platform/http/route.ts';
import { addressOf, nameOf, routeExamples } from '../rollcall/route-examples.ts';
import { settleTenant } from '../rollcall/settled-tenant.ts';
import { startTestRollcall, type TestRollcall } from '../rollcall/start.ts';

const A_TENANT_FOR_EACH_ROUTE_MS = 180_000;

let rollcall: TestRollcall;
// What a test reads from the document is whatever it holds.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
let document: any;
beforeAll(async () => {
  rollcall = await startTestRollcall();
  document = (await rollcall.get('/openapi.json', { key: null })).body;
});
afterAll(() => rollcall.stop());

const templateOf = ({ path }: Route) => path.replace(/:([a-z_]+)/g, '{$1}');
const operationOf = (route: Route) => document.paths[templateOf(route)]?.[route.method];

/** Every object in the document that has this key, with its path. */
function* having(
  key: string,
  value: unknown = document,
  at = '#',
): Generator<[string, Record<string, unknown>]> {
  if (typeof value !== 'object' || value === null) return;
  if (key in value) yield [at, value as Record<string, unknown>];
  for (const [name, child] of Object.entries(value)) yield* having(key, child, `${at}/${name}`);
}

function resolve(reference: string): unknown {
  return reference
    .replace(/^#\//, '')
    .split('/')
    .reduce<unknown>(
      (value, key) => (value as Record<string, unknown> | undefined)?.[key],
      document,
    );
}

describe('/openapi.json', () => {
  test('is OpenAPI 3.1 and needs no key', () => {
    expect(document).toMatchObject({
      openapi: expect.stringMatching(/^3\.1\.\d$/),
      info: { title: 'Rollcall', version: expect.any(String) },
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer' },
          header: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
        },
      },
    });
  });

  test('names every route with what it needs, and no other', () => {
    for (const route of rollcall.rollcall.routes) {
      const operation = operationOf(route);
      expect([nameOf(route), operation?.summary]).toEqual([nameOf(route), route.summary]);
      if (route.access === 'public') expect(operation.security).toEqual([]);
      else expect(operation.security).toBeUndefined();
      if (!['public', 'any'].includes(route.access))
        expect(operation.description).toContain(`\`${route.access}\``);
      expect(operation.requestBody !== undefined).toBe(route.body !== undefined);
    }
    const documented = Object.values(document.paths as object).flatMap((path: object) =>
      Object.keys(path),
    );
    expect(documented).toHaveLength(rollcall.rollcall.routes.length);
  });

  test('says how a stream is gone on with, and what a request is that accepts none', () => {
    for (const route of rollcall.rollcall.routes) {
      const { parameters = [], responses } = operationOf(route);
      const headers = (parameters as { in: string; name: string }[]).filter(
        (parameter) => parameter.in === 'header',
      );
      expect([nameOf(route), headers.map(({ name }) => name)]).toEqual([
        nameOf(route),
        route.path === '/api/v1/live' ? ['Last-Event-ID'] : [],
      ]);
      expect('406' in responses).toBe(route.stream !== undefined);
    }
  });

  test('gives each operation an id of its own, each parameter a place and each answer a meaning', () => {
    const ids = new Set<string>();
    for (const route of rollcall.rollcall.routes) {
      const operation = operationOf(route);
      expect(operation.operationId).toMatch(/^[a-z_]+$/);
      ids.add(operation.operationId as string);
      const inPath = (operation.parameters ?? []).filter(
        (parameter: { in: string }) => parameter.in === 'path',
      );
      expect(inPath.map(({ name }: { name: string }) => `:${name}`)).toEqual(
        route.path.match(/:[a-z_]+/g) ?? [],
      );
      for (const parameter of operation.parameters ?? []) {
        expect(parameter).toMatchObject({
          in: expect.stringMatching(/^(path|query|header)$/),
          schema: expect.any(Object),
        });
        if (parameter.in === 'path') expect(parameter.required).toBe(true);
      }
      for (const [status, response] of Object.entries<{ description: string; content: object }>(
        operation.responses as object as never,
      )) {
        expect(status).toMatch(/^[245]\d\d$/);
        expect(response.description).not.toBe('');
        const good = route.stream ? 'text/event-stream' : 'application/json';
        const type = Number(status) < 300 ? good : 'application/problem+json';
        const others = Number(status) < 300 ? (route.text?.types ?? []) : [];
        expect(Object.keys(response.content)).toEqual(route.raw?.types ?? [type, ...others]);
      }
      expect(operation.responses).toHaveProperty(route.later ? '202' : '200');
    }
    expect(ids.size).toBe(rollcall.rollcall.routes.length);
  });

  test('refers to nothing that is not there', () => {
    const references = [...having('$ref')].map(([, { $ref }]) => $ref as string);
    expect(references.length).toBeGreaterThan(20);
    for (const reference of references)
      expect([reference, resolve(reference)]).toEqual([reference, expect.any(Object)]);
  });

  test('holds schemas whose types and required fields exist', () => {
    const types = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null'];
    for (const [at, { type }] of having('type')) {
      if (/securitySchemes|properties$/.test(at)) continue;
      for (const each of [type].flat())
        expect([at, types]).toEqual([at, expect.arrayContaining([each])]);
    }
    for (const [at, { required, properties }] of having('required')) {
      if (!Array.isArray(required)) continue;
      for (const field of required)
        expect([at, properties]).toEqual([
          at,
          expect.objectContaining({ [field]: expect.anything() }),
        ]);
    }
  });
});

/** Of what a settled tenant has, this is done already: there is nothing to retry. */
const CONFLICTS = ['POST /api/v1/gaps/fixes/:id/retry'];

test(
  'every answer is what its route declares, no field more and no field less',
  async () => {
    for (const [index, route] of rollcall.rollcall.routes.entries()) {
      const names = await settleTenant(rollcall, `reader-${index}`);
      const key = await rollcall.keyFor(`reader-${index}`);
      const [example = {}] = routeExamples(names)[nameOf(route)] ?? [];
      const { status, body } = await rollcall.call(
        route.method.toUpperCase(),
        addressOf(route.path, example),
        example.body,
        { key },
      );
      const declared = Object.keys(operationOf(route).responses as object);
      expect([nameOf(route), declared]).toEqual([
        nameOf(route),
        expect.arrayContaining([String(status)]),
      ]);
      if (CONFLICTS.includes(nameOf(route))) {
        expect([status, body.code]).toEqual([409, expect.stringMatching(/^[a-z_]+$/)]);
        continue;
      }
      expect([nameOf(route), status, status < 300]).toEqual([nameOf(route), status, true]);
      expect(route.response.parse(body)).toEqual(body);
    }
  },
  A_TENANT_FOR_EACH_ROUTE_MS,
);

describe('/docs', () => {
  test('and all that it loads come from this server', async () => {
    const page = await rollcall.get('/docs', { key: null });
    expect(page.status).toBe(200);
    const html = page.body as string;
    const links = [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, link = '']) => link);
    expect(links.filter((link) => link.startsWith('/'))).toHaveLength(3);
    for (const link of links) {
      if (link === 'data:,') continue;
      expect(link).toMatch(/^\/(?!\/)/);
      const asset = await rollcall.get(link, { key: null });
      expect([link, asset.status]).toEqual([link, 200]);
      expect(asset.headers.get('content-type')).toMatch(
        link.endsWith('.css') ? /css/ : /javascript/,
      );
      if (link.endsWith('.css')) {
        const addresses = [...(asset.body as string).matchAll(/url\(\s*["']?([^"')]+)/g)].map(
          ([, address]) => address,
        );
        for (const address of addresses) expect(address).toMatch(/^(data:|#)/);
      }
    }
    expect(html).not.toMatch(/https?:\/\//);
    expect((await rollcall.get('/docs/start.js')).body).toMatch(
      /url: '\/openapi\.json'.*validatorUrl: null/,
    );
  });

  test('are kept to it by their policy', async () => {
    const policy = (await rollcall.get('/docs')).headers.get('content-security-policy') ?? '';
    const directives = new Map(
      policy.split(';').map((part) => [part.split(' ')[0] ?? '', part.split(' ').slice(1)]),
    );
    expect(directives.get('default-src')).toEqual(["'self'"]);
    expect(directives.get('script-src')).toEqual(["'self'"]);
    for (const [name, sources] of directives) {
      for (const source of sources)
        expect([name, ["'self'", "'none'", "'unsafe-inline'", 'data:']]).toEqual([
          name,
          expect.arrayContaining([source]),
        ]);
    }
  });
});
