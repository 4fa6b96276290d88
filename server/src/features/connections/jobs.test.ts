import { connectN8n, CONNECTIONS, idle } from '../../../../test/rollcall/connected.ts';
import {
  n8nWorkflow,
  startN8nServer,
  type N8nServer,
} from '../../../../test/rollcall/n8n-server.ts';
import { startSecondRollcall, type SecondRollcall } from '../../../../test/rollcall/second.ts';
import {
  startTestRollcall,
  type TestOptions,
  type TestRollcall,
} from '../../../../test/rollcall/start.ts';
import { connectPostgres } from '../../platform/database/postgres.ts';

/** As a server opens its database: with an address for jobs. */
const withJobs = (url: string) => {
  const connect = () =>
    connectPostgres({ url, connections: 4, timeoutMs: 30_000, onIdleError: () => undefined });
  return Promise.resolve({ ingest: connect(), query: connect(), url });
};

describe.each<[string, TestOptions]>([
  ['pg-boss', { connect: withJobs }],
  ['each server by itself', {}],
])('two servers on one database, jobs with %s', (_name, options) => {
  let first: TestRollcall;
  let second: SecondRollcall;
  let n8n: N8nServer;
  const listings = () => n8n.requests.filter((asked) => /workflows\?limit=250/.test(asked)).length;

  beforeAll(async () => {
    n8n = await startN8nServer([n8nWorkflow('one')]);
    first = await startTestRollcall(options);
    second = await startSecondRollcall(first, {}, options.connect);
    first.rollcall.startTasks();
    second.startTasks();
  });
  afterAll(async () => {
    await second.stop();
    await first.stop();
    await n8n.stop();
  });

  test('take an inventory once, however often both are asked', async () => {
    const { id } = await connectN8n(first, n8n);
    const before = listings();
    let answer: () => void = () => undefined;
    const until = new Promise<void>((resolve) => (answer = resolve));
    const page = { data: n8n.workflows, nextCursor: null };
    n8n.fail(/workflows\?limit=250/, { status: 200, body: JSON.stringify(page), until });
    const ask = (url: string) =>
      fetch(`${url}${CONNECTIONS}/${id}/sync`, {
        method: 'POST',
        headers: { authorization: `Bearer ${first.key}` },
      }).then((response) => response.json() as Promise<{ id: string }>);
    const jobs = await Promise.all(
      [first.url, second.url, first.url, second.url].map((url) => ask(url)),
    );
    expect(new Set(jobs.map((job) => job.id)).size).toBe(1);
    while (listings() === before) await first.get(`${CONNECTIONS}/${id}`);
    answer();
    expect((await idle(first, id)).last_error).toBeNull();
    expect(listings()).toBe(before + 1);
  });
});

describe('an inventory whose server has died', () => {
  test('is taken up by another when its lease is over, and no sooner', async () => {
    const rollcall = await startTestRollcall();
    const n8n = await startN8nServer([n8nWorkflow('one')]);
    const { id } = await connectN8n(rollcall, n8n);
    await rollcall.sql(
      `update rollcall.n8n_connections
          set sync_state = 'running', sync_id = gen_random_uuid(), leased_until = $2::timestamptz + interval '3 minutes'
        where id = $1`,
      [id, rollcall.clock.now()],
    );
    const due = async (minutes: number) => {
      const at = new Date(rollcall.clock.now().getTime() + minutes * 60_000);
      const [row] = await rollcall.sql<{ due: string[] }>(
        `select rollcall_api.due_syncs('default', $1, $1::timestamptz - interval '10 minutes') as due`,
        [at],
      );
      return row?.due;
    };
    expect(await due(2)).toEqual([]);
    expect(await due(4)).toEqual([id]);
    expect(await due(4)).toEqual([]);
    await rollcall.stop();
    await n8n.stop();
  });

  test('is put down by a server that stops, for the next one to take up at once', async () => {
    const rollcall = await startTestRollcall();
    const n8n = await startN8nServer([n8nWorkflow('one')]);
    const { id } = await connectN8n(rollcall, n8n);
    n8n.fail(/workflows\?limit=250/, { status: 200, until: new Promise(() => undefined) });
    const before = n8n.requests.length;
    await rollcall.post(`${CONNECTIONS}/${id}/sync`);
    while (n8n.requests.length < before + 2) await rollcall.get(`${CONNECTIONS}/${id}`);
    await rollcall.rollcall.stop();
    const [row] = await rollcall.sql(
      'select sync_state, leased_until <= $2 as over from rollcall.n8n_connections where id = $1',
      [id, rollcall.clock.now()],
    );
    expect(row).toEqual({ sync_state: 'running', over: true });
    await rollcall.stop();
    await n8n.stop();
  });
});
