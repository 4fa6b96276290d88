import { randomUUID } from 'node:crypto';
import { dumpTenant } from '../../../../test/rollcall/dump.ts';
import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';

let rollcall: TestRollcall;
beforeAll(async () => {
  rollcall = await startTestRollcall({
    config: { redactKeys: ['badge-number'], redactValues: [/EMP-\d+/g] },
  });
});
afterAll(() => rollcall.stop());

const HIDDEN = '[redacted]';

/** What is stored of an event with this metadata and error message. */
async function keep(said: { metadata?: object; error_message?: string; user_id?: string }) {
  const correlation_id = randomUUID();
  const event = {
    protocol: 'a2a',
    source_id: 'a',
    target_id: 'b',
    status: 'error',
    correlation_id,
  };
  await rollcall.post('/api/v1/telemetry', { ...event, ...said });
  const { body } = await rollcall.get(`/api/v1/telemetry?correlation_id=${correlation_id}`);
  return body.items[0];
}

test.each([
  'password',
  'Passwd',
  'DB_PASSWORD',
  'api_key',
  'X-API-Key',
  'apiKey',
  'authorization',
  'Set-Cookie',
  'access_token',
  'token',
  'client_secret',
  'private-key',
  'awsSecretAccessKey',
  'credentials',
  'sessionId',
  'badge number',
  'my_badgeNumber',
])('what stands under %s is hidden, whatever it is', async (key) => {
  const { metadata } = await keep({
    metadata: { [key]: 'sesame', in: [{ [key]: { a: ['sesame'] } }], none: { [key]: null } },
  });
  expect(metadata).toEqual({ [key]: HIDDEN, in: [{ [key]: HIDDEN }], none: { [key]: null } });
});

test.each([
  ['an e-mail address', 'jane.doe+x@mail.example.co.uk'],
  ['a Rollcall key', `rc_${'a1B2'.repeat(10)}abc`],
  ['an OpenAI key', 'sk-proj-abcdef1234567890'],
  ['a GitHub token', 'ghp_abcdefghijklmnop1234'],
  ['a Slack token', 'xoxb-123456789012-abcdef'],
  ['a bearer token', 'Bearer abcdef.123456'],
  ['a JWT', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl'],
  ['an AWS key', 'AKIAIOSFODNN7EXAMPLE'],
  ['a Google key', `AIza${'x'.repeat(35)}`],
  ['a password in an address', '://admin:hunter2@'],
  ['a configured pattern', 'EMP-4711'],
])('%s is hidden in values, keys and error messages', async (_, secret) => {
  const { metadata, error_message } = await keep({
    metadata: { note: `see ${secret} here`, list: [secret], [`for ${secret}`]: 1 },
    error_message: `It failed (${secret}) twice: ${secret}`,
  });
  expect(JSON.stringify([metadata, error_message])).not.toContain(secret);
  expect(metadata).toMatchObject({ note: `see ${HIDDEN} here`, list: [HIDDEN] });
  expect(error_message).toBe(`It failed (${HIDDEN}) twice: ${HIDDEN}`);
});

test('what is no secret stays as it is', async () => {
  const metadata = {
    tokens_used: 12,
    monkey: 'sees monkey',
    keyboard: 'qwerty',
    author: 'Jane',
    at: 'user @ home',
    url: 'https://example.com/a?b=c',
    nested: [{ deep: { true: true, zero: 0, text: '' } }],
  };
  expect((await keep({ metadata })).metadata).toEqual(metadata);
});

test('a user’s id that is an address is not stored, any other is', async () => {
  expect((await keep({ user_id: 'ada@example.com' })).user_id).toBe(HIDDEN);
  expect((await keep({ user_id: 'user-7' })).user_id).toBe('user-7');
});

test('a secret is nowhere in the database, not even in rollups', async () => {
  const secret = 'sk-live-0123456789abcdef';
  await keep({ metadata: { note: secret, token: 'plain-sesame' }, error_message: secret });
  const dump = JSON.stringify(await dumpTenant(rollcall, 'default'));
  expect(dump).not.toContain(secret);
  expect(dump).not.toContain('plain-sesame');
});

test('keys with a meaning in JavaScript are stored like any other', async () => {
  const text = '{"__proto__": {"polluted": true}, "constructor": {"a": 1}, "toString": "b"}';
  const correlation_id = randomUUID();
  await rollcall.post(
    '/api/v1/telemetry',
    `{"protocol":"a2a","source_id":"a","target_id":"b","status":"error","correlation_id":"${correlation_id}","metadata":{"in":${text}}}`,
  );
  const [row] = await rollcall.sql<{ text: string }>(
    `select metadata::text as text from rollcall.telemetry where correlation_id = $1`,
    [correlation_id],
  );
  expect(row?.text).toContain('"__proto__": {"polluted": true}');
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});
