import type { RequestListener } from 'node:http';

import { startFaulty, type FaultyServer } from './faultyServer.ts';

export const MODEL = 'rollcall-test-1';
export const PROMPT_TOKENS = 31;
export const COMPLETION_TOKENS = 11;

/** A model that answers every chat completion the same way, in the form of OpenAI's API. */
const completes: RequestListener = (incoming, outgoing) => {
  incoming.resume();
  outgoing.writeHead(200, { 'content-type': 'application/json' });
  outgoing.end(
    JSON.stringify({
      id: 'chatcmpl-1',
      object: 'chat.completion',
      created: 1_700_000_000,
      model: MODEL,
      choices: [
        {
          index: 0,
          finish_reason: 'stop',
          message: { role: 'assistant', content: 'All present.' },
        },
      ],
      usage: {
        prompt_tokens: PROMPT_TOKENS,
        completion_tokens: COMPLETION_TOKENS,
        total_tokens: PROMPT_TOKENS + COMPLETION_TOKENS,
      },
    }),
  );
};

export function startFakeModel(): Promise<FaultyServer> {
  return startFaulty(completes);
}
