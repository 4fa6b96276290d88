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

const at = (seconds: number) =>
  new Date(rollcall.clock.now().getTime() - 3_600_000 + seconds * 1_000).toISOString();

async function report(execution_id: string, more: object = {}) {
  const body = { execution_id, workflow_id: 'w', status: 'success', started_at: at(0), ...more };
  const answer = await rollcall.post('/api/v1/executions/ingest', body);
  if (answer.status >= 300) throw new Error(JSON.stringify(answer.body));
  return answer.body.id as string;
}

describe('two executions', () => {
  const compare = (left: string, right: string, more: Record<string, string> = {}) =>
    rollcall.get('/api/v1/executions/compare', { query: { left, right, ...more } });
  const node = (node_name: string, more: object = {}) => ({
    node_name,
    status: 'success',
    started_at: at(0),
    duration_ms: 100,
    ...more,
  });

  test('are held against each other: nodes, states, and what ran', async () => {
    const left = await report('1', {
      workflow_version: 'v1',
      definition_hash: 'sha256:1',
      completed_at: at(2),
      node_executions: [
        node('same'),
        node('slow', { started_at: at(1) }),
        node('gone', { started_at: at(2) }),
      ],
      shared_state_snapshots: [{ at: at(0), node_name: 'slow', state: { n: 1 } }],
    });
    const right = await report('2', {
      workflow_version: 'v2',
      definition_hash: 'sha256:2',
      completed_at: at(3),
      node_executions: [
        node('same'),
        node('slow', {
          started_at: at(1),
          duration_ms: 900,
          status: 'error',
          error: { message: 'no' },
          tokens_used: 3,
        }),
      ],
      shared_state_snapshots: [
        { at: at(0), node_name: 'slow', state: { n: 9 } },
        { at: at(1), node_name: 'slow', state: { n: 2 } },
      ],
    });
    const { status, body } = await compare('1', right);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      left: { id: left },
      right: { id: right },
      duration_delta_ms: 1_000,
      workflow: {
        same_workflow: true,
        left_version: 'v1',
        right_version: 'v2',
        definition: 'changed',
      },
      differing: 2,
      state: { changes: [{ op: 'changed', path: '/n', from: 1, to: 2 }], truncated: false },
      truncated: false,
    });
    expect(body.nodes).toMatchObject([
      {
        node_name: 'slow',
        differences: ['status', 'duration_ms', 'error', 'state'],
        left: { status: 'success', duration_ms: 100 },
        right: { status: 'error', duration_ms: 900, error_message: 'no', tokens_used: 3 },
      },
      { node_name: 'gone', right: null, differences: ['presence'] },
      { node_name: 'same', differences: [] },
    ]);
  });

  test('that are one do not differ', async () => {
    await report('1', {
      node_executions: [node('a')],
      shared_state_snapshots: [{ at: at(0), state: 1 }],
    });
    const { body } = await compare('1', '1');
    expect(body).toMatchObject({
      differing: 0,
      state: { changes: [] },
      workflow: { definition: 'unknown' },
    });
  });

  test('an id that several have is a conflict that says on which side', async () => {
    await report('1', { instance_id: 'a' });
    await report('1', { instance_id: 'b' });
    await report('2');
    const { status, body } = await compare('2', '1');
    expect([status, body.errors]).toMatchObject([
      409,
      [{ path: 'query.right', code: 'ambiguous_execution' }],
    ]);
    expect(body.candidates).toHaveLength(2);
    expect((await compare('1', '2', { left_instance_id: 'b' })).status).toBe(200);
    expect((await compare('1', '2', { left_instance_id: 'c' })).status).toBe(404);
  });

  test('without both there is nothing to compare', async () => {
    const { status, body } = await rollcall.get('/api/v1/executions/compare', {
      query: { left: '1' },
    });
    expect([status, body.errors]).toMatchObject([422, [{ path: 'query.right', code: 'required' }]]);
  });
});

