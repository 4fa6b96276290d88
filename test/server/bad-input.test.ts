import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import type { Route } from '../../server/src/platform/http/route.ts';
import { fingerprintOf } from '../rollcall/fingerprint.ts';
import {
  addressOf,
  nameOf,
  routeExamples,
  type Names,
  type RouteExample,
} from '../rollcall/route-examples.ts';
import { settleTenant, strangers } from '../rollcall/settled-tenant.ts';
import { startTestRollcall, type Answer, type TestRollcall } from '../rollcall/start.ts';
import {
  changed,
  changes,
  hostileText,
  HOSTILE_TEXTS,
  HOSTILE_VALUES,
  queryText,
} from './hostile-values.ts';

let rollcall: TestRollcall;
let key: string;
let names: Names;
let fingerprint: () => Promise<string>;
beforeAll(async () => {
  rollcall = await startTestRollcall();
  names = await settleTenant(rollcall, 'target');
  key = await rollcall.keyFor('target');
  fingerprint = await fingerprintOf(rollcall);
  await rollcall.get('/api/v1/whoami', { key });
  while (
    (
      await rollcall.sql(
        `select from rollcall.api_keys where last_used_at is null and tenant_id = 'target'`,
      )
    ).length > 0
  );
});
afterAll(() => rollcall.stop());

const routes = Object.entries(routeExamples(strangers('none'))).map(([name]) => name);
const routeOf = (name: string): Route => {
  const route = rollcall.rollcall.routes.find((each) => nameOf(each) === name);
  if (!route) throw new Error(`There is no route ${name}`);
  return route;
};

/** What a bad request must be answered with, and what it must leave alone. */
function expectRefusal(answer: Answer): void {
  expect(answer.status).toBeLessThan(500);
  if (answer.status < 400) return;
  if (answer.body.details) return expectStatus(answer);
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  expect(answer.body).toMatchObject({
    type: expect.stringContaining('http'),
    title: expect.any(String),
    status: answer.status,
    code: expect.stringMatching(/^[a-z][a-z0-9_]+$/),
    detail: expect.stringMatching(/./),
    request_id: answer.headers.get('x-request-id'),
  });
  for (const error of answer.body.errors ?? []) {
    expect(error).toEqual({
      path: expect.any(String),
      code: expect.any(String),
      message: expect.stringMatching(/./),
    });
  }
  // Nothing is left for the database to find: it knows no path.
  expect(answer.body.detail).not.toContain('The database refused');
  if (['invalid_request', 'nothing_kept'].includes(answer.body.code as string)) {
    expect(answer.body.errors.length).toBeGreaterThan(0);
  }
}

/** OTLP's way of saying what is wrong. */
function expectStatus({ body }: Answer): void {
  expect(body).toEqual({
    code: expect.any(Number),
    message: expect.stringMatching(/./),
    details: [
      expect.objectContaining({
        '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
        reason: expect.stringMatching(/^[a-z][a-z0-9_]+$/),
      }),
    ],
  });
}

async function send(name: string, example: RouteExample): Promise<Answer> {
  const { method, path } = routeOf(name);
  return rollcall.call(method.toUpperCase(), addressOf(path, example), example.body, { key });
}

const fieldsOf = (schema: unknown): string[] =>
  Object.keys((schema as { shape?: object })?.shape ?? {});
const first = (name: string): RouteExample =>
  structuredClone(routeExamples(names)[name]?.[0] ?? {});

describe('each field that is wrong is named with a reason, and nothing is written', () => {
  /** Wrong for every field there is: no text, no number, no list, and as an object it holds what cannot be stored. */
  const wrong = { 'a\u0000b': { '\ud800': [] } };

  test.each(routes)('%s', async (name) => {
    const { body, query, params, raw } = routeOf(name);
    const before = await fingerprint();
    const attempts: [string, RouteExample][] = [
      ...fieldsOf(body).map((field): [string, RouteExample] => [
        field,
        { ...first(name), body: { ...(first(name).body as object), [field]: wrong } },
      ]),
      ...fieldsOf(query).map((field): [string, RouteExample] => [
        `query.${field}`,
        { ...first(name), query: { ...first(name).query, [field]: '\u0000' } },
      ]),
      ...fieldsOf(params).map((field): [string, RouteExample] => [
        `path.${field}`,
        { ...first(name), params: { ...first(name).params, [field]: '\u0000' } },
      ]),
    ];
    // OTLP asks to ignore what is not known.
    if (body && !raw)
      attempts.push([
        'colour',
        { ...first(name), body: { ...(first(name).body as object), colour: 'red' } },
      ]);
    if (query)
      attempts.push([
        'query.colour',
        { ...first(name), query: { ...first(name).query, colour: 'red' } },
      ]);
    for (const [path, example] of attempts) {
      const answer = await send(name, example);
      expectRefusal(answer);
      expect([path, answer.status]).toEqual([path, 422]);
      const told = answer.body.errors.map((error: { path: string }) =>
        error.path.replace(/^0\./, ''),
      );
      expect([path, told.filter((each: string) => !`${each}.`.startsWith(`${path}.`))]).toEqual([
        path,
        [],
      ]);
    }
    expect(await fingerprint()).toBe(before);
  });
});

