import { request, type RequestListener } from 'node:http';
import { gunzipSync } from 'node:zlib';

import { startFaulty, type FaultyServer } from './faultyServer.ts';

/** A request as it passed the relay, its body unpacked. */
export interface Passed {
  method: string;
  path: string;
  body: Buffer;
  /** Of the answer; 0 while there is none. */
  status: number;
  answer: string;
}

/** What n8n takes for Rollcall: hands everything on, and can be told to be in trouble instead. */
export interface Relay extends FaultyServer {
  passed: Passed[];
  /** Hands on again. */
  recover(): Promise<void>;
}

export async function startRelay(target: string): Promise<Relay> {
  const passed: Passed[] = [];
  const handOn = forward(target, passed);
  const server = await startFaulty(handOn);
  let away = false;
  return {
    ...server,
    passed,
    leave: async () => {
      away = true;
      await server.leave();
    },
    recover: async () => {
      server.answerWith(handOn);
      if (away) await server.comeBack();
      away = false;
    },
  };
}

function forward(target: string, passed: Passed[]): RequestListener {
  return (incoming, outgoing) => {
    const { method = 'GET', url = '/' } = incoming;
    const headers = { ...incoming.headers };
    delete headers['accept-encoding'];
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const sent = Buffer.concat(chunks);
      const body = headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
      const entry: Passed = { method, path: url, body, status: 0, answer: '' };
      passed.push(entry);
      const onward = request(new URL(url, target), { method, headers }, (answer) => {
        entry.status = answer.statusCode ?? 0;
        answer.on('data', (chunk: Buffer) => (entry.answer += chunk.toString()));
        outgoing.writeHead(entry.status, answer.headers);
        answer.pipe(outgoing);
      });
      onward.on('error', () => outgoing.destroy());
      onward.end(sent);
    });
  };
}
