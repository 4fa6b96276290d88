import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';

let rollcall: TestRollcall;
let otherProject: string;
beforeAll(async () => {
  rollcall = await startTestRollcall();
  [{ project_id: otherProject }] = (await rollcall.sql(
    `insert into rollcall.projects (tenant_id, project_id, name) values ('default', 'lab', 'Lab') returning project_id`,
  )) as [{ project_id: string }];
});
afterAll(() => rollcall.stop());

const register = (entity_id: string, more: object = {}) =>
  rollcall.post('/api/v1/entities', { entity_type: 'service', entity_id, ...more });
const search = async (query: Record<string, string>) =>
  (await rollcall.get('/api/v1/entities', { query })).body;
const ids = ({ items }: { items: { entity_id: string }[] }) =>
  items.map(({ entity_id }) => entity_id);

async function walk(query: Record<string, string>): Promise<string[]> {
  const seen: string[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: { items: { entity_id: string }[]; next_cursor: string | null } = await search({
      ...query,
      ...(cursor ? { cursor } : {}),
    });
    seen.push(...ids(page));
    cursor = page.next_cursor;
  }
  return seen;
}

describe('a search', () => {
  const cases: [string, Record<string, string>, object][] = [
    ['type', { entity_type: 'blueprint' }, { entity_type: 'blueprint' }],
    ['state', { current_state: 'archived' }, { current_state: 'archived' }],
    ['health', { health_status: 'degraded' }, { health_status: 'degraded' }],
    ['tag', { tag: 'red, or "blue"' }, { tags: ['a', 'red, or "blue"'] }],
    ['capability', { capability: 'app:slack' }, { capabilities: ['app:slack', 'b'] }],
    [
      'parent',
      { parent_type: 'team', parent_id: 'boss' },
      { parent: { entity_type: 'team', entity_id: 'boss' } },
    ],
    [
      'parent type',
      { parent_type: 'cluster' },
      { parent: { entity_type: 'cluster', entity_id: 'c' } },
    ],
    ['project', { project_id: 'lab' }, { project_id: 'lab' }],
    [
      'several at once',
      { tag: 'both', health_status: 'healthy' },
      { tags: ['both'], health_status: 'healthy' },
    ],
  ];
  test.each(cases)('by %s finds what has it and nothing else', async (name, query, fields) => {
    const id = `by-${name.replaceAll(' ', '-')}`;
    await register(`${id}-not`, { tags: ['both'] });
    await register(id, fields);
    expect(ids(await search(query))).toEqual([id]);
    expect(otherProject).toBe('lab');
  });

  test('leaves out the deleted unless it asks for them', async () => {
    await register('short-lived', { tags: ['life'] });
    await register('long-lived', { tags: ['life'] });
    await rollcall.call('DELETE', '/api/v1/entities/service/short-lived');
    expect(ids(await search({ tag: 'life' }))).toEqual(['long-lived']);
    expect(ids(await search({ tag: 'life', current_state: 'deleted' }))).toEqual(['short-lived']);
  });

  test.each([
    ['name', { entity_name: 'Übersetzer Nord' }, 'ÜBERSETZER'],
    ['description', { description: 'moves parcels' }, 'MOVES par'],
    ['id', {}, 'TEXT-ID'],
    ['percent sign', { entity_name: '50 % off' }, '0 % o'],
    ['underscore', { entity_name: 'snake_case' }, 'e_c'],
    ['backslash', { entity_name: 'C:\\temp' }, ':\\t'],
    ['quote', { entity_name: `O'Brien "Bob"` }, `'Brien "`],
  ])('by text finds a %s in any letter case', async (name, fields, text) => {
    const id = `text-${name.replaceAll(' ', '-')}`;
    await register(id, fields);
    expect(ids(await search({ text }))).toEqual([id]);
  });

  test.each(['%', '_', '\\', '\\%', '%%', '____'])(
    'takes %s for itself, not for a pattern',
    async (text) => {
      await register('plain', { entity_name: 'abcdefgh' });
      expect(ids(await search({ text }))).not.toContain('plain');
    },
  );
});