describe('each field takes or refuses whatever comes, with a path', () => {
  test.each(routes)('%s', async (name) => {
    const { body, query, params } = routeOf(name);
    const good = first(name);
    const texts = HOSTILE_TEXTS.map((text) => text.toWellFormed());
    const attempts: RouteExample[][] = [
      ...fieldsOf(body).map((field) =>
        HOSTILE_VALUES.map((value) => ({
          ...good,
          body: { ...(good.body as object), [field]: value },
        })),
      ),
      ...fieldsOf(query).map((field) =>
        texts.map((text) => ({ ...good, query: { ...good.query, [field]: text } })),
      ),
      ...fieldsOf(params).map((field) =>
        texts.map((text) => ({ ...good, params: { ...good.params, [field]: text } })),
      ),
    ];
    for (const examples of attempts) {
      const answers = await Promise.all(examples.map((example) => send(name, example)));
      for (const answer of answers) expectRefusal(answer);
    }
  });
});

test('no request is answered with a failure of ours, and a refused one writes nothing', async () => {
  await inventoriesEnd();
  let before = await fingerprint();
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...routes),
      changes,
      fc.dictionary(fc.string({ maxLength: 5 }), queryText, { maxKeys: 1 }),
      fc.array(fc.tuple(fc.nat(), queryText), { maxLength: 2 }),
      fc.option(hostileText, { freq: 5 }),
      async (name, list, strange, queries, param) => {
        const route = routeOf(name);
        const good = first(name);
        const query = { ...good.query, ...strange };
        for (const [at, value] of queries) {
          const fields = fieldsOf(route.query);
          if (fields.length > 0) query[fields[at % fields.length] as string] = value;
        }
        const params = { ...good.params };
        const [field] = Object.keys(params);
        if (field && param !== null) params[field] = param.toWellFormed();
        const answer = await send(name, {
          params,
          ...(route.query ? { query: wellFormed(query) } : {}),
          ...(route.body ? { body: changed(good.body, list, fieldsOf(route.body)) } : {}),
        });
        expectRefusal(answer);
        if (answer.status === 202) await inventoriesEnd();
        const after = await fingerprint();
        if (answer.status >= 400) expect(after).toBe(before);
        before = after;
      },
    ),
    { numRuns: 700 },
  );
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  expect((await rollcall.get('/readyz')).status).toBe(200);
});

/** What was accepted for later writes after its answer. */
async function inventoriesEnd(): Promise<void> {
  const going = `select from rollcall.n8n_connections where sync_state <> 'idle'`;
  while ((await rollcall.sql(going)).length > 0) await delay(20);
}

/** An address holds no half of a surrogate pair. */
function wellFormed(query: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(query).map(([field, value]) => [field.toWellFormed(), value.toWellFormed()]),
  );
}

test('a batch keeps exactly its good events, whatever stands beside them', async () => {
  const good = () => ({
    ...(first('POST /api/v1/telemetry').body as object),
    event_id: crypto.randomUUID(),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.option(changes, { freq: 2 }), { minLength: 1, maxLength: 6 }),
      async (items) => {
        const fields = Object.keys(good());
        const batch = items.map((list) => (list ? changed(good(), list, fields) : good()));
        const { status, body } = await rollcall.post('/api/v1/telemetry', batch, { key });
        expect(body.results).toHaveLength(items.length);
        expect(status).toBe(body.rejected === items.length ? 422 : 200);
        for (const [index, list] of items.entries()) {
          const result = body.results[index];
          if (list === null) expect(result).toMatchObject({ index, status: 'accepted' });
          if (result.status === 'rejected') {
            expect(result).toMatchObject({
              index,
              code: expect.any(String),
              path: expect.any(String),
              message: expect.stringMatching(/./),
            });
          }
        }
        const kept = body.results.filter(
          (result: { status: string }) => result.status === 'accepted',
        );
        const rows = await rollcall.sql<{ event_id: string }>(
          'select event_id from rollcall.telemetry where event_id = any ($1)',
          [kept.map(({ event_id }: { event_id: string }) => event_id)],
        );
        expect(rows).toHaveLength(body.accepted);
      },
    ),
    { numRuns: 80 },
  );
});
