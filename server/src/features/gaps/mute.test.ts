import { GAP_CAUSES } from '../../../../test/rollcall/gap-causes.ts';
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

const check = () => rollcall.post('/api/v1/gaps/check');
const inAnHour = () => new Date(rollcall.clock.now().getTime() + 3_600_000).toISOString();
const mute = (id: string, body: object) => rollcall.post(`/api/v1/gaps/${id}/mute`, body);
const states = async (state: string) =>
  (await rollcall.get('/api/v1/gaps', { query: { state } })).body.items.length;

async function openGap() {
  await GAP_CAUSES.silent?.open(rollcall);
  await check();
  return (await rollcall.get('/api/v1/gaps')).body.items[0];
}

describe('a mute', () => {
  test('takes the gap out of the open ones, with reason and date, until its time is over', async () => {
    const gap = await openGap();
    const until = inAnHour();
    const { body } = await mute(gap.id, { reason: 'holidays', until });
    expect(body).toMatchObject({ state: 'muted', mute_reason: 'holidays' });
    expect(Date.parse(body.muted_until)).toBe(Date.parse(until));
    expect([await states('open'), await states('muted')]).toEqual([0, 1]);
    expect((await check()).body).toMatchObject({ open: 0, muted: 1, by_kind: {} });

    rollcall.clock.advance(3_600_000);
    expect([await states('open'), await states('muted')]).toEqual([1, 0]);
    expect((await check()).body).toMatchObject({ opened: 0, open: 1, muted: 0 });
  });

  test('does not stop the checks: the gap is seen, and closes when its cause is gone', async () => {
    const gap = await openGap();
    await mute(gap.id, { reason: 'later', until: inAnHour() });
    rollcall.clock.advance(1000);
    await check();
    const seen = (await rollcall.get(`/api/v1/gaps/${gap.id}`)).body;
    expect(Date.parse(seen.last_seen)).toBe(rollcall.clock.now().getTime());
    await GAP_CAUSES.silent?.cure(rollcall);
    expect((await check()).body).toMatchObject({ closed: 1, muted: 0 });
    expect([await states('closed'), await states('muted')]).toEqual([1, 0]);
  });

  test('holds for a gap that comes back before its time is over', async () => {
    const gap = await openGap();
    await mute(gap.id, { reason: 'flaps', until: inAnHour() });
    await GAP_CAUSES.silent?.cure(rollcall);
    await check();
    rollcall.clock.advance(120_000);
    expect((await check()).body).toMatchObject({ open: 0, muted: 1 });
  });

  test('can be ended, and changed', async () => {
    const gap = await openGap();
    await mute(gap.id, { reason: 'first', until: inAnHour() });
    expect((await mute(gap.id, { reason: 'second', until: inAnHour() })).body.mute_reason).toBe(
      'second',
    );
    const { body } = await rollcall.call('DELETE', `/api/v1/gaps/${gap.id}/mute`);
    expect(body).toMatchObject({ state: 'open', mute_reason: null, muted_until: null });
  });

  test.each([
    [{ until: '2100-01-01T00:00:00Z' }, 'reason', 'required'],
    [{ reason: '', until: '2100-01-01T00:00:00Z' }, 'reason', 'too_small'],
    [{ reason: 'x' }, 'until', 'required'],
    [{ reason: 'x', until: 'tomorrow' }, 'until', 'invalid_format'],
    [{ reason: 'x', until: '2001-01-01T00:00:00Z' }, 'until', 'not_in_future'],
    [{ reason: 'x', until: '9999-12-31T23:59:59-12:00' }, 'until', 'out_of_range'],
  ])('with %j is refused at %s', async (body, path, code) => {
    const gap = await openGap();
    const answer = await mute(gap.id, body);
    expect(answer.status).toBe(422);
    expect(answer.body.errors).toMatchObject([{ path, code }]);
    expect((await rollcall.get(`/api/v1/gaps/${gap.id}`)).body).toMatchObject(gap);
  });
});
