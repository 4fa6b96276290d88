import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { executionExample } from '../../../../test/rollcall/execution-example.ts';
import { strangers } from '../../../../test/rollcall/settled-tenant.ts';
import { startTestRollcall, type TestRollcall } from '../../../../test/rollcall/start.ts';

let rollcall: TestRollcall;
beforeAll(async () => {
  rollcall = await startTestRollcall();
});
afterAll(() => rollcall.stop());

const TABLES = [
  'executions',
  'execution_keys',
  'node_executions',
  'telemetry_spans',
  'telemetry_events',
  'shared_state_snapshots',
];
const counts = async () => {
  const parts = TABLES.map((table) => `(select count(*)::int from rollcall.${table}) as ${table}`);
  return (await rollcall.sql<Record<string, number>>(`select ${parts.join(', ')}`))[0];
};

type Path = (string | number)[];

/** Every place in a value, containers included. */
function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const keys = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  const inside = keys.flatMap((key) =>
    pathsOf((value as Record<string | number, unknown>)[key], [...path, key]),
  );
  return [...(path.length > 0 ? [path] : []), ...inside];
}

function put(root: unknown, path: Path, value: unknown): void {
  const [last, ...way] = path.toReversed();
  const holder = way.reduceRight<unknown>(
    (at, key) => (at as Record<string | number, unknown> | undefined)?.[key],
    root,
  );
  if (typeof holder === 'object' && holder !== null && last !== undefined) {
    (holder as Record<string | number, unknown>)[last] = value;
  }
}

const moments = fc.constantFrom(
  '0001-01-01T00:00:00Z',
  '9999-12-31T23:59:59.999999Z',
  '2024-02-30T00:00:00Z',
  '2024-11-26T12:00:00',
  '2024-11-26T12:00:00+15:59',
  '2024-11-26',
  'infinity',
  'now',
  new Date().toISOString(),
);
const hostile = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.string({ unit: 'binary', maxLength: 300 }),
  moments,
  fc.constantFrom<unknown>(
    null,
    '',
    '\0',
    '\ud800',
    'x'.repeat(70_000),
    -1,
    0.5,
    1e308,
    2 ** 53,
    [],
    {},
    [[[[]]]],
    { __proto__: null, constructor: 1 },
    '0'.repeat(32),
    'rc_abcdefghijklmnopqrstuvwxyz',
    "'; drop table rollcall.executions; --",
  ),
);

test('whatever is sent, it is stored whole or not at all, and never our fault', async () => {
  const places = pathsOf(executionExample(strangers('hostile')));
  const change = fc.record({ path: fc.constantFrom(...places), value: hostile });
  const seen = new Set<number>();
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 3 }), async (changes) => {
      const report = executionExample(strangers(`hostile-${randomUUID()}`));
      for (const { path, value } of changes) put(report, path, value);
      const before = await counts();
      const { status, body } = await rollcall.post('/api/v1/executions/ingest', report);
      seen.add(status);
      expect([status, body.code]).not.toEqual([expect.any(Number), 'internal']);
      expect(status).toBeLessThan(500);
      const after = await counts();
      if (status >= 400) {
        expect(body).toMatchObject({ code: expect.any(String), detail: expect.any(String) });
        expect(after).toEqual(before);
      } else {
        const added = Object.fromEntries(
          Object.keys(body.stored).map((table) => [
            table,
            (after?.[table] ?? 0) - (before?.[table] ?? 0),
          ]),
        );
        expect(added).toEqual(body.stored);
      }
    }),
    { numRuns: 400 },
  );
  expect([...seen].sort()).toEqual(expect.arrayContaining([201, 422]));
});

test('hostile neighbours in one transaction take nothing down with them', async () => {
  const good = () => executionExample(strangers(`good-${randomUUID()}`));
  const far = { ...good(), project_id: 'no-such-project' };
  const answers = await Promise.all(
    [good(), far, good(), far, good()].map((report) =>
      rollcall.post('/api/v1/executions/ingest', report),
    ),
  );
  expect(answers.map(({ status }) => status)).toEqual([201, 422, 201, 422, 201]);
  expect(answers[1]?.body.errors).toEqual([
    expect.objectContaining({ path: 'project_id', code: 'unknown_project' }),
  ]);
});

test('what is too much is refused by its place, and what is just enough is taken', async () => {
  const report = (more: object) => ({
    workflow_id: 'w',
    session_id: randomUUID(),
    started_at: new Date().toISOString(),
    status: 'success',
    ...more,
  });
  const many = <Item>(length: number, make: (index: number) => Item) => Array.from({ length }, (_, index) => make(index)); // prettier-ignore
  const at = new Date().toISOString();
  const node = (index: number) => ({ node_name: `n${index}`, status: 'success' });
  const event = (index: number) => ({ name: `e${index}`, at });
  const state = (length: number) => [{ at, state: 'x'.repeat(length - 2) }];
  const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);
  const refused = async (more: object) => {
    const { status, body } = await rollcall.post('/api/v1/executions/ingest', report(more));
    return [status, body.errors?.[0]?.path, body.errors?.[0]?.code];
  };
  const taken = async (more: object) =>
    (await rollcall.post('/api/v1/executions/ingest', report(more))).status;
  expect(await taken({ node_executions: many(5_000, node) })).toBe(201);
  expect(await refused({ node_executions: many(5_001, node) })).toEqual([
    422,
    'node_executions',
    'too_big',
  ]);
  expect(await taken({ telemetry_events: many(20_000, event) })).toBe(201);
  expect(await refused({ telemetry_events: many(20_001, event) })).toEqual([
    422,
    'telemetry_events',
    'too_big',
  ]);
  expect(await taken({ shared_state_snapshots: state(262_144) })).toBe(201);
  expect(await refused({ shared_state_snapshots: state(262_145) })).toEqual([
    422,
    'shared_state_snapshots.0.state',
    'too_big',
  ]);
  expect(await taken({ shared_state_snapshots: [{ at, state: nested(20) }] })).toBe(201);
  const [status, , code] = await refused({
    shared_state_snapshots: [{ at, state: nested(21) }],
  });
  expect([status, code]).toEqual([422, 'too_deep']);
  expect(await refused({ shared_state_snapshots: [{ at }] })).toEqual([
    422,
    'shared_state_snapshots.0.state',
    'required',
  ]);
});
