import { createHash } from 'node:crypto';
import type { Scope } from '@rollcall/client/contract';
import { dumpTenant } from '../../../../test/rollcall/dump.ts';
import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';
import { freshTenant } from '../../../../test/rollcall/tenant.ts';
import { makeKey } from './keys.ts';

let rollcall: TestRollcall;
beforeAll(async () => {
  rollcall = await startTestRollcall();
});
afterAll(() => rollcall.stop());

const whoami = (headers: Record<string, string>) =>
  rollcall.get('/api/v1/whoami', { key: null, headers });
const withKey = (key: string) => rollcall.get('/api/v1/whoami', { key });
const create = (body: object, key = rollcall.key) => rollcall.post('/api/v1/keys', body, { key });
const inSeconds = (seconds: number) =>
  new Date(rollcall.clock.now().getTime() + seconds * 1000).toISOString();

describe('a request', () => {
  test.each([
    ['no key', {}, 'missing_key'],
    ['an empty key', { 'x-api-key': '' }, 'missing_key'],
    ['an empty header', { authorization: '' }, 'missing_key'],
    ['a scheme without a key', { authorization: 'Bearer' }, 'missing_key'],
    ['another scheme', { authorization: 'Basic cmM6cmM=' }, 'missing_key'],
    ['a key that is no key', { authorization: 'Bearer rc_short' }, 'invalid_key'],
    ['a key with a character too many', { 'x-api-key': `${makeKey()}x` }, 'invalid_key'],
    ['a key of another make', { 'x-api-key': `sk_${makeKey().slice(3)}` }, 'invalid_key'],
    ['a key that nobody made', { authorization: `Bearer ${makeKey()}` }, 'invalid_key'],
    ['two keys in one header', { 'x-api-key': `${makeKey()}, ${makeKey()}` }, 'invalid_key'],
    ['a quote in the key', { 'x-api-key': `rc_' or 1=1 --` }, 'invalid_key'],
  ])('with %s is a 401 that says what to send', async (_, headers, code) => {
    const answer = await whoami(headers);
    expect(answer.status).toBe(401);
    expect(answer.body).toMatchObject({ code, detail: expect.stringContaining('key') });
    expect(answer.headers.get('www-authenticate')).toContain('Bearer');
  });

  test('may show its key in either header, in any case of the scheme', async () => {
    const ways: Record<string, string>[] = [
      { authorization: `Bearer ${rollcall.key}` },
      { authorization: `bearer  ${rollcall.key} ` },
      { 'x-api-key': rollcall.key },
    ];
    for (const headers of ways) {
      const { status, body } = await whoami(headers);
      expect(status).toBe(200);
      expect(body).toMatchObject({
        tenant_id: 'default',
        project_id: 'default',
        scopes: ['admin'],
      });
    }
  });

  test.each<[Scope, string]>([
    ['telemetry:read', '/api/v1/telemetry'],
    ['registry:read', '/api/v1/entities'],
    ['gaps:read', '/api/v1/gaps'],
    ['admin', '/api/v1/keys'],
  ])('needs the scope %s for %s, or admin', async (scope, path) => {
    const scopes: Scope[] = ['telemetry:read', 'registry:read', 'gaps:read', 'admin'];
    for (const own of scopes) {
      const key = await rollcall.keyFor('scoped', [own]);
      const { status, body } = await rollcall.get(path, { key });
      if (own === scope || own === 'admin') expect(status).toBe(200);
      else {
        expect([status, body.code]).toEqual([403, 'missing_scope']);
        expect(body.detail).toContain(scope);
      }
    }
  });

  test('may not write with a key that only reads, nor read with one that only writes', async () => {
    const reader = await rollcall.keyFor('scoped', ['registry:read']);
    const writer = await rollcall.keyFor('scoped', ['registry:write']);
    const entity = { entity_type: 'service', entity_id: 'mine' };
    expect((await rollcall.post('/api/v1/entities', entity, { key: reader })).status).toBe(403);
    expect((await rollcall.post('/api/v1/entities', entity, { key: writer })).status).toBe(201);
    expect((await rollcall.get('/api/v1/entities', { key: writer })).status).toBe(403);
  });
});

