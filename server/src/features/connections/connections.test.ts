import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Writable } from 'node:stream';
import { NOBODY } from '../../../../test/rollcall/command.ts';
import { connectN8n, CONNECTIONS, idle, syncAgain } from '../../../../test/rollcall/connected.ts';
import {
  n8nWorkflow,
  startN8nServer,
  type N8nServer,
} from '../../../../test/rollcall/n8n-server.ts';
import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';
import { freshTenant, type FreshTenant } from '../../../../test/rollcall/tenant.ts';
import { createLog } from '../../platform/log.ts';

let rollcall: TestRollcall;
let tenant: FreshTenant;
let n8n: N8nServer;
let logged = '';
const log = createLog(
  'trace',
  new Writable({
    write(chunk, _encoding, done) {
      logged += String(chunk);
      done();
    },
  }),
);
beforeAll(async () => {
  rollcall = await startTestRollcall({ log });
  n8n = await startN8nServer([n8nWorkflow('one')]);
});
beforeEach(async () => {
  tenant = await freshTenant(rollcall);
});
afterAll(async () => {
  await rollcall.stop();
  await n8n.stop();
});

const connect = (more: object = {}) =>
  tenant.post(CONNECTIONS, { base_url: n8n.url, api_key: n8n.key, ...more });
const patch = (id: string, body: object) => tenant.call('PATCH', `${CONNECTIONS}/${id}`, body);

describe('a connection', () => {
  test('is made, listed, changed and deleted', async () => {
    const flags = {
      sampled: true,
      production_only: true,
      saves_no_success: true,
      prunes_after: 48,
    };
    const made = await connect({ name: 'Prod', labels: ['eu'], interval_seconds: 60, ...flags });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      name: 'Prod',
      labels: ['eu'],
      interval_seconds: 60,
      ...flags,
    });
    const { id } = await idle(tenant, made.body.id);
    expect((await tenant.get(CONNECTIONS)).body.items).toMatchObject([{ id }]);
    const changed = await patch(id, { paused: true, prunes_after: null, labels: [] });
    expect(changed.body).toMatchObject({
      name: 'Prod',
      paused: true,
      prunes_after: null,
      labels: [],
    });
    expect(changed.body.next_sync_at).toBeNull();
    expect((await tenant.call('DELETE', `${CONNECTIONS}/${id}`)).status).toBe(200);
    expect((await tenant.get(`${CONNECTIONS}/${id}`)).status).toBe(404);
    expect((await tenant.get('/api/v1/n8n/workflows')).body.items).toEqual([]);
  });

  test('is called after its host, and asks every five minutes, when nobody says otherwise', async () => {
    const { body } = await connect({ base_url: `${n8n.url}/api/v1/` });
    expect(body).toMatchObject({ base_url: n8n.url, interval_seconds: 300, sampled: false });
    expect(body.name).toBe(new URL(n8n.url).host);
    await idle(tenant, body.id);
  });

  test('to an n8n that has one already is refused', async () => {
    await connectN8n(tenant, n8n);
    expect(await connect()).toMatchObject({ status: 409 });
  });

  test('is due again after its interval, and not when it is paused', async () => {
    const { next_sync_at, synced_at, id } = await connectN8n(tenant, n8n, { interval_seconds: 60 });
    expect(Date.parse(next_sync_at ?? '') - Date.parse(synced_at ?? '')).toBe(60_000);
    const due = async (seconds: number) => {
      const at = new Date(tenant.clock.now().getTime() + seconds * 1000);
      const [row] = await rollcall.sql<{ due: string[] }>(
        'select rollcall_api.due_syncs($1, $2, $2) as due',
        [tenant.tenant, at],
      );
      return row?.due;
    };
    expect(await due(59)).toEqual([]);
    await patch(id, { paused: true });
    expect(await due(61)).toEqual([]);
    await patch(id, { paused: false });
    expect(await due(61)).toEqual([id]);
  });
});

