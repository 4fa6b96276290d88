import { randomUUID } from 'node:crypto';
import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';
import { freshTenant, type FreshTenant } from '../../../../test/rollcall/tenant.ts';

let server: TestRollcall;
let rollcall: FreshTenant;
beforeAll(async () => {
  server = await startTestRollcall();
});
afterAll(() => server.stop());
beforeEach(async () => {
  rollcall = await freshTenant(server);
});

const create = (body: object) => rollcall.post('/api/v1/projects', body);
const list = async (query: Record<string, string> = {}) =>
  (await rollcall.get('/api/v1/projects', { query })).body;

describe('projects', () => {
  test('are created once, and renamed by doing it again with a name', async () => {
    const first = await create({ project_id: 'lab' });
    expect(first.status).toBe(201);
    expect(first.body).toEqual({
      outcome: 'created',
      project: { project_id: 'lab', name: 'lab', created_at: expect.any(String) },
    });
    const again = await create({ project_id: 'lab', name: 'Laboratory' });
    expect([again.status, again.body.outcome]).toEqual([200, 'updated']);
    expect((await create({ project_id: 'lab' })).body.project).toEqual({
      ...first.body.project,
      name: 'Laboratory',
    });
  });

  test('are listed by id, a page at a time, those of the tenant alone', async () => {
    for (const project_id of ['b', 'a', 'Z']) await create({ project_id });
    const names: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page = await list({ limit: '2', ...(cursor ? { cursor } : {}) });
      names.push(...page.items.map(({ project_id }: { project_id: string }) => project_id));
      cursor = page.next_cursor as string | null;
    }
    expect(names).toEqual(['Z', 'a', 'b', 'default']);
    const key = await rollcall.keyFor('another');
    const { items } = (await rollcall.get('/api/v1/projects', { key })).body;
    expect(items).toHaveLength(1);
  });

  test('are made by admins, and read by any key', async () => {
    const key = await rollcall.keyFor(rollcall.tenant, ['gaps:read']);
    const made = await rollcall.post('/api/v1/projects', { project_id: 'lab' }, { key });
    expect([made.status, made.body.code]).toEqual([403, 'missing_scope']);
    expect((await rollcall.get('/api/v1/projects', { key })).status).toBe(200);
  });

  test.each([
    [{}, 'project_id'],
    [{ project_id: 'no spaces' }, 'project_id'],
    [{ project_id: 'x'.repeat(64) }, 'project_id'],
    [{ project_id: 'lab', name: '' }, 'name'],
    [{ project_id: 'lab', name: 'a\0b' }, 'name'],
    [{ project_id: 'lab', colour: 'red' }, 'colour'],
  ])('%j is refused with the path', async (body, path) => {
    const { status, body: problem } = await create(body);
    expect([status, problem.errors?.[0].path]).toEqual([422, path]);
  });
});

describe('what names a project that is not there', () => {
  const event = (project_id?: string) => ({
    event_id: randomUUID(),
    protocol: 'mcp',
    source_id: 'a',
    target_id: 'b',
    status: 'success',
    ...(project_id && { project_id }),
  });
  const refusal = {
    status: 'rejected',
    code: 'unknown_project',
    path: 'project_id',
    message: expect.stringContaining('POST /api/v1/projects'),
  };

  test('is refused of telemetry, and the rest of the batch kept', async () => {
    const { status, body } = await rollcall.post('/api/v1/telemetry', [
      event(),
      event('nowhere'),
      event('default'),
    ]);
    expect([status, body.accepted]).toEqual([200, 2]);
    expect(body.results).toMatchObject([{ index: 0 }, { index: 1, ...refusal }, { index: 2 }]);
  });

  test('is kept as soon as there is such a project, whichever server made it', async () => {
    const one = event('lab');
    expect((await rollcall.post('/api/v1/telemetry', one)).status).toBe(422);
    await rollcall.sql(`insert into rollcall.projects values ($1, 'lab', 'lab')`, [
      rollcall.tenant,
    ]);
    expect((await rollcall.post('/api/v1/telemetry', one)).body).toMatchObject({ accepted: 1 });
  });

  test('is refused though another tenant has one of that name', async () => {
    const other = await freshTenant(server);
    await other.post('/api/v1/projects', { project_id: 'theirs' });
    expect((await other.post('/api/v1/telemetry', event('theirs'))).status).toBe(200);
    expect((await rollcall.post('/api/v1/telemetry', event('theirs'))).status).toBe(422);
  });

  test('does not stand in the way of a second try in the same batch', async () => {
    const one = event('nowhere');
    const { body } = await rollcall.post('/api/v1/telemetry', [
      one,
      { ...one, project_id: 'default' },
    ]);
    expect(body.results).toMatchObject([{ status: 'rejected' }, { status: 'accepted' }]);
  });

  test.each([
    ['/api/v1/entities', { entity_type: 'service', entity_id: 'a', project_id: 'nowhere' }],
    ['/api/v1/keys', { name: 'a', scopes: ['gaps:read'], project_id: 'nowhere' }],
    [
      '/api/v1/executions/ingest',
      { workflow_id: 'w', execution_id: '1', status: 'success', project_id: 'nowhere' },
    ],
  ])('is refused by %s', async (path, body) => {
    const answer = await rollcall.post(path, body);
    expect(answer.status).toBe(422);
    expect(answer.body.errors).toMatchObject([{ path: 'project_id', code: 'unknown_project' }]);
  });

  test('is refused of a factory’s event, and nothing of it is kept', async () => {
    const told = {
      factory: 'mcp-factory',
      operation: 'create_server',
      phase: 'succeeded',
      entity: { entity_id: 'made' },
      project_id: 'nowhere',
    };
    const { status, body } = await rollcall.post('/api/v1/factories/events', told);
    expect(status).toBe(422);
    expect(body.results).toMatchObject([{ status: 'rejected', path: 'project_id' }]);
    expect((await rollcall.get('/api/v1/telemetry')).body.items).toEqual([]);
  });
});
