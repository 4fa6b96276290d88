import { problemFromFailure, type DatabaseFailure } from './sqlstate.ts';

const failing = (failure: Partial<DatabaseFailure>) =>
  problemFromFailure({ code: '', message: 'as the database says it', ...failure });

describe('what a database says becomes what a caller reads', () => {
  test.each([
    ['RC404', 404, 'not_found', 'our functions find nothing'],
    ['RC409', 409, 'conflict', 'our functions see a conflict'],
    ['RC422', 422, 'invalid_request', 'our functions refuse a value'],
    ['22P02', 422, 'invalid_value', 'a text is no uuid'],
    ['22021', 422, 'invalid_value', 'a byte is in no encoding'],
    ['23514', 422, 'invalid_value', 'a check fails'],
    ['23503', 422, 'invalid_value', 'a reference leads nowhere'],
    ['57014', 503, 'query_timeout', 'the statement was cancelled'],
    ['40001', 503, 'busy', 'a race was lost too often'],
    ['40P01', 503, 'busy', 'a deadlock came back'],
    ['55P03', 503, 'busy', 'a lock was not to be had'],
    ['42883', 503, 'schema_outdated', 'the function is missing'],
    ['42P01', 503, 'schema_outdated', 'the table is missing'],
    ['42501', 503, 'schema_outdated', 'the right is missing'],
    ['3F000', 503, 'schema_outdated', 'the schema is missing'],
    ['PGRST106', 503, 'schema_outdated', 'Supabase does not expose the schema'],
    ['PGRST202', 503, 'schema_outdated', 'Supabase does not know the function'],
    ['28P01', 503, 'database_unauthorised', 'the password is wrong'],
    ['28000', 503, 'database_unauthorised', 'the role may not log in'],
    ['PGRST301', 503, 'database_unauthorised', 'the token is wrong'],
    ['PGRST303', 503, 'database_unauthorised', 'the token has expired'],
    ['08006', 503, 'database_unavailable', 'the connection broke'],
    ['53300', 503, 'database_unavailable', 'there are too many connections'],
    ['53100', 503, 'database_unavailable', 'the disk is full'],
    ['57P01', 503, 'database_unavailable', 'the database is stopped'],
    ['57P03', 503, 'database_unavailable', 'the database is still starting'],
    ['58030', 503, 'database_unavailable', 'the disk fails'],
    ['25006', 503, 'database_unavailable', 'the database is a replica for now'],
    ['3D000', 503, 'database_unavailable', 'the database is gone'],
    ['ECONNREFUSED', 503, 'database_unavailable', 'nothing listens there'],
    ['ENOENT', 503, 'database_unavailable', 'its socket is not there'],
    ['EPIPE', 503, 'database_unavailable', 'the connection broke while sending'],
    ['PGRST000', 503, 'database_unavailable', 'PostgREST cannot reach the database'],
    ['PGRST003', 503, 'database_unavailable', 'PostgREST has no free connection'],
    ['unreachable', 503, 'database_unavailable', 'the gateway does not answer'],
    ['P0001', 500, 'internal', 'a function of ours fails'],
    ['XX000', 500, 'internal', 'the database fails'],
    ['', 500, 'internal', 'nobody knows why'],
  ])('%s is a %d %s: %s', (code, status, expected) => {
    const problem = failing({ code });
    expect([problem.status, problem.code]).toEqual([status, expected]);
    expect(problem.retryAfter).toBe(status === 503 ? 1 : undefined);
  });

  test('an unknown project is named, whether the constraint comes along or only the message', () => {
    const message =
      'insert or update on table "entities" violates foreign key constraint "entities_project"';
    for (const failure of [
      { code: '23503', constraint: 'entities_tenant_id_project_id_fkey' },
      { code: '23503', message },
    ]) {
      expect(failing(failure)).toMatchObject({
        status: 422,
        code: 'unknown_project',
        errors: [{ path: 'project_id', code: 'unknown_project' }],
      });
    }
  });

  test('what our functions raise keeps its code, its field and its advice', () => {
    const problem = failing({
      code: 'RC409',
      message: 'It stands below itself.',
      detail: '{"code": "cycle", "path": "parent"}',
      hint: 'Choose another parent.',
    });
    expect(problem).toMatchObject({
      status: 409,
      code: 'cycle',
      message: 'It stands below itself. Choose another parent.',
      errors: [{ path: 'parent', code: 'cycle', message: 'It stands below itself.' }],
    });
  });

  test('a detail that is not ours is left alone', () => {
    for (const detail of ['Key (id)=(1) is missing.', null, undefined]) {
      expect(failing({ code: 'RC404', detail }).code).toBe('not_found');
    }
  });

  test('a failure of ours says nothing of the database, but keeps the cause for the log', () => {
    const cause = new Error('relation "secret_things" is on fire');
    const problem = failing({ code: 'XX000', message: cause.message, cause });
    expect(problem.message).not.toContain('secret_things');
    expect(problem.cause).toBe(cause);
  });
});
