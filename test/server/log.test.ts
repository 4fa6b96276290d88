import { createLog } from '../../server/src/platform/log.ts';
import { nameOf, addressOf, routeExamples } from '../rollcall/route-examples.ts';
import { settleTenant } from '../rollcall/settled-tenant.ts';
import { startTestRollcall, type TestRollcall } from '../rollcall/start.ts';

interface Line {
  level: number;
  req?: { id: string; method: string; path: string };
  res?: { status: number };
  request?: string;
  err?: { message: string; code?: string };
}

const lines: string[] = [];
let rollcall: TestRollcall;
beforeAll(async () => {
  const log = createLog('trace', { write: (line: string) => void lines.push(line) });
  rollcall = await startTestRollcall({ log });
});
afterAll(() => rollcall.stop());
beforeEach(() => void lines.splice(0));

const parsed = () => lines.map((line) => JSON.parse(line) as Line);
/** The line of a request is written when its answer is on its way. */
async function untilLogged(id: string | null): Promise<Line> {
  for (;;) {
    const line = parsed().find(({ req, res }) => req?.id === id && res);
    if (line) return line;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const SECRET = 'zebra-crossing-4711';
const [WARN, ERROR, DEBUG] = [40, 50, 20];

test('each request leaves one line with its id, method, path and status', async () => {
  const cases: [string, string, number, number][] = [
    ['GET', '/healthz', 200, DEBUG],
    ['GET', `/api/v1/entities?text=${SECRET}`, 200, DEBUG],
    ['POST', '/api/v1/entities', 400, WARN],
    ['GET', '/nowhere', 404, WARN],
    ['PATCH', '/api/v1/entities', 405, WARN],
  ];
  for (const [method, path, status, level] of cases) {
    const { headers } = await rollcall.call(method, path);
    const line = await untilLogged(headers.get('x-request-id'));
    expect(line).toMatchObject({
      level,
      req: { method, path: path.split('?')[0] },
      res: { status },
    });
  }
  expect(lines).toHaveLength(cases.length);
});

test('no line holds a key or anything that was sent, whatever the answer', async () => {
  const names = await settleTenant(rollcall, 'quiet');
  const key = await rollcall.keyFor('quiet');
  const told = { ...names, word: SECRET };
  const wrong = { [SECRET]: SECRET, entity_type: SECRET, protocol: SECRET, name: SECRET };
  let last: string | null = null;
  for (const route of rollcall.rollcall.routes) {
    for (const example of routeExamples(told)[nameOf(route)] ?? []) {
      for (const body of route.body ? [example.body, wrong, `{"${SECRET}`] : [undefined]) {
        for (const shown of [key, `rc_${SECRET}`, null]) {
          const headers = { 'x-forwarded-for': SECRET, cookie: SECRET, 'user-agent': SECRET };
          const address = addressOf(route.path, example);
          const answer = await rollcall.call(route.method.toUpperCase(), address, body, {
            key: shown,
            headers,
          });
          last = answer.headers.get('x-request-id');
        }
      }
    }
  }
  const created = await rollcall.post('/api/v1/keys', { name: SECRET, scopes: ['admin'] });
  await untilLogged(last);
  await untilLogged(created.headers.get('x-request-id'));
  expect(lines.length).toBeGreaterThan(100);
  const all = lines.join('');
  for (const secret of [SECRET, key, rollcall.key, created.body.key])
    expect(all).not.toContain(secret);
});

test('a failure of ours leaves its cause under the request’s id, without the row that it is about', async () => {
  await rollcall.sql(`
    create function public.fail() returns trigger language plpgsql as
    $$ begin raise exception using errcode = 'XX000', message = 'the disk is upside down', detail = new.entity_name; end $$;
    create trigger fail before insert on rollcall.entities for each row execute function public.fail()`);
  const entity = { entity_type: 'service', entity_id: 'a', entity_name: SECRET };
  const { status, body } = await rollcall.post('/api/v1/entities', entity);
  await rollcall.sql('drop function public.fail() cascade');
  expect(status).toBe(500);
  const failure = parsed().find(({ err }) => err);
  expect(failure).toMatchObject({
    level: ERROR,
    request: body.request_id,
    err: { message: 'the disk is upside down', code: 'XX000', stack: expect.any(String) },
  });
  expect(lines.join('')).not.toContain(SECRET);
});

test('an answer that says to come again later warns', async () => {
  await rollcall.sql(`
    create function public.fail() returns trigger language plpgsql as
    $$ begin raise exception using errcode = '55P03'; end $$;
    create trigger fail before insert on rollcall.entities for each row execute function public.fail()`);
  const entity = { entity_type: 'service', entity_id: 'a' };
  const { status, headers } = await rollcall.post('/api/v1/entities', entity);
  await rollcall.sql('drop function public.fail() cascade');
  expect(status).toBe(503);
  expect(await untilLogged(headers.get('x-request-id'))).toMatchObject({ level: WARN });
});
