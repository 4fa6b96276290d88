import { gunzipSync } from 'node:zlib';
import { startTestRollcall, type TestRollcall } from '../rollcall/start.ts';

let rollcall: TestRollcall;
beforeAll(async () => {
  rollcall = await startTestRollcall();
});
afterAll(() => rollcall.stop());

const service = (entity_id: string) => ({ entity_type: 'service', entity_id });

describe('a problem', () => {
  test('is an RFC 9457 document with a code, a place, a reason and the id of its request', async () => {
    const answer = await rollcall.post('/api/v1/entities', { ...service('a'), tags: 'one' });
    expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(answer.body).toEqual({
      type: 'https://rollcall.dev/problems/invalid_request',
      title: 'Unprocessable Entity',
      status: 422,
      code: 'invalid_request',
      detail: expect.stringContaining('tags: '),
      request_id: answer.headers.get('x-request-id'),
      errors: [{ path: 'tags', code: 'invalid_type', message: expect.stringMatching(/array/) }],
    });
  });

  test('names every field that is wrong, also inside of others', async () => {
    const { body } = await rollcall.post('/api/v1/entities', {
      entity_type: 'Not A Word',
      parent: { entity_type: 'team' },
      dependencies: [service('a'), { entity_type: 'service', entity_id: 7 }],
      metadata: { deep: { text: 'a\u0000b' } },
    });
    expect(
      body.errors.map(({ path, code }: { path: string; code: string }) => [path, code]),
    ).toEqual([
      ['entity_id', 'required'],
      ['entity_type', 'invalid_format'],
      ['parent.entity_id', 'required'],
      ['dependencies.1.entity_id', 'invalid_type'],
      ['metadata.deep.text', 'unstorable_text'],
    ]);
  });

  test('of ours says nothing of the inside', async () => {
    await rollcall.sql(`
      create function public.fail() returns trigger language plpgsql as
      $$ begin raise exception using errcode = 'XX000', message = 'inner workings', detail = 'a row'; end $$;
      create trigger fail before insert on rollcall.entities for each row execute function public.fail()`);
    const answer = await rollcall.post('/api/v1/entities', service('doomed'));
    await rollcall.sql('drop function public.fail() cascade');
    expect(answer.status).toBe(500);
    expect(answer.body).toMatchObject({ code: 'internal', request_id: expect.any(String) });
    expect(JSON.stringify(answer.body)).not.toMatch(/inner|row|XX000|plpgsql/);
    expect((await rollcall.post('/api/v1/entities', service('saved'))).status).toBe(201);
  });
});

test('every answer has a request id of its own', async () => {
  const paths = [
    '/healthz',
    '/api/v1/whoami',
    '/api/v1/entities',
    '/nowhere',
    '/openapi.json',
    '/docs',
  ];
  const answers = await Promise.all([...paths, ...paths].map((path) => rollcall.get(path)));
  const ids = answers.map(({ headers }) => headers.get('x-request-id'));
  for (const id of ids) expect(id).toMatch(/^[0-9a-f-]{36}$/);
  expect(new Set(ids).size).toBe(ids.length);
});

describe('an address that is not there', () => {
  test.each([
    '/nowhere',
    '/api/v1',
    '/api/v2/telemetry',
    '/api/v1/telemetry/1',
    '/api/v1/entities/service',
    '/docs/assets/none.js',
    '/../etc/passwd',
  ])('%s is a 404 that says where to look', async (path) => {
    for (const method of ['GET', 'POST', 'DELETE']) {
      const { status, body } = await rollcall.call(
        method,
        path,
        method === 'POST' ? {} : undefined,
      );
      expect(status).toBe(404);
      expect(body).toMatchObject({
        code: 'no_such_route',
        detail: expect.stringContaining('/docs'),
      });
    }
  });

  test('with a method that is not meant for it is a 405 with those that are', async () => {
    const allowed: Record<string, string[]> = {
      '/healthz': ['GET'],
      '/api/v1/telemetry': ['GET', 'POST'],
      '/api/v1/entities/service/a': ['GET', 'DELETE'],
      '/api/v1/entities/service/a/state': ['GET', 'PUT'],
      '/api/v1/gaps/rules': ['GET', 'PUT'],
      // Not the gap of that id.
      '/api/v1/gaps/check': ['POST'],
      '/api/v1/whoami': ['GET'],
    };
    for (const [path, methods] of Object.entries(allowed)) {
      for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'PATCH'].filter(
        (each) => !methods.includes(each),
      )) {
        const { status, body, headers } = await rollcall.call(method, path);
        expect([method, path, status, body.code]).toEqual([
          method,
          path,
          405,
          'method_not_allowed',
        ]);
        expect(headers.get('allow')?.split(', ').sort()).toEqual([...methods].sort());
      }
    }
  });
});

test('HEAD answers as GET does, without a body', async () => {
  const { status, headers, body } = await rollcall.call('HEAD', '/api/v1/entities');
  expect([status, body]).toEqual([200, '']);
  expect(headers.get('content-type')).toContain('application/json');
});

test('answers carry the headers that keep browsers safe, and do not say what serves them', async () => {
  for (const path of ['/api/v1/entities', '/docs', '/nowhere', '/openapi.json']) {
    const { headers } = await rollcall.get(path);
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-security-policy': expect.stringContaining("default-src 'self'"),
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'SAMEORIGIN',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
    });
    expect(headers.get('x-powered-by')).toBeNull();
    expect(headers.get('access-control-allow-origin')).toBeNull();
    // The server speaks plain HTTP; a proxy in front of it adds this one.
    expect(headers.get('strict-transport-security')).toBeNull();
  }
});

test('long answers are compressed for those who take it', async () => {
  const response = await new Promise<{ encoding: string | undefined; body: Buffer }>((resolve) => {
    void import('node:http').then(({ get }) =>
      get(`${rollcall.url}/openapi.json`, { headers: { 'accept-encoding': 'gzip' } }, (answer) => {
        const parts: Buffer[] = [];
        answer.on('data', (part: Buffer) => parts.push(part));
        answer.on('end', () =>
          resolve({ encoding: answer.headers['content-encoding'], body: Buffer.concat(parts) }),
        );
      }),
    );
  });
  expect(response.encoding).toBe('gzip');
  expect(JSON.parse(gunzipSync(response.body).toString())).toMatchObject({ openapi: '3.1.0' });
});