describe('regressions', () => {
  const changes = (query: Record<string, string> = {}) =>
    rollcall.get('/api/v1/executions/regressions', { query: { workflow_id: 'w', ...query } });
  /** One run a second: `a` succeeds, `a!` fails, `a?` is cancelled, `a~` goes on; `a/300` takes 300 ms. */
  async function runs(plan: string, more: object = {}) {
    for (const [index, word] of plan.split(' ').entries()) {
      const [, version, mark, duration] = /^(\w+)([!?~]?)(?:\/(\d+))?$/.exec(word) ?? [];
      const status = { '!': 'error', '?': 'cancelled', '~': 'running' }[mark ?? ''] ?? 'success';
      await report(`${index}`, {
        workflow_version: version,
        status,
        started_at: at(index),
        completed_at: new Date(Date.parse(at(index)) + Number(duration ?? 100)).toISOString(),
        ...(status === 'error' && { error: { type: 'Bad', message: `run ${index} failed` } }),
        ...more,
      });
    }
  }

  test('the last good run before a change and the first bad one after it are found', async () => {
    await runs('a a! a? a b b! b! b~ b');
    const { body } = await changes();
    expect(body.next_cursor).toBeNull();
    expect(body.items).toMatchObject([
      {
        workflow_id: 'w',
        before: { version: 'a', runs: 4, errors: 1, median_duration_ms: 100 },
        after: { version: 'b', runs: 4, errors: 2 },
        last_good: { execution_id: '3' },
        first_bad: { execution_id: '5' },
        error_type: 'Bad',
        error_message: 'run 5 failed',
        verdict: 'broken',
      },
    ]);
    expect(Date.parse(body.items[0].changed_at as string)).toBe(Date.parse(at(4)));
  });

  test('a change that made it slower, one that mended it, and one that did nothing', async () => {
    await runs('a/100 a/120 b/300 b/320 c! c! d d');
    const { body } = await changes();
    type Change = { after: { version: string }; verdict: string; duration_ratio: number | null };
    expect(
      body.items.map(({ after, verdict, duration_ratio }: Change) => [
        after.version,
        verdict,
        duration_ratio,
      ]),
    ).toEqual([
      ['d', 'fine', null],
      ['c', 'broken', null],
      ['b', 'slower', 2.818],
    ]);
    expect(body.items[0]).toMatchObject({ last_good: { execution_id: '3' }, first_bad: null });
    expect(body.items[1]).toMatchObject({
      last_good: { execution_id: '3' },
      first_bad: { execution_id: '4' },
    });
  });

  test('going back to an old version is a change, too', async () => {
    await runs('a b! a');
    const { body } = await changes();
    type Change = { before: { version: string }; after: { version: string }; verdict: string };
    expect(
      body.items.map(({ before, after, verdict }: Change) => [
        before.version,
        after.version,
        verdict,
      ]),
    ).toEqual([
      ['b', 'a', 'fine'],
      ['a', 'b', 'broken'],
    ]);
  });

  test.each(['1', '2', '5'])('come %s at a time, and say the same', async (limit) => {
    await runs('a b! c d! d e f g!');
    const all = (await changes()).body.items;
    expect(all).toHaveLength(6);
    const paged: unknown[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const { body } = await changes({ limit, ...(cursor ? { cursor } : {}) });
      paged.push(...body.items);
      cursor = body.next_cursor;
    }
    expect(paged).toEqual(all);
  });

  test('instances and times are told apart, and other workflows do not count', async () => {
    await report('x', { workflow_id: 'another', workflow_version: 'z', started_at: at(2) });
    await runs('a a', { instance_id: 'one' });
    await runs('b b c', { instance_id: 'two' });
    const versions = async (query: Record<string, string>) =>
      (await changes(query)).body.items.map(
        ({ after }: { after: { version: string } }) => after.version,
      );
    expect(await versions({ instance_id: 'one' })).toEqual([]);
    expect(await versions({ instance_id: 'two' })).toEqual(['c']);
    expect(await versions({ instance_id: 'two', to: at(2) })).toEqual([]);
    expect((await changes({ workflow_id: 'none' })).body).toEqual({ items: [], next_cursor: null });
  });

  test('of more runs than are looked through at a time none is left out', async () => {
    await rollcall.sql(
      `insert into rollcall.executions (tenant_id, id, project_id, workflow_id, workflow_version, status, status_at, began, duration_ms, sources, said)
       select $1, gen_random_uuid(), 'default', 'w', case when n <= 5000 then 'a' when n <= 10000 then 'b' else 'c' end,
              case when n in (6000, 40000) then 'error' else 'success' end, now(), $2::timestamptz + n * interval '1 millisecond', 5, '{hooks}', '{}'
         from generate_series(1, 50000) n`,
      [rollcall.tenant, at(0)],
    );
    const seen: { before: { version: string }; after: { version: string; errors: number } }[] = [];
    let pages = 0;
    for (let cursor: string | null = ''; cursor !== null; pages++) {
      const { body } = await changes(cursor ? { cursor } : {});
      seen.push(...body.items);
      cursor = body.next_cursor;
    }
    expect(seen.map(({ before, after }) => [before.version, after.version])).toEqual([
      ['b', 'c'],
      ['a', 'b'],
    ]);
    expect(seen[1]?.after.errors).toBe(1);
    expect(pages).toBeGreaterThan(2);
  });

  test('without a workflow there is nothing to say', async () => {
    const { status, body } = await rollcall.get('/api/v1/executions/regressions');
    expect([status, body.errors]).toMatchObject([422, [{ path: 'query.workflow_id' }]]);
  });
});
