import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { startTestRollcall, type TestRollcall } from '../rollcall/start.ts';

let rollcall: TestRollcall;
beforeAll(async () => {
  rollcall = await startTestRollcall();
});
afterAll(() => rollcall.stop());

const BODIES = ['/api/v1/telemetry', '/api/v1/entities', '/api/v1/keys'];

describe('a body of 50 MB', () => {
  const MEGABYTE = Buffer.alloc(1_000_000, ' ');

  /** Writes the body piece by piece as fast as it is taken; answers what comes back, however early. */
  function sendLarge(agent: Agent, path: string, headers: Record<string, string>) {
    return new Promise<{ response: IncomingMessage; text: string; sent: number }>(
      (resolve, reject) => {
        let sent = 0;
        const target = new URL(path, rollcall.url);
        const request = httpRequest(target, {
          method: 'POST',
          agent,
          headers: {
            authorization: `Bearer ${rollcall.key}`,
            'content-type': 'application/json',
            ...headers,
          },
        });
        let open = true;
        const write = () => {
          while (open && sent < 50) {
            sent += 1;
            if (!request.write(MEGABYTE)) return void request.once('drain', write);
          }
          if (open) request.end();
          open = false;
        };
        request.on('response', (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (part: string) => (text += part));
          response.on('end', () => resolve({ response, text, sent }));
        });
        // Once the answer is there, a closed connection is an answer too.
        request.on('error', reject);
        write();
      },
    );
  }

  test.each([
    ['with its length told', { 'content-length': '50000000' }],
    ['in chunks', { 'transfer-encoding': 'chunked' }],
  ])(
    '%s is refused, and the next request on the same connection or a new one succeeds',
    async (_, headers) => {
      for (const path of BODIES) {
        const agent = new Agent({ keepAlive: true, maxSockets: 1 });
        const { response, text } = await sendLarge(agent, path, headers);
        expect(response.statusCode).toBe(413);
        expect(response.headers['content-type']).toContain('application/problem+json');
        expect(JSON.parse(text)).toMatchObject({
          code: 'body_too_large',
          detail: expect.stringMatching(/bytes/),
        });
        const next = await new Promise<number | undefined>((resolve, reject) => {
          httpRequest(new URL('/healthz', rollcall.url), { agent }, (answer) => {
            answer.resume().on('end', () => resolve(answer.statusCode));
          })
            .on('error', reject)
            .end();
        });
        expect(next).toBe(200);
        agent.destroy();
      }
    },
  );

  test('to where no body is wanted does no harm', async () => {
    const body = Buffer.alloc(50_000_000, ' ');
    expect((await rollcall.post('/api/v1/gaps/check', body)).status).toBe(200);
    expect((await rollcall.call('DELETE', '/api/v1/entities/service/none', body)).status).toBe(404);
    expect((await rollcall.post('/nowhere', body)).status).toBe(404);
    expect((await rollcall.post('/api/v1/telemetry', body, { key: null })).status).toBe(401);
  });
});
