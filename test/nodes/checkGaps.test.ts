import { checked, gap, HTML, problem, rollcall, type Received } from './rollcall.ts';
import { checkGaps, runWorkflow, type Step } from './workflow.ts';

const CHECK = 'POST /api/v1/gaps/check';
const LIST = 'GET /api/v1/gaps';

const check = (parameters: Step['parameters'], settings?: Step['settings']): Step => ({
  name: 'Gaps',
  does: checkGaps,
  parameters,
  settings,
});
const page = (ids: string[], next_cursor: string | null = null) => ({
  body: { items: ids.map((id) => gap(id)), next_cursor },
});

it('runs a check, then gives one item for each open gap on the first output', async () => {
  const received = await rollcall({ [CHECK]: { body: checked(2) }, [LIST]: page(['1', '2']) });
  const { output } = await runWorkflow([check({})], [{ json: {} }, { json: {} }]);
  expect(received.map(({ route, query }) => [route, query])).toEqual([
    [CHECK, {}],
    [LIST, { state: 'open', limit: '50' }],
  ]);
  expect(output('Gaps', 0)).toEqual([
    { json: gap('1'), pairedItem: { item: 0 } },
    { json: gap('2'), pairedItem: { item: 0 } },
  ]);
  expect(output('Gaps', 1)).toEqual([]);
});

it('says that all is clear on the second output, with what the check found', async () => {
  await rollcall({ [CHECK]: { body: checked(0) }, [LIST]: page([]) });
  const { output } = await runWorkflow([check({})]);
  expect(output('Gaps', 0)).toEqual([]);
  expect(output('Gaps', 1)).toEqual([
    { json: { all_clear: true, check: checked(0) }, pairedItem: { item: 0 } },
  ]);
});

it('may list what the last check found, without a check of its own', async () => {
  const received = await rollcall({ [LIST]: page([]) });
  const { output } = await runWorkflow([check({ runCheck: false })]);
  expect(received.map(({ route }) => route)).toEqual([LIST]);
  expect(output('Gaps', 1)[0]?.json).toEqual({ all_clear: true, check: null });
});

it('asks for what the filters say', async () => {
  const received = await rollcall({ [CHECK]: { body: checked(0) }, [LIST]: page([]) });
  const filters = {
    severity: 'critical',
    grade: 'likely',
    entity_type: 'workflow',
    entity_id: 'wf-1',
    state: 'muted',
  };
  await runWorkflow([check({ filters, limit: 10 })]);
  expect(received[1]?.query).toEqual({ ...filters, limit: '10' });
});

it('asks for each chosen kind, up to the limit over all of them', async () => {
  const received = await rollcall({
    [CHECK]: { body: checked(3) },
    [LIST]: ({ query }: Received) => page(query.kind === 'silent' ? ['1', '2'] : ['3']),
  });
  const kinds = ['silent', 'stuck', 'missing'];
  const { output } = await runWorkflow([check({ kinds, limit: 3 })]);
  expect(received.slice(1).map(({ query }) => [query.kind, query.limit])).toEqual([
    ['silent', '3'],
    ['stuck', '1'],
  ]);
  expect(output('Gaps').map(({ json }) => json.id)).toEqual(['1', '2', '3']);
});

it('follows the cursor to the last page when all are wanted', async () => {
  const received = await rollcall({
    [CHECK]: { body: checked(3) },
    [LIST]: [page(['1'], 'c1'), page(['2'], 'c2'), page(['3'])],
  });
  const { output } = await runWorkflow([check({ returnAll: true })]);
  expect(received.slice(1).map(({ query }) => query.cursor)).toEqual([undefined, 'c1', 'c2']);
  expect(output('Gaps').map(({ json }) => json.id)).toEqual(['1', '2', '3']);
});

it('stops at the limit although more pages follow', async () => {
  const full = Array.from({ length: 500 }, (_, index) => String(index));
  const received = await rollcall({
    [CHECK]: { body: checked(900) },
    [LIST]: ({ query }: Received) => page(full.slice(0, Number(query.limit)), 'more'),
  });
  const { output } = await runWorkflow([check({ limit: 550 })]);
  expect(received.slice(1).map(({ query }) => query.limit)).toEqual(['500', '50']);
  expect(output('Gaps')).toHaveLength(550);
});

it.each([
  ['HTML', HTML, 'Rollcall sent an answer that is not JSON'],
  ['a 403', problem(403, 'Forbidden', 'Needs gaps:read.'), 'Rollcall answered 403: Forbidden'],
])('%s fails the node, or is one item of a node that continues', async (_, reply, message) => {
  await rollcall({ [CHECK]: { body: checked(0) }, [LIST]: reply });
  const failed = await runWorkflow([check({})]);
  expect(failed.run.data.resultData.error?.message).toBe(message);

  const settings = { onError: 'continueRegularOutput' } as const;
  const continued = await runWorkflow([check({}, settings)]);
  expect(continued.run.status).toBe('success');
  expect(continued.output('Gaps', 0).map(({ json }) => json)).toEqual([{ error: message }]);
  expect(continued.output('Gaps', 1)).toEqual([]);
});
