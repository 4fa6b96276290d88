import nock from 'nock';
import { closedPort } from '../../../../test/cluster/closedPort.ts';
import type { Problem } from '../problem.ts';
import { connectSupabase } from './supabase.ts';

const URL = 'https://project.supabase.test';
const KEY = 'the-service-role-key';
const HTML = '<html><body><h1>502 Bad Gateway</h1></body></html>';

const connect = (options: { url?: string; timeoutMs?: number } = {}) =>
  connectSupabase({ url: URL, serviceRoleKey: KEY, timeoutMs: 10_000, ...options });

/** What PostgREST writes about an error of the database. */
const raised = (code: string, rest: object = {}) => ({
  code,
  message: 'as the database says it',
  details: null,
  hint: null,
  ...rest,
});

const rpc = () => nock(URL).post('/rest/v1/rpc/get_gap');

async function failure(calling: Promise<unknown>): Promise<Problem> {
  const outcome = await calling.then(
    (result) => new Error(`It answered ${JSON.stringify(result)}`),
    (error: Problem) => error,
  );
  return outcome as Problem;
}

beforeAll(() => nock.disableNetConnect());
afterEach(() => {
  nock.abortPendingRequests();
  nock.cleanAll();
});
// Node's http outlives this file: the next one would still be intercepted.
afterAll(() => nock.restore());

describe('a call through Supabase', () => {
  test('goes to the function in rollcall_api, with its arguments, as the service role', async () => {
    const args = { p_tenant: 'default', p_events: [{ a: 1 }], p_after: null };
    const sent = nock(URL, {
      reqheaders: {
        apikey: KEY,
        authorization: `Bearer ${KEY}`,
        'content-profile': 'rollcall_api',
      },
    })
      .post('/rest/v1/rpc/ingest_telemetry', args)
      .reply(200, { accepted: 1, duplicates: [] });
    const database = await connect();
    expect(await database.call('ingest_telemetry', args)).toEqual({ accepted: 1, duplicates: [] });
    expect(sent.isDone()).toBe(true);
  });

  test('answers null where the function does', async () => {
    rpc().reply(200, 'null', { 'content-type': 'application/json' });
    expect(await (await connect()).call('get_gap', {})).toBeNull();
  });

  test('leaves nothing open', async () => {
    const timers = () =>
      process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const database = await connect();
    const before = timers();
    await database.close();
    expect(timers()).toBe(before);
  });
});

describe('a failure of Supabase is told as what it is', () => {
  test.each<[string, number, object | string, string]>([
    [
      'a key that its gateway refuses',
      401,
      { message: 'Invalid authentication credentials' },
      'database_unauthorised',
    ],
    ['a token that has expired', 401, raised('PGRST301'), 'database_unauthorised'],
    ['a forbidden address', 403, HTML, 'database_unauthorised'],
    ['a missing function', 404, raised('PGRST202'), 'schema_outdated'],
    ['a schema that is not exposed', 406, raised('PGRST106'), 'schema_outdated'],
    ['another server at its address', 404, HTML, 'schema_outdated'],
    ['another server without a word', 404, '', 'schema_outdated'],
    ['a page of HTML with 502', 502, HTML, 'database_unavailable'],
    ['a page of HTML with 500', 500, HTML, 'database_unavailable'],
    ['a page of HTML with 200', 200, HTML, 'database_unavailable'],
    ['a 503 whose body is null', 503, 'null', 'database_unavailable'],
    ['a paused project', 540, { message: 'Project paused' }, 'database_unavailable'],
    ['a PostgREST without its database', 503, raised('PGRST000'), 'database_unavailable'],
    ['a pool without a free connection', 504, raised('PGRST003'), 'database_unavailable'],
    ['a statement that took too long', 500, raised('57014'), 'query_timeout'],
  ])('%s (%d)', async (_what, status, body, code) => {
    rpc().reply(status, body);
    const problem = await failure((await connect()).call('get_gap', {}));
    expect([problem.status, problem.code]).toEqual([503, code]);
    expect(problem.message).not.toContain('<html>');
  });

  test('an answer that does not come in time', async () => {
    rpc().reply(() => new Promise(() => undefined));
    const database = await connect({ timeoutMs: 20 });
    expect(await failure(database.call('get_gap', {}))).toMatchObject({
      status: 503,
      code: 'database_unavailable',
    });
  });

  test('a connection that is refused', async () => {
    const url = `http://127.0.0.1:${await closedPort()}`;
    nock.enableNetConnect('127.0.0.1');
    const problem = await failure((await connect({ url })).call('get_gap', {}));
    nock.disableNetConnect();
    expect(problem).toMatchObject({ status: 503, code: 'database_unavailable', retryAfter: 1 });
    expect(problem.cause).toMatchObject({ details: expect.stringContaining('ECONNREFUSED') });
  });
});

describe('a race that was lost through Supabase', () => {
  test.each(['40001', '40P01'])('is run again: %s', async (code) => {
    rpc().times(2).reply(500, raised(code));
    rpc().reply(200, { done: true });
    expect(await (await connect()).call('get_gap', {})).toEqual({ done: true });
  });

  test('three times is told', async () => {
    const thrice = rpc().times(3).reply(500, raised('40P01'));
    const problem = await failure((await connect()).call('get_gap', {}));
    expect([problem.status, problem.code, thrice.isDone()]).toEqual([503, 'busy', true]);
  });

  test('is not looked for in other failures', async () => {
    rpc().reply(500, HTML);
    rpc().reply(200, {});
    await failure((await connect()).call('get_gap', {}));
    expect(nock.pendingMocks()).toHaveLength(1);
  });
});

describe('what our functions raise comes through PostgREST whole', () => {
  test.each<[string, object, number, string]>([
    ['RC404', {}, 404, 'not_found'],
    ['RC409', { details: '{"code": "gap_closed"}' }, 409, 'gap_closed'],
    ['RC422', { details: '{"code": "required", "path": "until"}' }, 422, 'required'],
  ])('%s', async (code, rest, status, expected) => {
    rpc().reply(400, raised(code, { ...rest, hint: 'Do this.' }));
    const problem = await failure((await connect()).call('get_gap', {}));
    expect(problem).toMatchObject({
      status,
      code: expected,
      message: 'as the database says it Do this.',
    });
    expect(problem.errors?.[0]?.path).toBe(code === 'RC422' ? 'until' : undefined);
  });
});
