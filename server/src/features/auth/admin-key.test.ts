import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';
import { makeKey } from './keys.ts';

let rollcall: TestRollcall;
beforeAll(async () => {
  rollcall = await startTestRollcall({ config: { adminKey: makeKey() } });
});
afterAll(() => rollcall.stop());

test('a configured key that another tenant has is refused, instead of opening that one', async () => {
  await rollcall.keyFor('other');
  await rollcall.rollcall.adminKey();
  await rollcall.sql(
    `update rollcall.api_keys set tenant_id = 'other' where created_by = 'ROLLCALL_ADMIN_KEY'`,
  );
  await expect(rollcall.rollcall.adminKey()).rejects.toMatchObject({
    status: 409,
    code: 'key_taken',
  });
});
