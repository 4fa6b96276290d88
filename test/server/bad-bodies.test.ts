import { gzipSync } from 'node:zlib';
import { fingerprintOf } from '../rollcall/fingerprint.ts';
import { startTestRollcall, type Answer, type TestRollcall } from '../rollcall/start.ts';

let rollcall: TestRollcall;
let fingerprint: () => Promise<string>;
beforeAll(async () => {
  rollcall = await startTestRollcall();
  fingerprint = await fingerprintOf(rollcall);
  await rollcall.get('/api/v1/whoami');
  while (
    (await rollcall.sql('select from rollcall.api_keys where last_used_at is null')).length > 0
  );
});
afterAll(() => rollcall.stop());

const BODIES = ['/api/v1/telemetry', '/api/v1/entities', '/api/v1/keys'];
const EVENT = `{"protocol":"mcp","source_id":"a","target_id":"b","status":"success"}`;
const ENTITY = `{"entity_type":"service","entity_id":"a"}`;

function expectProblem(answer: Answer, status: number, code: string): void {
  expect([answer.status, answer.body.code]).toEqual([status, code]);
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  expect(answer.body).toMatchObject({
    status,
    detail: expect.stringMatching(/./),
    request_id: expect.any(String),
  });
}

/** Nothing that is sent here may leave a trace. */
async function unchanged(send: () => Promise<void>): Promise<void> {
  const before = await fingerprint();
  await send();
  expect(await fingerprint()).toBe(before);
}

describe('a body that is no JSON', () => {
  test.each(BODIES)('however it is cut off is refused by %s', async (path) => {
    const whole = path.endsWith('telemetry') ? `[${EVENT},${EVENT}]` : ENTITY;
    await unchanged(async () => {
      const cuts = Array.from({ length: whole.length - 1 }, (_, index) =>
        whole.slice(0, index + 1),
      );
      for (const answer of await Promise.all(cuts.map((cut) => rollcall.post(path, cut)))) {
        expectProblem(answer, 400, 'invalid_json');
      }
    });
  });

  test.each([
    'nonsense',
    '{"a":NaN}',
    '{"a":Infinity}',
    "{'a':1}",
    '{"a":01}',
    '{"a":1,}',
    '\u0000',
    '<a/>',
    '{}{}',
    '"\u0001"',
  ])('%j says where it breaks', async (body) => {
    for (const path of BODIES) {
      const answer = await rollcall.post(path, body);
      expectProblem(answer, 400, 'invalid_json');
      expect(answer.body.detail).toMatch(/JSON/);
    }
  });

  test('in another encoding than UTF-8 is refused', async () => {
    const bodies = [
      Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
      Buffer.from([0xc3, 0x28]),
      Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]),
      Buffer.from(`\ufeff${EVENT}`, 'utf16le'),
    ];
    for (const path of BODIES) {
      for (const body of bodies) {
        expectProblem(await rollcall.post(path, body), 400, 'invalid_encoding');
      }
    }
  });

  test('that begins with a byte order mark is read all the same', async () => {
    expect((await rollcall.post('/api/v1/telemetry', `\ufeff${EVENT}`)).status).toBe(200);
  });

  test('because it is empty says so', async () => {
    for (const path of ['/api/v1/entities', '/api/v1/keys']) {
      for (const body of ['', ' \n', undefined]) {
        expectProblem(await rollcall.post(path, body), 400, 'empty_body');
      }
    }
  });
});

describe('JSON of the wrong shape', () => {
  test.each(['null', 'true', '0', '""', '[]', '[[]]', '[{}]', '{}', `[${ENTITY}]`])(
    '%s is no entity and no key',
    async (body) => {
      await unchanged(async () => {
        for (const path of ['/api/v1/entities', '/api/v1/keys']) {
          const answer = await rollcall.post(path, body);
          expectProblem(answer, 422, 'invalid_request');
          for (const { path: at, message } of answer.body.errors) {
            expect([typeof at, at.length > 0, message.length > 0]).toEqual(['string', true, true]);
          }
        }
      });
    },
  );

  test.each(['null', 'true', '0', '""', '[[]]', '[null]', '[[[]],{}]', '{}'])(
    '%s is no event',
    async (body) => {
      await unchanged(async () => {
        const answer = await rollcall.post('/api/v1/telemetry', body);
        expectProblem(answer, 422, 'nothing_kept');
        expect(answer.body.errors.length).toBeGreaterThan(0);
      });
    },
  );

  test.each(['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'])(
    'a field called %s is unknown',
    async (field) => {
      const more = `"${field}":{"isAdmin":true,"scopes":["admin"]}`;
      await unchanged(async () => {
        for (const [path, good] of [
          ['/api/v1/telemetry', EVENT],
          ['/api/v1/entities', ENTITY],
        ] as const) {
          const answer = await rollcall.post(path, `{${more},${good.slice(1)}`);
          expect(answer.status).toBe(422);
          expect(JSON.stringify(answer.body.errors)).toContain('unknown_field');
        }
      });
      expect(({} as Record<string, unknown>).isAdmin).toBeUndefined();
    },
  );

  test('numbers too large for JavaScript or the database are refused with the path', async () => {
    for (const number of ['1e400', '-1e400', '1e16', '9223372036854775808', '-1', '0.5']) {
      const { status, body } = await rollcall.post(
        '/api/v1/telemetry',
        `{${EVENT.slice(1, -1)},"tokens_used":${number}}`,
      );
      expect([number, status, body.results[0].path]).toEqual([number, 422, 'tokens_used']);
    }
  });
});

