import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

import type { IExecuteFunctions, INodeType } from 'n8n-workflow';

import { HTML, kept, problem, rollcall, type Received, type Reply } from './rollcall.ts';
import { stored } from './credentials.ts';
import { runWorkflow, telemetryEmit, type Step } from './workflow.ts';

const ROUTE = 'POST /api/v1/telemetry';
const ITEMS = [{ json: { a: 1 } }, { json: { b: 2 } }];
const REJECTED: Reply = {
  status: 422,
  body: {
    receipt: 'rcpt',
    accepted: 0,
    duplicates: 0,
    rejected: 1,
    results: [
      {
        index: 0,
        status: 'rejected',
        code: 'too_small',
        path: 'duration_ms',
        message: 'Is below 0.',
      },
    ],
  },
};

const emit = (options: object, settings?: Step['settings']): Step => ({
  name: 'Emit',
  does: telemetryEmit,
  parameters: { options: { ...options } },
  settings,
});

/** A server that takes connections and never answers, which nock cannot play. */
async function silentServer(): Promise<{ url: string; close(): Promise<unknown> }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer(() => undefined);
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((closed) => server.close(closed));
    },
  };
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

async function allowLocalConnections(): Promise<void> {
  const { default: nock } = await import('nock');
  nock.enableNetConnect('127.0.0.1');
}

describe('in the background, as by default', () => {
  it('the next node runs before Rollcall has answered, and the end of the execution waits', async () => {
    let answer: () => void = () => undefined;
    const answered = new Promise<void>((resolve) => (answer = resolve));
    const order: string[] = [];
    await rollcall({
      [ROUTE]: async () => {
        await answered;
        order.push('Rollcall answers');
        return { body: kept() };
      },
    });
    const next: Step = {
      name: 'Next',
      does: () => {
        order.push('the next node runs');
        answer();
      },
    };
    const { run, task } = await runWorkflow([emit({}), next]);
    order.push('the execution is over');
    expect(run.status).toBe('success');
    expect(task('Emit').executionTime).toBeLessThan(500);
    expect(order).toEqual(['the next node runs', 'Rollcall answers', 'the execution is over']);
  });

  it.each<[string, Reply]>([
    ['a 500', problem(500, 'Internal error', 'Look into the log.')],
    ['a 401', problem(401, 'Unauthorized', 'No such key.')],
    ['HTML', HTML],
    ['a 404 in HTML', { ...HTML, status: 404 }],
    ['a rejection', REJECTED],
    ['nothing but a word', { body: '"fine"' }],
  ])('answered with %s, it changes nothing for the workflow', async (_, reply) => {
    await rollcall({ [ROUTE]: reply });
    const { run, output } = await runWorkflow([emit({})], ITEMS);
    expect(run.status).toBe('success');
    expect(output('Emit').map(({ json }) => json)).toEqual([{ a: 1 }, { b: 2 }]);
  });

  it('refused, it changes nothing for the workflow', async () => {
    const server = await silentServer();
    await server.close();
    await rollcall({});
    await allowLocalConnections();
    stored.baseUrl = server.url;
    const { run, output } = await runWorkflow([emit({})], ITEMS);
    expect(run.status).toBe('success');
    expect(output('Emit')).toHaveLength(2);
  });

  it('left hanging, no node waits, and all nodes together hold the end up by 2 s at most', async () => {
    const server = await silentServer();
    await rollcall({});
    await allowLocalConnections();
    stored.baseUrl = server.url;
    const started = Date.now();
    const more = (name: string): Step => ({ ...emit({}), name });
    const { run, task } = await runWorkflow([emit({}), more('Emit 2'), more('Emit 3')], ITEMS);
    const elapsed = Date.now() - started;
    await server.close();
    expect(run.status).toBe('success');
    expect(elapsed).toBeGreaterThanOrEqual(1990);
    expect(elapsed).toBeLessThan(3500);
    for (const name of ['Emit', 'Emit 2', 'Emit 3']) {
      expect(task(name).executionTime).toBeLessThan(500);
    }
  });

  it('without a credential, the workflow goes on', async () => {
    const received = await rollcall({ [ROUTE]: { body: kept() } });
    const { run, output } = await runWorkflow([emit({}, { credentials: undefined })], ITEMS);
    expect(run.status).toBe('success');
    expect(output('Emit')).toHaveLength(2);
    expect(received).toEqual([]);
  });

  it('with metadata that is not JSON, the workflow goes on and the editor says why', async () => {
    await rollcall({ [ROUTE]: { body: kept() } });
    const step = emit({});
    step.parameters = { additionalFields: { metadata: '{oops' } };
    const { run, task } = await runWorkflow([step], ITEMS);
    expect(run.status).toBe('success');
    expect(task('Emit').hints?.[0]?.message).toContain('"Metadata (JSON)" is not a JSON object');
  });

  it('is delivered where n8n does not tell when the execution ends, and nothing waits there', async () => {
    let answer: () => void = () => undefined;
    const answered = new Promise<void>((resolve) => (answer = resolve));
    const received = await rollcall({ [ROUTE]: () => answered.then(() => ({ body: kept() })) });
    const olderN8n: INodeType = {
      description: telemetryEmit.description,
      execute(this: IExecuteFunctions) {
        return telemetryEmit.execute.call(
          new Proxy(this, {
            get: (context, name: keyof IExecuteFunctions) =>
              name === 'onExecutionFinish' ? undefined : context[name],
          }),
        );
      },
    };
    const { run, task } = await runWorkflow([{ name: 'Emit', does: olderN8n }]);
    expect(run.status).toBe('success');
    expect(task('Emit').executionTime).toBeLessThan(500);
    await until(() => received.length === 1);
    answer();
  });

  it('holds no more than 10000 events on their way: the rest is dropped', async () => {
    let sent = 0;
    await rollcall({
      [ROUTE]: (request: Received) => {
        sent += request.body.length;
        return { body: kept(request.body.length) };
      },
    });
    const items = Array.from({ length: 6000 }, () => ({ json: {} }));
    const perItem = { eventsPer: 'item' };
    const { run } = await runWorkflow([emit(perItem), { ...emit(perItem), name: 'Emit 2' }], items);
    expect(run.status).toBe('success');
    await until(() => sent > 9900);
    expect(sent).toBeLessThanOrEqual(10000);
  });
});

