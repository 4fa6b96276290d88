import { startTestRollcall, type TestRollcall } from '../rollcall/start.ts';

let rollcall: TestRollcall;
beforeAll(async () => {
  rollcall = await startTestRollcall();
});
afterAll(() => rollcall.stop());

describe('an address', () => {
  test.each([
    ['%00', 422, 'path.entity_id'],
    ['a%00b', 422, 'path.entity_id'],
    ['x'.repeat(256), 422, 'path.entity_id'],
    ['%ff', 400, undefined],
    ['%ED%A0%80', 400, undefined],
    ['%', 400, undefined],
    ['%zz', 400, undefined],
  ])('that ends in %s is refused', async (id, status, path) => {
    for (const rest of ['', '/state']) {
      const answer = await rollcall.get(`/api/v1/entities/service/${id}${rest}`);
      expect(answer.status).toBe(status);
      expect(answer.body.code).toBe(status === 400 ? 'malformed_request' : 'invalid_request');
      expect(answer.body.errors?.[0].path).toBe(path);
    }
  });

  test.each([
    'a/b',
    '../x',
    'ü ß',
    '漢字',
    '💥',
    'a?b#c',
    "o'clock",
    '"',
    '%2F',
    '\\',
    ' ',
    '\u202e',
    '__proto__',
  ])('holds the id %j as well as any other', async (entity_id) => {
    const path = `/api/v1/entities/service/${encodeURIComponent(entity_id)}`;
    expect((await rollcall.get(path)).status).toBe(404);
    await rollcall.post('/api/v1/entities', { entity_type: 'service', entity_id });
    expect((await rollcall.get(path)).body).toMatchObject({ entity_id });
    expect((await rollcall.post(`${path}/heartbeat`)).body).toMatchObject({ entity_id });
  });

  test.each([
    ['limit=1&limit=2', 'query.limit'],
    ['text=a&text=b', 'query.text'],
    ['cursor=a&cursor=b', 'query.cursor'],
    ['text[]=a', 'query.text[]'],
    ['text[a]=b', 'query.text[a]'],
    ['__proto__=a', 'query.__proto__'],
    ['constructor=a', 'query.constructor'],
    ['limit=1;text=a', 'query.limit'],
    ['=a', 'query'],
    ['text=%00', 'query.text'],
    ['tag=', 'query.tag'],
  ])('that asks ?%s is refused at %s', async (query, path) => {
    const answer = await rollcall.get(`/api/v1/entities?${query}`);
    expect([answer.status, answer.body.code]).toEqual([422, 'invalid_request']);
    expect(answer.body.errors[0].path).toMatch(new RegExp(`^${path.replaceAll(/[[\]]/g, '\\$&')}`));
  });

  test('whose query is no UTF-8 or no percent code is read with replacements', async () => {
    for (const query of ['text=%ff', 'text=%', 'text=%zz', 'text=%ED%A0%80']) {
      expect((await rollcall.get(`/api/v1/entities?${query}`)).status).toBe(200);
    }
  });
});