describe('a created key', () => {
  test('is shown once, and works', async () => {
    const { status, body } = await create({ name: 'ci', scopes: ['registry:read'] });
    expect(status).toBe(201);
    expect(body.key).toMatch(/^rc_[A-Za-z0-9_-]{43}$/);
    expect(body).toMatchObject({
      name: 'ci',
      prefix: body.key.slice(0, 9),
      scopes: ['registry:read'],
      project_id: 'default',
      created_by: 'default admin',
      expires_at: null,
      revoked_at: null,
      last_used_at: null,
    });
    const list = await rollcall.get('/api/v1/keys?limit=500');
    const { key, ...listed } = body;
    expect(list.body.items).toContainEqual(listed);
    expect(JSON.stringify(list.body)).not.toContain(key);
    expect((await withKey(key)).body).toMatchObject({ name: 'ci', scopes: ['registry:read'] });
  });

  test('is in the database as its SHA-256 and nowhere else', async () => {
    const { body } = await create({ name: 'stored', scopes: ['admin'] });
    await withKey(body.key);
    const dump = JSON.stringify(await dumpTenant(rollcall, 'default'));
    expect(dump).not.toContain(body.key);
    expect(dump).not.toContain(body.key.slice(12));
    expect(dump).toContain(createHash('sha256').update(body.key).digest('hex'));
  });

  test.each([
    [{ scopes: ['admin'] }, 'name', 'required'],
    [{ name: '', scopes: ['admin'] }, 'name', 'too_small'],
    [{ name: 'x' }, 'scopes', 'required'],
    [{ name: 'x', scopes: [] }, 'scopes', 'too_small'],
    [{ name: 'x', scopes: ['root'] }, 'scopes.0', 'invalid_value'],
    [{ name: 'x', scopes: ['admin'], project_id: 'nowhere' }, 'project_id', 'unknown_project'],
    [
      { name: 'x', scopes: ['admin'], expires_at: '2001-01-01T00:00:00Z' },
      'expires_at',
      'not_in_future',
    ],
    [{ name: 'x', scopes: ['admin'], expires_at: 'soon' }, 'expires_at', 'invalid_format'],
    [{ name: 'x', scopes: ['admin'], key: makeKey() }, 'key', 'unknown_field'],
  ])('asked for with %j is refused at %s', async (body, path, code) => {
    const before = (await rollcall.get('/api/v1/keys?limit=500')).body.items.length;
    const answer = await create(body);
    expect(answer.status).toBe(422);
    expect(answer.body.errors).toMatchObject([{ path, code }]);
    expect((await rollcall.get('/api/v1/keys?limit=500')).body.items).toHaveLength(before);
  });

  test('tells when it was last used, to the minute', async () => {
    const { body } = await create({ name: 'used', scopes: ['telemetry:read'] });
    const lastUsed = async () => {
      const { items } = (await rollcall.get('/api/v1/keys?limit=500')).body;
      return items.find(({ id }: { id: string }) => id === body.id).last_used_at as string | null;
    };
    /** Written after the answer, so it is asked for until it is there. */
    const untilUsedAt = async (time: number) => {
      while (Date.parse((await lastUsed()) ?? '') !== time);
    };
    expect(await lastUsed()).toBeNull();
    await withKey(body.key);
    await untilUsedAt(rollcall.clock.now().getTime());
    rollcall.clock.advance(60_000);
    await withKey(body.key);
    await untilUsedAt(rollcall.clock.now().getTime());
  });

  test('ends when it is revoked, at once and for good', async () => {
    const { body } = await create({ name: 'revoked', scopes: ['admin'] });
    expect((await withKey(body.key)).status).toBe(200);
    const revoked = await rollcall.call('DELETE', `/api/v1/keys/${body.id}`);
    expect(revoked.status).toBe(200);
    expect(Date.parse(revoked.body.revoked_at)).toBe(rollcall.clock.now().getTime());
    expect(await withKey(body.key)).toMatchObject({ status: 401, body: { code: 'invalid_key' } });
    rollcall.clock.advance(1000);
    const again = await rollcall.call('DELETE', `/api/v1/keys/${body.id}`);
    expect(again.body.revoked_at).toBe(revoked.body.revoked_at);
  });

  test('ends at the moment that it was given', async () => {
    const { body } = await create({ name: 'brief', scopes: ['admin'], expires_at: inSeconds(2) });
    expect((await withKey(body.key)).status).toBe(200);
    rollcall.clock.advance(1999);
    expect((await withKey(body.key)).status).toBe(200);
    rollcall.clock.advance(1);
    expect((await withKey(body.key)).status).toBe(401);
  });

  test('that is not there cannot be revoked', async () => {
    const unknown = await rollcall.call(
      'DELETE',
      '/api/v1/keys/0af76519-16cd-43dd-8448-eb211c80319c',
    );
    expect(unknown).toMatchObject({ status: 404, body: { code: 'not_found' } });
    const wrong = await rollcall.call('DELETE', '/api/v1/keys/none');
    expect(wrong).toMatchObject({ status: 422, body: { errors: [{ path: 'path.id' }] } });
  });
});

test('keys are listed oldest first, each once', async () => {
  const tenant = await freshTenant(rollcall);
  const made: string[] = [];
  for (let index = 0; index < 7; index++) {
    made.push(
      (await tenant.post('/api/v1/keys', { name: `k${index}`, scopes: ['admin'] })).body.id,
    );
  }
  const seen: string[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const query = { limit: '3', ...(cursor ? { cursor } : {}) };
    const page = (await tenant.get('/api/v1/keys', { query })).body;
    seen.push(...page.items.map(({ id }: { id: string }) => id));
    cursor = page.next_cursor as string | null;
  }
  expect(seen.slice(1)).toEqual(made);
});

describe('the first key', () => {
  test('is made on a database without keys, once, and may do everything', async () => {
    await rollcall.sql(`delete from rollcall.api_keys where tenant_id = 'default'`);
    const key = await rollcall.rollcall.adminKey();
    expect(key).toMatch(/^rc_/);
    expect((await withKey(key ?? '')).body).toMatchObject({
      scopes: ['admin'],
      tenant_id: 'default',
    });
    expect(await rollcall.rollcall.adminKey()).toBeUndefined();
  });

  test('is the configured one, at every start', async () => {
    const adminKey = makeKey();
    const configured = await startTestRollcall({ config: { adminKey } });
    try {
      for (let start = 0; start < 2; start++) {
        expect(await configured.rollcall.adminKey()).toBeUndefined();
        const { status, body } = await configured.get('/api/v1/whoami', { key: adminKey });
        expect([status, body.scopes]).toEqual([200, ['admin']]);
      }
      const { items } = (await configured.get('/api/v1/keys')).body;
      expect(items).toHaveLength(2);
    } finally {
      await configured.stop();
    }
  });
});
