import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { createPauses } from '../../nodes/TelemetryEmit/pause.ts';
import { stored } from './credentials.ts';
import { kept, rollcall } from './rollcall.ts';
import { runWorkflow, telemetryEmit, type Step } from './workflow.ts';

const ITEMS = [{ json: { a: 1 } }, { json: { b: 2 } }];
const emit = (delivery: string): Step => ({
  name: 'Emit',
  does: telemetryEmit,
  parameters: { options: { delivery } },
});

async function allowLocalConnections(): Promise<void> {
  const { default: nock } = await import('nock');
  nock.enableNetConnect('127.0.0.1');
}

const opened: Server[] = [];
afterEach(() => {
  jest.restoreAllMocks();
  for (const server of opened.splice(0)) server.close().closeAllConnections();
});

/** A server that keeps every event, and its port, and can be away. */
async function countingServer() {
  let count = 0;
  const server = createServer((request, response) => {
    count += 1;
    request.resume();
    response.setHeader('Content-Type', 'application/json').end(JSON.stringify(kept()));
  });
  const listen = (port: number) =>
    new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  opened.push(server);
  return {
    url: `http://127.0.0.1:${port}`,
    requests: () => count,
    listen: () => listen(port),
    close: () => {
      server.closeAllConnections();
      return new Promise((closed) => server.close(closed));
    },
  };
}

describe('an absent server', () => {
  it('refused, it is tried once, and then left alone until the pause is over', async () => {
    const timers = jest.spyOn(globalThis, 'setTimeout');
    const server = await countingServer();
    await server.close();
    await rollcall({});
    await allowLocalConnections();
    stored.baseUrl = server.url;
    await runWorkflow([emit('background')], ITEMS);
    expect(timers.mock.calls.filter(([, ms]) => ms === 250)).toEqual([]);

    await server.listen();
    await runWorkflow([emit('background')], ITEMS);
    expect(server.requests()).toBe(0);

    const { now } = Date;
    const clock = jest.spyOn(Date, 'now').mockImplementation(() => now() + 10_000);
    await runWorkflow([emit('background')], ITEMS);
    expect(server.requests()).toBe(1);
    clock.mockRestore();
    await runWorkflow([emit('background')], ITEMS);
    expect(server.requests()).toBe(2);
  });

  it('required, it is tried although there is a pause', async () => {
    const server = await countingServer();
    await server.close();
    await rollcall({});
    await allowLocalConnections();
    stored.baseUrl = server.url;
    await runWorkflow([emit('background')], ITEMS);
    await server.listen();
    const { run } = await runWorkflow([emit('required')], ITEMS);
    expect(run.status).toBe('success');
    expect(server.requests()).toBe(1);
  });
});

describe('a pause', () => {
  const A = 'http://a';
  let time: number;
  let pauses: ReturnType<typeof createPauses>;
  beforeEach(() => {
    time = 1_000_000;
    pauses = createPauses(() => time);
  });

  /** Milliseconds until a call is let through again. */
  function pauseOf(address: string): number {
    const began = time;
    while (!pauses.mayTry(address)) time += 1000;
    return time - began;
  }

  it('a server that answers is never paused', () => {
    expect(pauses.mayTry(A)).toBe(true);
    pauses.answered(A);
    expect(pauses.mayTry(A)).toBe(true);
  });

  it('each try in vain doubles the pause, from 10 s to 60 s', () => {
    const lengths: number[] = [];
    pauses.unanswered(A);
    for (let count = 0; count < 5; count++) {
      lengths.push(pauseOf(A));
      pauses.unanswered(A);
    }
    expect(lengths).toEqual([10_000, 20_000, 40_000, 60_000, 60_000]);
  });

  it('calls that fail together count as one', () => {
    for (let count = 0; count < 5; count++) pauses.unanswered(A);
    expect(pauseOf(A)).toBe(10_000);
  });

  it('when a pause is over one call tries, and the others go on being dropped', () => {
    pauses.unanswered(A);
    time += 10_000;
    expect([pauses.mayTry(A), pauses.mayTry(A)]).toEqual([true, false]);
  });

  it('another one may try when nothing is heard of the first', () => {
    pauses.unanswered(A);
    pauseOf(A);
    expect(pauseOf(A)).toBe(10_000);
  });

  it('an answer ends it, and the next pause is a short one again', () => {
    pauses.unanswered(A);
    pauseOf(A);
    pauses.unanswered(A);
    pauses.answered(A);
    expect(pauses.mayTry(A)).toBe(true);
    pauses.unanswered(A);
    expect(pauseOf(A)).toBe(10_000);
  });

  it('one server away does not pause another', () => {
    pauses.unanswered(A);
    expect([pauses.mayTry(A), pauses.mayTry('http://b')]).toEqual([false, true]);
  });

  it('what is dropped is counted until there is an answer', () => {
    pauses.unanswered(A);
    expect(pauses.drop(A, 3)).toEqual({ dropped: 3, wait: 10_000 });
    time += 4_000;
    expect(pauses.drop(A, 2)).toEqual({ dropped: 5, wait: 6_000 });
    pauseOf(A);
    pauses.unanswered(A);
    expect(pauses.drop(A, 1)).toEqual({ dropped: 6, wait: 20_000 });
    pauseOf(A);
    pauses.answered(A);
    pauses.unanswered(A);
    expect(pauses.drop(A, 1).dropped).toBe(1);
  });
});
