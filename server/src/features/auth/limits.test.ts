import {
  startTestRollcall,
  type Answer,
  type TestRollcall,
} from '../../../../test/rollcall/start.ts';
import { makeKey } from './keys.ts';

let rollcall: TestRollcall;
afterEach(() => rollcall.stop());

/** Sends one after another until an answer is not like the ones before; fails after `most`. */
async function until(status: number, most: number, send: () => Promise<Answer>) {
  const before: number[] = [];
  while (before.length < most) {
    const answer = await send();
    if (answer.status === status) return { answer, before };
    before.push(answer.status);
  }
  throw new Error(`${most} answers, and none of them was ${status}`);
}

test('a key that asks too often gets 429 with the time to wait, another key does not', async () => {
  rollcall = await startTestRollcall({ config: { rateLimit: 2 } });
  const other = await rollcall.keyFor('default', ['admin']);
  // 20 in ten seconds; twice as many, should the seconds turn over meanwhile.
  const { answer, before } = await until(429, 41, () => rollcall.get('/api/v1/whoami'));
  expect(before.length).toBeGreaterThanOrEqual(20);
  expect(new Set(before)).toEqual(new Set([200]));
  expect(answer.body).toMatchObject({ status: 429, code: 'rate_limited' });
  const wait = Number(answer.headers.get('retry-after'));
  expect(wait).toBeGreaterThan(0);
  expect(wait).toBeLessThanOrEqual(10);
  expect(answer.headers.get('ratelimit')).toContain('r=0');
  expect(answer.headers.get('ratelimit-policy')).toContain('q=20');

  const calm = await rollcall.get('/api/v1/whoami', { key: other });
  expect(calm.status).toBe(200);
  expect(calm.headers.get('ratelimit')).toMatch(/r=\d+/);
  expect((await rollcall.get('/healthz')).status).toBe(200);
});

test('a limit of zero is none', async () => {
  rollcall = await startTestRollcall({ config: { rateLimit: 0 } });
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => rollcall.get('/api/v1/whoami')),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect(answers[0]?.headers.get('ratelimit')).toBeNull();
});

test('refused keys of one address are limited, and good keys of that address still work', async () => {
  rollcall = await startTestRollcall();
  const guess = () => rollcall.get('/api/v1/whoami', { key: makeKey() });
  const { answer, before } = await until(429, 401, guess);
  expect(before.length).toBeGreaterThanOrEqual(200);
  expect(new Set(before)).toEqual(new Set([401]));
  expect(answer.body).toMatchObject({ code: 'rate_limited' });
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  expect((await rollcall.get('/api/v1/whoami')).status).toBe(200);
});
