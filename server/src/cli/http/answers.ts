import type { Problem } from '@rollcall/client/contract';
import { CommandFailure } from '../failure.ts';
import { clean } from '../terminal/text.ts';

/** Fields of requests that go by another name on the command line. */
const FLAGS: Record<string, string> = {
  action: '--action',
  api_key: '--n8n-key',
  base_url: 'URL',
  capabilities: '--capability',
  current_state: '--state',
  endpoint_url: '--endpoint',
  entity_id: '--id',
  entity_name: '--name',
  entity_type: '--type',
  error_type: '--error',
  events: '--event',
  expires_at: '--expires',
  format: '--format',
  from: '--since',
  instance_id: '--instance',
  interval_seconds: '--interval',
  labels: '--label',
  min_duration_ms: '--slower-than',
  name: '--name',
  new_state: '--state',
  parent: '--parent',
  parent_id: '--parent',
  parent_type: '--parent',
  project_id: '--project',
  prunes_after: '--prunes-after',
  reason: '--reason',
  scopes: '--scope',
  since: '--since',
  source_id: '--source',
  status: '--status',
  tags: '--tag',
  target_id: '--target',
  text: '--text',
  to: '--until',
  until: '--until',
  url: 'ADDRESS',
  workflow: '--workflow',
  workflow_id: '--workflow',
};

const RESTATES_ITS_FIELDS = 'invalid_request';

export function isProblem(answer: unknown): answer is Problem {
  const { code, detail } = (answer ?? {}) as Partial<Problem>;
  return typeof code === 'string' && typeof detail === 'string';
}

/** A refusal of the server as a person reads it: what happened, which fields, what to do. */
export function serverFailure(problem: Problem): CommandFailure {
  const { code, detail, errors = [], status } = problem;
  const listed = code === RESTATES_ITS_FIELDS && errors.length > 0;
  const message = listed ? 'The server does not accept this.' : clean(detail);
  return new CommandFailure(code === 'missing_key' ? 'No API key is set.' : message, {
    code,
    lines: errors.map(({ path, message }) => {
      const field = withFlag(path.replace(/^(query|path)\./, ''));
      return clean(listed || !detail.includes(message) ? `${field}: ${message}` : field);
    }),
    next: advice(problem),
    problem,
    temporary: status === 429 || status >= 500,
  });
}

function withFlag(path: string): string {
  const flag = FLAGS[path.split('.')[0] ?? ''];
  return flag ? `${path} (${flag})` : path;
}

function advice({ code, status }: Problem): string | undefined {
  if (status === 401) {
    return 'Give a valid key in ROLLCALL_API_KEY or with --key; the server’s first start showed one.';
  }
  if (code === 'missing_scope') {
    return 'Use a key that may, or make one: rollcall keys create --name NAME --scope SCOPE';
  }
  if (code === 'no_such_route') return 'This server may be older than this command line.';
  return undefined;
}
