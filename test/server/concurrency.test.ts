import type { Gap } from '@rollcall/client/contract';
import { startSecondRollcall, type SecondRollcall } from '../rollcall/second.ts';
import { startTestRollcall, type TestRollcall } from '../rollcall/start.ts';
import { eventIds, makeEvent } from './events.ts';

let rollcall: TestRollcall;
let second: SecondRollcall;
beforeAll(async () => {
  rollcall = await startTestRollcall();
  second = await startSecondRollcall(rollcall);
});
afterAll(async () => {
  await second.stop();
  await rollcall.stop();
});

const ROUNDS = 4;
const BATCH = 2_000;

test('two servers that take in the same events at once count each of them once', async () => {
  const start = rollcall.clock.now().getTime();
  let accepted = 0;
  for (let round = 0; round < ROUNDS; round++) {
    // Over two days, three minutes each, and in opposite orders: locks would be taken crosswise.
    const events = eventIds(BATCH).map((event_id, index) =>
      makeEvent({
        event_id,
        timestamp: new Date(start - (index % 2) * 86_400_000 - (index % 3) * 60_000).toISOString(),
        source_id: `caller ${index % 7}`,
        target_id: `called ${index % 5}`,
        duration_ms: index % 100,
        workflow_id: `workflow ${index % 3}`,
        tokens_used: 2,
      }),
    );
    const answers = await Promise.all([
      post(rollcall.url, 'telemetry', events),
      post(second.url, 'telemetry', events.toReversed()),
      post(rollcall.url, 'telemetry', events.slice(500, 1_500).toReversed()),
      post(second.url, 'telemetry', events.slice(1_000)),
    ]);
    expect(answers.map(({ status, rejected }) => [status, rejected])).toEqual(
      answers.map(() => [200, 0]),
    );
    const kept = answers.reduce((sum, answer) => sum + answer.accepted, 0);
    expect(kept).toBe(BATCH);
    accepted += kept;
  }

  const rows = accepted;
  const timed = (accepted / 100) * 4_950;
  const counted = { rows, calls: rows, timed: rows, tokens_used: 2 * rows, duration_sum: timed };
  expect(await totals('telemetry_minutes')).toEqual({ ...counted, rows: 6 });
  expect(await totals('telemetry_pairs')).toMatchObject({ calls: rows, duration_sum: timed });
  expect(
    await rollcall.sql('select count(*)::int as rows from public.communication_telemetry'),
  ).toEqual([{ rows }]);
  expect(
    await rollcall.sql(`select sum(as_source)::int as called, sum(as_target)::int as answered
                          from rollcall.activity where entity_id like 'call%'`),
  ).toEqual([{ called: rows, answered: rows }]);
});

test('gaps that are fixed on two servers while both look for gaps are all closed', async () => {
  const strangers = Array.from({ length: 40 }, (_, index) => `stranger ${index}`);
  await post(
    rollcall.url,
    'telemetry',
    strangers.map((source_id) => makeEvent({ source_id, target_id: source_id })),
  );
  await post(rollcall.url, 'gaps/check');
  const { body } = await rollcall.get('/api/v1/gaps?kind=unregistered&limit=500');
  const gaps = (body.items as Gap[]).filter(({ entity_id }) => strangers.includes(entity_id));
  const answers = await Promise.all(
    gaps.flatMap(({ id }, index) => {
      const [one, other] = index % 2 ? [rollcall.url, second.url] : [second.url, rollcall.url];
      return [post(one, `gaps/${id}/fix`, {}), post(other, 'gaps/check')];
    }),
  );
  expect(answers.map(({ status }) => status)).toEqual(Array(80).fill(200));
  const { body: left } = await rollcall.get('/api/v1/gaps?kind=unregistered&limit=500');
  expect((left.items as Gap[]).filter(({ entity_id }) => strangers.includes(entity_id))).toEqual(
    [],
  );
});

test.each(['parent', 'dependencies'])(
  'a ring of %s that two servers close at the same time stays open at one place',
  async (field) => {
    const ring = Array.from({ length: 8 }, (_, index) => ({
      entity_type: 'team',
      entity_id: `${field} ${index}`,
    }));
    for (const team of ring) await post(rollcall.url, 'entities', team);
    const answers = await Promise.all(
      ring.map((team, index) => {
        const next = ring[(index + 1) % ring.length];
        const relation = { [field]: field === 'parent' ? next : [next] };
        return post([rollcall.url, second.url][index % 2] as string, 'entities', {
          ...team,
          ...relation,
        });
      }),
    );
    const refused = answers.filter(({ status }) => status !== 200);
    expect(refused).toMatchObject([{ status: 409, code: 'cycle' }]);
  },
);

// Last: it ends the connections, for PostgreSQL counts a deadlock when the one that had it ends.
test('none of this ran into a deadlock', async () => {
  await rollcall.sql(`select pg_terminate_backend(pid, 5000) from pg_stat_activity
                       where datname = current_database() and application_name = 'rollcall'`);
  expect(
    await rollcall.sql(
      'select deadlocks::int from pg_stat_database where datname = current_database()',
    ),
  ).toEqual([{ deadlocks: 0 }]);
});

const totals = async (table: string) =>
  (
    await rollcall.sql(`
      select count(*)::int as rows, sum(calls)::int as calls, sum(timed)::int as timed,
             sum(tokens_used)::int as tokens_used, sum(duration_sum) as duration_sum from rollcall.${table}`)
  )[0];

async function post(url: string, path: string, body?: unknown) {
  const response = await fetch(`${url}/api/v1/${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${rollcall.key}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = (await response.json()) as { accepted: number; rejected: number; code?: string };
  return { ...answer, status: response.status };
}