/** Arrays in arrays, or objects in objects. */
const deep = (open: string, close: string, levels: number) =>
  open.repeat(levels) + (close ? '1' : '') + close.repeat(levels);

describe('nesting without end', () => {
  const shapes: [string, string, string][] = [
    ['arrays', '[', ']'],
    ['objects', '{"a":', '}'],
    ['arrays never closed', '[', ''],
    ['objects never closed', '{"a":', ''],
  ];
  test.each(shapes)('of %s is refused', async (_, open, close) => {
    await unchanged(async () => {
      for (const path of BODIES) {
        const room = path.endsWith('telemetry') ? 1_000_000 : 150_000;
        const { status } = await rollcall.post(path, deep(open, close, room));
        expect(status).toBe(close ? 422 : 400);
      }
    });
  });

  test.each([
    ['/api/v1/telemetry', EVENT, 'metadata', 1_000_000, 'metadata'],
    ['/api/v1/telemetry', EVENT, 'source_id', 1_000_000, 'source_id'],
    ['/api/v1/entities', ENTITY, 'metadata', 150_000, 'metadata'],
    ['/api/v1/entities', ENTITY, 'tags', 150_000, 'tags'],
    ['/api/v1/entities', ENTITY, 'parent', 150_000, 'parent'],
    ['/api/v1/entities', ENTITY, 'workflow', 150_000, 'workflow'],
  ])('in a field of %s is refused with the path: %s %s', async (path, good, field, levels, at) => {
    await unchanged(async () => {
      const { status, body } = await rollcall.post(
        path,
        `{${good.slice(1, -1)},"${field}":${deep('{"a":', '}', levels)}}`,
      );
      expect(status).toBe(422);
      expect(body.errors[0].path.replace(/^0\./, '')).toMatch(new RegExp(`^${at}\\b`));
      expect(JSON.stringify(body).length).toBeLessThan(5000);
    });
  });

  test.each(['parameters', 'credentials', 'position', 'notes'])(
    'in the %s of a workflow’s node harms nothing',
    async (field) => {
      const node = `{"name":"A","type":"n8n-nodes-base.httpRequest","${field}":${deep('{"a":', '}', 150_000)}}`;
      const workflows = [
        `{"nodes":[${node}]}`,
        `{"nodes":[],"connections":${deep('{"a":', '}', 150_000)}}`,
        `{"nodes":[],"settings":${deep('{"a":', '}', 150_000)}}`,
        `{"nodes":[],"pinData":${deep('{"a":', '}', 150_000)}}`,
      ];
      for (const workflow of workflows) {
        const { status } = await rollcall.post(
          '/api/v1/entities',
          `{${ENTITY.slice(1, -1)},"workflow":${workflow}}`,
        );
        expect([200, 201, 422]).toContain(status);
      }
    },
  );
});

describe('a type or encoding', () => {
  test.each([
    'text/html',
    'application/xml',
    'multipart/form-data; boundary=x',
    'application/x-www-form-urlencoded',
    'image/png',
    'nonsense',
  ])('%s is not understood', async (type) => {
    for (const path of BODIES) {
      const answer = await rollcall.post(path, EVENT, { headers: { 'content-type': type } });
      expectProblem(answer, 415, 'unsupported_media_type');
    }
  });

  test.each(['compress', 'gzip, gzip', 'nonsense'])(
    'in the encoding %s is not understood',
    async (encoding) => {
      for (const path of BODIES) {
        const answer = await rollcall.post(path, EVENT, {
          headers: { 'content-encoding': encoding },
        });
        expectProblem(answer, 415, 'unsupported_encoding');
      }
    },
  );

  test.each([
    ['is no gzip', Buffer.from('not gzip at all')],
    ['is cut off', gzipSync(`[${EVENT}]`).subarray(0, 20)],
    ['is spoilt', spoilt(gzipSync(`[${EVENT}]`))],
  ])('gzip that %s is refused', async (_, body) => {
    await unchanged(async () => {
      for (const path of BODIES) {
        const answer = await rollcall.post(path, body, { headers: { 'content-encoding': 'gzip' } });
        expectProblem(answer, 400, 'malformed_request');
      }
    });
  });

  test('a small body that unpacks to a large one is refused before it is unpacked', async () => {
    const bomb = gzipSync(Buffer.alloc(200_000_000, ' '));
    expect(bomb.length).toBeLessThan(1_000_000);
    for (const path of BODIES) {
      const answer = await rollcall.post(path, bomb, { headers: { 'content-encoding': 'gzip' } });
      expectProblem(answer, 413, 'body_too_large');
    }
  });
});

function spoilt(body: Buffer): Buffer {
  const copy = Buffer.from(body);
  copy.writeUInt32LE(0, copy.length - 8);
  return copy;
}
