import { failed, ok, warning, type Check } from './check.ts';

const TIMEOUT_MS = 5_000;

/** Is there an n8n? Its API key, when there is one, has to be right; without n8n Rollcall works too. */
export async function checkN8n(url: string, key: string | undefined): Promise<Check> {
  const address = url.replace(/\/+$/, '');
  const health = await statusOf(`${address}/healthz`);
  if (typeof health === 'string' || health >= 500) {
    const message = typeof health === 'string' ? health : `answers ${health}`;
    return warning(
      'n8n',
      `${address}: ${message}`,
      'Start n8n, or say where it is: --n8n URL or N8N_BASE_URL.',
    );
  }
  if (key === undefined) return ok('n8n', `answers at ${address}`);
  const workflows = await statusOf(`${address}/api/v1/workflows?limit=1`, { 'X-N8N-API-KEY': key });
  if (workflows === 200) return ok('n8n', `answers at ${address}, and its API key is good`);
  const message = typeof workflows === 'string' ? workflows : `answers ${workflows}`;
  return failed(
    'n8n',
    `${address}: its API does not take the key (${message})`,
    'Make a key in n8n: Settings, n8n API; then set N8N_API_KEY.',
  );
}

/** The status, or in words why there is none. */
async function statusOf(
  url: string,
  headers: Record<string, string> = {},
): Promise<number | string> {
  try {
    const answer = await fetch(url, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
    await answer.body?.cancel();
    return answer.status;
  } catch (error) {
    const { cause, message } = error as { cause?: { code?: string }; message: string };
    return `does not answer (${cause?.code ?? message})`;
  }
}