describe('the API key', () => {
  test('is nowhere to be seen but for its last characters', async () => {
    const { id, key_hint } = await connectN8n(tenant, n8n);
    expect(key_hint).toBe(n8n.key.slice(-4));
    n8n.fail(/workflows/, { status: 401, body: '{"message":"unauthorized"}' });
    const failed = await syncAgain(tenant, id);
    expect(failed.last_error?.code).toBe('n8n_key_refused');
    const answers = [failed, (await tenant.get(CONNECTIONS)).body, (await patch(id, {})).body];
    expect(JSON.stringify(answers)).not.toContain(n8n.key);
    const [row] = await rollcall.sql('select * from rollcall.n8n_connections where id = $1', [id]);
    expect(JSON.stringify(row)).not.toContain(n8n.key);
    expect(row?.sealed_key).toMatch(/^v1\./);
    expect(logged).toContain(CONNECTIONS);
    expect(logged).not.toContain(n8n.key);
  });

  test('is of no use in another row or for another address', async () => {
    const { id } = await connectN8n(tenant, n8n);
    const elsewhere = n8n.url.replace('127.0.0.1', 'localhost');
    await rollcall.sql('update rollcall.n8n_connections set base_url = $2 where id = $1', [
      id,
      elsewhere,
    ]);
    const before = n8n.requests.length;
    const { last_error } = await syncAgain(tenant, id);
    expect(last_error).toMatchObject({ code: 'secret_unreadable' });
    expect(n8n.requests.length).toBe(before);
  });

  test('has to be given again where the address leads to another host', async () => {
    const { id } = await connectN8n(tenant, n8n);
    const refused = await patch(id, { base_url: NOBODY });
    expect([refused.status, refused.body.errors[0].path]).toEqual([422, 'api_key']);
  });

  test('can be changed', async () => {
    const { id } = await connectN8n(tenant, n8n);
    const wrong = await patch(id, { api_key: 'not the key of anybody'.replaceAll(' ', '-') });
    expect([wrong.status, wrong.body.code]).toEqual([422, 'n8n_key_refused']);
    expect((await patch(id, { api_key: n8n.key })).status).toBe(200);
    expect((await syncAgain(tenant, id)).last_error).toBeNull();
  });
});