describe('pages', () => {
  const sorts = ['entity_name', 'created_at', 'updated_at'] as const;
  const made = Array.from({ length: 23 }, (_, index) => `paged-${String(index).padStart(2, '0')}`);
  beforeAll(async () => {
    for (const [index, id] of made.entries()) {
      await register(id, {
        tags: ['paged'],
        entity_name: index % 3 ? 'Same name' : `Name ${index % 5}`,
      });
    }
    // Equal times too, as one transaction would give.
    await rollcall.sql(
      `update rollcall.entities set created_at = date_trunc('minute', created_at), updated_at = date_trunc('minute', updated_at)
        where 'paged' = any (tags)`,
    );
  });

  test.each(sorts.flatMap((sort) => [1, 2, 5, 22, 23, 24].map((limit) => [sort, limit] as const)))(
    'sorted by %s, %i at a time, show each entity exactly once and in one order',
    async (sort, limit) => {
      const whole = await walk({ tag: 'paged', sort, limit: '100' });
      expect([...whole].sort()).toEqual(made);
      expect(await walk({ tag: 'paged', sort, limit: String(limit) })).toEqual(whole);
    },
  );

  test('are sorted by name, in any letter case, when nothing else is asked for', async () => {
    for (const name of ['bravo', 'Alpha', 'charlie']) {
      await register(`sorted-${name}`, { entity_name: name, tags: ['sorted'] });
    }
    expect(ids(await search({ tag: 'sorted' }))).toEqual([
      'sorted-Alpha',
      'sorted-bravo',
      'sorted-charlie',
    ]);
  });

  test('show the last changed first when sorted by that', async () => {
    for (const id of ['old', 'middle', 'new']) await register(id, { tags: ['changed'] });
    await rollcall.put('/api/v1/entities/service/old/state', { new_state: 'active' });
    expect(await walk({ tag: 'changed', sort: 'updated_at', limit: '1' })).toEqual([
      'old',
      'new',
      'middle',
    ]);
    expect(await walk({ tag: 'changed', sort: 'created_at', limit: '1' })).toEqual([
      'new',
      'middle',
      'old',
    ]);
  });

  test.each([
    ['Chinese', '漢'],
    ['capital dotted I, which grows in lower case', 'İ'],
    ['control', '\u0001'],
  ])('go on after the longest names and ids of %s characters', async (name, character) => {
    const tag = `long ${name}`;
    const long = ['a', 'b', 'c'].map((first) => first + character.repeat(254));
    for (const id of long) await register(id, { tags: [tag], entity_name: id });
    expect(await walk({ tag, limit: '1' })).toEqual(long);
  });

  test('do not go on with a cursor that is not theirs', async () => {
    const { next_cursor } = await search({ tag: 'paged', limit: '1' });
    const { next_cursor: byTime } = await search({ tag: 'paged', limit: '1', sort: 'created_at' });
    const forged = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const foreign: Record<string, string>[] = [
      { cursor: 'nonsense' },
      { cursor: next_cursor.slice(0, -4) },
      { cursor: next_cursor, sort: 'created_at' },
      { cursor: forged(['1', 'service', 'x']), sort: 'created_at' },
      { cursor: forged(['yesterday', 'service', 'x']), sort: 'created_at' },
      { cursor: forged(['infinity', 'service', 'x']), sort: 'created_at' },
      { cursor: forged(['0000-01-01T00:00:00Z', 'service', 'x']), sort: 'created_at' },
      { cursor: forged(['2026-01-01T00:00:00+23:00', 'service', 'x']), sort: 'created_at' },
      { cursor: forged(['name', 'service']) },
      { cursor: forged(['name', 'service', 'x', 'more']) },
      { cursor: forged(['name', { a: 1 }, 'x']) },
      { cursor: forged(['name', 'ser\u0000vice', 'x']) },
      { cursor: forged(['name', '\ud800', 'x']) },
      { cursor: forged({ 0: 'name', 1: 'service', 2: 'x', length: 3 }) },
      { cursor: forged(null) },
    ];
    for (const query of foreign) {
      const { status, body } = await rollcall.get('/api/v1/entities', { query });
      expect([query, status, body.code]).toEqual([query, 422, 'invalid_request']);
      expect(body.errors).toEqual([
        { path: 'query.cursor', code: 'invalid_cursor', message: expect.any(String) },
      ]);
    }
    expect((await search({ tag: 'paged', sort: 'created_at', cursor: byTime })).items).not.toEqual(
      [],
    );
  });
});
