import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';

let rollcall: TestRollcall;
beforeAll(async () => {
  rollcall = await startTestRollcall();
});
afterAll(() => rollcall.stop());

test('an entity that is registered twice is created once and then updated', async () => {
  const first = await rollcall.post('/api/v1/entities', {
    entity_id: 'orders',
    entity_type: 'workflow',
    tags: ['shop'],
  });
  const second = await rollcall.post('/api/v1/entities', {
    entity_id: 'orders',
    entity_type: 'workflow',
    entity_name: 'Orders',
  });
  expect([first.status, first.body.outcome]).toEqual([201, 'created']);
  expect([second.status, second.body.outcome]).toEqual([200, 'updated']);
  expect(second.body.entity).toMatchObject({ entity_name: 'Orders', tags: ['shop'] });
});
