import pg from 'pg';
import { closedPort } from '../../../../test/cluster/closedPort.ts';
import type { TestDatabase } from '../../../../test/cluster/database.ts';
import { createRollcallDatabase } from '../../../../test/rollcall/start.ts';
import type { Problem } from '../problem.ts';
import type { Database } from './port.ts';
import { connectPostgres } from './postgres.ts';

/** Functions that do what is hard to bring about. */
const FUNCTIONS = `
create sequence rollcall_api.tries;
create function rollcall_api.lose(p_code text, p_times int) returns jsonb language plpgsql as $$
begin
  if nextval('rollcall_api.tries') <= p_times then raise exception using errcode = p_code, message = 'lost'; end if;
  return to_jsonb(currval('rollcall_api.tries'));
end $$;
create function rollcall_api.wait(p_seconds float8) returns jsonb language sql as $$
  select to_jsonb(pg_sleep(p_seconds)::text) $$;
create function rollcall_api.echo(p_json json, p_text text, p_number float8, p_flag boolean) returns jsonb language sql as $$
  select jsonb_build_array(p_json, p_text, p_number, p_flag) $$;`;

let made: TestDatabase;
let superuser: pg.Client;
const open: Database[] = [];

function connect(options: { url?: string; timeoutMs?: number; connections?: number } = {}) {
  const database = connectPostgres({
    url: made.url,
    connections: 1,
    timeoutMs: 20_000,
    onIdleError: () => undefined,
    ...options,
  });
  open.push(database);
  return database;
}

const failure = (calling: Promise<unknown>): Promise<Problem> =>
  calling.then(
    (result) => Promise.reject(new Error(`It answered ${JSON.stringify(result)}`)),
    (error: Problem) => error,
  );

beforeAll(async () => {
  made = await createRollcallDatabase();
  superuser = new pg.Client(made.url);
  await superuser.connect();
  await superuser.query(FUNCTIONS);
});
beforeEach(() => superuser.query(`select setval('rollcall_api.tries', 1, false)`));
afterEach(async () => void (await Promise.all(open.splice(0).map((database) => database.close()))));
afterAll(async () => {
  await superuser.end();
  await made.drop();
});

describe('a call to PostgreSQL', () => {
  test('hands every kind of argument over as what it is', async () => {
    const json = [{ a: [1, null] }, 'b', []];
    const args = { p_json: json, p_text: `'; drop --`, p_number: 0.5, p_flag: false };
    expect(await connect().call('echo', args)).toEqual([json, `'; drop --`, 0.5, false]);
    const nothing = { p_json: {}, p_text: null, p_number: null, p_flag: null };
    expect(await connect().call('echo', nothing)).toEqual([{}, null, null, null]);
  });

  test.each([
    ['the function', 'echo(null); drop table x', {}],
    ['an argument', 'echo', { 'p_text => null) --': 1 }],
    ['an argument in capitals', 'echo', { P_TEXT: 1 }],
    ['an empty argument', 'echo', { '': 1 }],
  ])('refuses what is no name of %s', async (_what, name, args) => {
    const { cause } = await failure(connect().call(name, args));
    expect(String(cause)).toContain('Not a function or argument name');
  });

  test('of a function that is not there says that the schema is outdated', async () => {
    const problem = await failure(connect().call('no_such_function', {}));
    expect([problem.status, problem.code]).toEqual([503, 'schema_outdated']);
  });
});

describe('a database that does not answer', () => {
  const unreachable = async (url: string) => {
    const problem = await failure(connect({ url }).call('schema_version', {}));
    return [problem.status, problem.code];
  };

  test('because nothing listens there', async () => {
    const port = await closedPort();
    const expected = [503, 'database_unavailable'];
    expect(await unreachable(`postgresql://nobody@127.0.0.1:${port}/rollcall`)).toEqual(expected);
    expect(await unreachable('postgresql://nobody@%2Fno%2Fsuch%2Ffolder/rollcall')).toEqual(
      expected,
    );
  });

  test('because the role or the database is unknown', async () => {
    const role = new URL(made.url);
    role.username = 'no_such_role';
    expect(await unreachable(role.href)).toEqual([503, 'database_unauthorised']);
    const database = new URL(made.url);
    database.pathname = '/no_such_database';
    expect(await unreachable(database.href)).toEqual([503, 'database_unavailable']);
  });

  test('in time is asked no longer, and the connection serves the next call', async () => {
    const database = connect({ timeoutMs: 50 });
    const problem = await failure(database.call('wait', { p_seconds: 600 }));
    expect([problem.status, problem.code]).toEqual([503, 'query_timeout']);
    expect(await database.call('wait', { p_seconds: 0 })).toBe('');
  });
});

describe('a connection that is cut', () => {
  const cut = (name: string) =>
    superuser.query(
      `select pg_terminate_backend(pid, 5000) from pg_stat_activity
        where datname = current_database() and application_name = 'rollcall' and query like $1`,
      [`%rollcall_api.${name}(%`],
    );

  test('while it rests is replaced', async () => {
    let lost: (error: Error) => void = () => undefined;
    const noticed = new Promise<Error>((resolve) => (lost = resolve));
    const database = connectPostgres({
      url: made.url,
      connections: 1,
      timeoutMs: 20_000,
      onIdleError: (error) => lost(error),
    });
    open.push(database);
    await database.call('wait', { p_seconds: 0 });
    expect((await cut('wait')).rowCount).toBe(1);
    expect((await noticed).message).toContain('terminating connection');
    expect(await database.call('wait', { p_seconds: 0 })).toBe('');
  });

  test('in the middle of a call fails that call alone', async () => {
    const database = connect();
    const waiting = failure(database.call('wait', { p_seconds: 600 }));
    await untilRuns('wait');
    await cut('wait');
    expect(await waiting).toMatchObject({ status: 503, code: 'database_unavailable' });
    expect(await database.call('wait', { p_seconds: 0 })).toBe('');
  });
});

describe('a race that was lost', () => {
  test.each(['40001', '40P01'])('is run again: %s', async (code) => {
    expect(await connect().call('lose', { p_code: code, p_times: 2 })).toBe(3);
  });

  test('three times is told, and other failures are told at once', async () => {
    const lost = await failure(connect().call('lose', { p_code: '40P01', p_times: 9 }));
    expect([lost.status, lost.code]).toEqual([503, 'busy']);
    expect(await connect().call('lose', { p_code: '40P01', p_times: 0 })).toBe(4);
    await failure(connect().call('lose', { p_code: 'P0001', p_times: 9 }));
    expect(await connect().call('lose', { p_code: 'P0001', p_times: 0 })).toBe(6);
  });
});

async function untilRuns(name: string): Promise<void> {
  const running = `select from pg_stat_activity
    where datname = current_database() and state = 'active' and pid <> pg_backend_pid() and query like $1`;
  while ((await superuser.query(running, [`%rollcall_api.${name}(%`])).rowCount === 0);
}