describe('a retry', () => {
  it.each([429, 500, 503])('follows a %d, with the same event ids', async (status) => {
    const received = await rollcall({
      [ROUTE]: [problem(status, 'Not now', 'Try again.'), { body: kept() }],
    });
    await runWorkflow([emit({ delivery: 'required' })]);
    expect(received).toHaveLength(2);
    expect(received[1]?.body).toEqual(received[0]?.body);
  });

  it('comes once, not more', async () => {
    const received = await rollcall({ [ROUTE]: problem(500, 'Broken', 'Look.') });
    await runWorkflow([emit({ delivery: 'wait' })]);
    expect(received).toHaveLength(2);
  });

  it('does not follow what another try cannot mend', async () => {
    const received = await rollcall({ [ROUTE]: REJECTED });
    await runWorkflow([emit({ delivery: 'wait' })]);
    expect(received).toHaveLength(1);
  });

  it('does not outlast the timeout', async () => {
    const reply = { ...problem(503, 'Busy', 'Later.'), headers: { 'retry-after': '60' } };
    const received = await rollcall({ [ROUTE]: reply });
    await runWorkflow([emit({ delivery: 'wait' })]);
    expect(received).toHaveLength(1);
  });
});

describe('when told to wait', () => {
  it('it does, and goes on without an answer after the timeout', async () => {
    const server = await silentServer();
    await rollcall({});
    await allowLocalConnections();
    stored.baseUrl = server.url;
    const { run, task, output } = await runWorkflow(
      [emit({ delivery: 'wait', timeout: 300 })],
      ITEMS,
    );
    await server.close();
    expect(run.status).toBe('success');
    expect(task('Emit').executionTime).toBeGreaterThanOrEqual(290);
    expect(task('Emit').executionTime).toBeLessThan(1000);
    expect(task('Emit').hints?.[0]?.message).toContain('Rollcall did not answer');
    expect(output('Emit')).toHaveLength(2);
  });
});

describe('when delivery is required', () => {
  const required = { delivery: 'required' };

  it('a delivered event passes the items on', async () => {
    await rollcall({ [ROUTE]: { body: kept() } });
    const { output } = await runWorkflow([emit(required)], ITEMS);
    expect(output('Emit')).toHaveLength(2);
  });

  it('a rejection fails the node and says which field is wrong', async () => {
    await rollcall({ [ROUTE]: REJECTED });
    const { run } = await runWorkflow([emit(required)], ITEMS);
    expect(run.status).toBe('error');
    expect(run.data.resultData.error).toMatchObject({
      name: 'NodeApiError',
      message: 'Rollcall answered 422',
      description: 'Event 0, duration_ms: Is below 0.',
      httpCode: '422',
    });
  });

  it('one event of many being rejected fails the node too', async () => {
    const { results } = REJECTED.body as { results: object[] };
    await rollcall({ [ROUTE]: { body: { ...kept(1), rejected: 1, results } } });
    const { run } = await runWorkflow([emit({ ...required, eventsPer: 'item' })], ITEMS);
    expect(run.data.resultData.error?.message).toBe('Rollcall rejected 1 of 2 events');
  });

  it('a node set to continue hands its items on', async () => {
    await rollcall({ [ROUTE]: problem(401, 'Unauthorized', 'No such key.') });
    const { run, output } = await runWorkflow(
      [emit(required, { onError: 'continueRegularOutput' })],
      ITEMS,
    );
    expect(run.status).toBe('success');
    expect(output('Emit').map(({ json }) => json)).toEqual([{ a: 1 }, { b: 2 }]);
  });

  it('a node with an error output sends its items there', async () => {
    await rollcall({ [ROUTE]: problem(401, 'Unauthorized', 'No such key.') });
    const { output } = await runWorkflow(
      [emit(required, { onError: 'continueErrorOutput' })],
      ITEMS,
    );
    expect(output('Emit', 0)).toEqual([]);
    expect(output('Emit', 1).map(({ json }) => json.error)).toEqual([
      'Rollcall answered 401: Unauthorized',
      'Rollcall answered 401: Unauthorized',
    ]);
  });
});