describe('what is wrong with address or key is said by its name', () => {
  test.each([
    ['n8n_key_refused', 'api_key', { status: 401, body: '{"message":"unauthorized"}' }],
    ['n8n_key_lacks_scope', 'api_key', { status: 403, body: '{"message":"Forbidden"}' }],
    ['n8n_answers_html', 'base_url', { status: 200, body: '<!doctype html><title>Sign in' }],
    ['n8n_answers_html', 'base_url', { status: 404, body: '<html>nginx</html>' }],
    ['not_n8n', 'base_url', { status: 404, body: '{"error":"no"}' }],
    ['not_n8n', 'base_url', { status: 200, body: '{"data":"none"}' }],
    ['not_n8n', 'base_url', { status: 200, body: 'hello' }],
    ['not_n8n', 'base_url', { status: 200, body: 'null' }],
    ['n8n_redirects', 'base_url', { status: 302, headers: { location: 'https://sso.example' } }],
  ])('%s (%s)', async (code, path, fault) => {
    n8n.fail(/workflows/, fault);
    const { status, body } = await connect();
    expect([status, body.code]).toEqual([422, code]);
    expect(body.errors[0].path).toBe(path);
    expect(body.detail).not.toContain(n8n.key);
  });

  test('n8n_busy', async () => {
    const busy = { status: 503, headers: { 'retry-after': '0' } };
    n8n.fail(/workflows/, busy, busy);
    expect((await connect()).body.code).toBe('n8n_busy');
  });

  test('n8n_unreachable', async () => {
    const { status, body } = await connect({ base_url: NOBODY });
    expect([status, body.code]).toEqual([422, 'n8n_unreachable']);
  });

  test('and the key goes nowhere but to the address that was given', async () => {
    const seen: string[] = [];
    const other = createServer((request, response) => {
      seen.push(String(request.headers['x-n8n-api-key']));
      response.end('{"data":[]}');
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const location = `http://127.0.0.1:${(other.address() as AddressInfo).port}/`;
    n8n.fail(/workflows/, { status: 307, headers: { location } });
    expect((await connect()).body.code).toBe('n8n_redirects');
    other.close();
    expect(seen).toEqual([]);
  });

  test.each([
    { base_url: 'ftp://n8n.example.com' },
    { base_url: 'http://user:word@n8n.example.com' },
    { base_url: 'http://n8n.example.com/?a=b' },
    { base_url: 'file:///etc/passwd' },
    { base_url: 'n8n' },
    { api_key: '' },
    { api_key: 'with\nnewline' },
    { api_key: 'ключ' },
    { interval_seconds: 1 },
    { instance_id: 'connection:1' },
    { labels: ['\0'] },
    { unknown: true },
  ])('%j is refused before anything is asked', async (more) => {
    const before = n8n.requests.length;
    const { status, body } = await connect(more);
    expect([status, body.code]).toEqual([422, 'invalid_request']);
    expect(n8n.requests.length).toBe(before);
  });

  test('nothing is asked when the check is not wanted', async () => {
    const made = await connect({ base_url: NOBODY, check: false, paused: true });
    expect([made.status, made.body.sync.state]).toEqual([201, 'idle']);
  });
});

describe('hostile answers of n8n', () => {
  test.each([
    ['rows that are no workflows', [null, 7, 'x', {}, { id: null }, { id: 1, nodes: 'no' }]],
    ['nodes of every shape', [{ id: 'a', name: 'A', nodes: [null, 1, { type: {} }], settings: 3 }]],
    [
      'ids and names that cannot be stored',
      [
        { id: '\0', name: '\0' },
        { id: 'ok', name: '\ud800' },
      ],
    ],
    [
      'prototype names',
      [
        { id: '__proto__', name: 'A', nodes: [] },
        { id: 'constructor', nodes: [] },
      ],
    ],
    [
      'tags and shares of every shape',
      [{ id: 'a', tags: [null, 1, {}], shared: [null, 1, { role: 'workflow:owner' }] }],
    ],
  ])('do no harm: %s', async (_name, data) => {
    const { id } = await connectN8n(tenant, n8n);
    const body = JSON.stringify({ data, nextCursor: null });
    n8n.fail(/GET .*workflows\?/, { status: 200, body });
    rollcall.clock.advance(1000);
    expect((await syncAgain(tenant, id)).last_error).toBeNull();
    rollcall.clock.advance(1000);
    expect((await syncAgain(tenant, id)).last_error).toBeNull();
  });

  test('do no harm: executions of every shape', async () => {
    const { id } = await connectN8n(tenant, n8n);
    const data = [
      null,
      { id: 'x' },
      { id: 9, workflowId: {}, status: 'odd' },
      { id: -1, startedAt: 5 },
    ];
    n8n.fail(/GET .*executions/, { status: 200, body: JSON.stringify({ data, nextCursor: null }) });
    expect((await syncAgain(tenant, id)).last_error).toBeNull();
  });

  test('pages whose next one stands first are read as others are', async () => {
    const { id } = await connectN8n(tenant, n8n);
    const [one, two] = [n8nWorkflow('first'), n8nWorkflow('second')];
    n8n.workflows = [];
    n8n.fail(
      /GET .*workflows\?/,
      { status: 200, body: JSON.stringify({ nextCursor: 'a "b"', data: [one] }, null, 2) },
      { status: 200, body: JSON.stringify({ nextCursor: '', data: [two] }) },
    );
    expect(await syncAgain(tenant, id)).toMatchObject({
      last_error: null,
      last_result: { workflows: 2 },
    });
    expect(n8n.requests.some((request) => request.includes('cursor=a+%22b%22'))).toBe(true);
  });

  test('a page that is broken in its middle is none', async () => {
    const { id } = await connectN8n(tenant, n8n);
    const body = '{"data":[{"id":"one",}],"nextCursor":null}';
    n8n.fail(/GET .*workflows\?/, { status: 200, body });
    expect((await syncAgain(tenant, id)).last_error?.code).toBe('not_n8n');
  });

  test('pages without end are given up', async () => {
    const { id } = await connectN8n(tenant, n8n);
    const body = JSON.stringify({ data: [], nextCursor: 'again' });
    n8n.fail(/GET .*workflows\?/, { status: 200, body }, { status: 200, body });
    expect((await syncAgain(tenant, id)).last_error?.code).toBe('n8n_endless');
  });
});
