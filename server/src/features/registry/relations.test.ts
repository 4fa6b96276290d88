import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';

let rollcall: TestRollcall;
beforeAll(async () => {
  rollcall = await startTestRollcall();
});
afterAll(() => rollcall.stop());

const register = (entity: object) => rollcall.post('/api/v1/entities', entity);
const team = (entity_id: string) => ({ entity_type: 'team', entity_id });
const detail = async (entity_id: string) =>
  (await rollcall.get(`/api/v1/entities/team/${entity_id}`)).body;

/** Each id below the one before it. */
async function chain(...ids: string[]): Promise<void> {
  for (const [index, id] of ids.entries()) {
    const above = ids[index - 1];
    await register({ ...team(id), ...(above ? { parent: team(above) } : {}) });
  }
}

describe('the hierarchy', () => {
  test('is known to any depth, nearest ancestor first', async () => {
    const ids = Array.from({ length: 30 }, (_, level) => `level-${level}`);
    await chain(...ids);
    const deepest = await detail('level-29');
    expect(deepest.ancestors).toEqual(ids.slice(0, 29).reverse().map(team));
    const top = await detail('level-0');
    expect(top).toMatchObject({ ancestors: [], children: [team('level-1')] });
  });

  test('lists children that live', async () => {
    await chain('mother', 'first');
    await register({ ...team('second'), parent: team('mother') });
    await rollcall.call('DELETE', '/api/v1/entities/team/first');
    expect((await detail('mother')).children).toEqual([team('second')]);
  });

  test('takes a parent that is not registered yet, and a gap tells', async () => {
    const { status } = await register({ ...team('early'), parent: team('later') });
    expect(status).toBe(201);
    expect((await detail('early')).ancestors).toEqual([team('later')]);
  });

  test.each([
    ['itself', ['own'], 'own', 'own'],
    ['its child', ['top', 'below'], 'top', 'below'],
    ['one far below', ['a', 'b', 'c', 'd', 'e'], 'a', 'e'],
  ])('refuses %s as a parent and changes nothing', async (_, ids, entity, parent) => {
    await chain(...ids);
    const before = await detail(entity);
    const { status, body } = await register({
      ...team(entity),
      entity_name: 'Renamed',
      parent: team(parent),
    });
    expect(status).toBe(409);
    expect(body).toMatchObject({ code: 'cycle', errors: [{ path: 'parent', code: 'cycle' }] });
    expect(body.detail).toContain(parent);
    expect(await detail(entity)).toEqual(before);
  });

  test('gets no cycle from changes that come at the same time', async () => {
    for (let round = 0; round < 5; round++) {
      const ids = ['x', 'y', 'z'].map((name) => `${name}-${round}`);
      for (const id of ids) await register(team(id));
      const answers = await Promise.all(
        ids.map((id, index) =>
          register({ ...team(id), parent: team(ids[(index + 1) % 3] as string) }),
        ),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 409]);
    }
  });
});

describe('dependencies', () => {
  test('are seen from both ends and replaced as a whole', async () => {
    await register({ ...team('user'), dependencies: [team('tool'), team('store')] });
    await register(team('tool'));
    expect((await detail('user')).depends_on).toEqual([
      { ...team('store'), origin: 'declared' },
      { ...team('tool'), origin: 'declared' },
    ]);
    expect((await detail('tool')).depended_on_by).toEqual([
      { ...team('user'), origin: 'declared' },
    ]);

    await register({ ...team('user'), tags: ['kept'] });
    expect((await detail('user')).depends_on).toHaveLength(2);
    await register({ ...team('user'), dependencies: [team('store')] });
    expect((await detail('user')).depends_on).toEqual([{ ...team('store'), origin: 'declared' }]);
    expect((await detail('tool')).depended_on_by).toEqual([]);
  });

  test.each([
    ['itself', 'lone', []],
    ['what depends on it', 'left', [['right', 'left']]],
    [
      'what depends on it through others',
      'one',
      [
        ['three', 'two'],
        ['two', 'one'],
      ],
    ],
  ])('on %s are refused and nothing is changed', async (_, entity, edges) => {
    await register(team(entity));
    for (const [from = '', to = ''] of edges) {
      await register({ ...team(from), dependencies: [team(to)] });
    }
    const before = await detail(entity);
    const last = edges[0]?.[0] ?? entity;
    const { status, body } = await register({
      ...team(entity),
      tags: ['changed'],
      dependencies: [team('harmless'), team(last)],
    });
    expect(status).toBe(409);
    expect(body).toMatchObject({ code: 'cycle', errors: [{ path: 'dependencies' }] });
    expect(body.detail).toContain(last);
    expect(await detail(entity)).toEqual(before);
  });

  test('get no cycle from registrations that come at the same time', async () => {
    const [left, right] = [team('tick'), team('tock')];
    await register(left);
    await register(right);
    const answers = await Promise.all([
      register({ ...left, dependencies: [right] }),
      register({ ...right, dependencies: [left] }),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
  });
});
