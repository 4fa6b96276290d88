import type { RequestListener } from 'node:http';
import { ofKind, startProcess, type N8nProcess } from './n8n-process.ts';
import { recordedCalls } from './recorded.ts';
import { startStandIn, type StandIn } from './rollcall-stand-in.ts';

const EXECUTIONS = 10_000;
const QUEUE_BYTES = 2_000_000;

let rollcall: StandIn;
beforeEach(async () => {
  rollcall = await startStandIn();
});
afterEach(() => rollcall.stop());

const [recorded] = recordedCalls().filter(({ hook }) => hook === 'workflow.postExecute');

/** Has so many executions end, a few at a time, as n8n would with other things to do between them. */
async function execute(n8n: N8nProcess, count: number, from = 0): Promise<number> {
  let most = 0;
  const [run, workflow, , context] = recorded?.args ?? [];
  for (let id = from; id < from + count; id += 1) {
    const answer = n8n.call('workflow.postExecute', run, workflow, String(id), context);
    if (answer !== undefined) throw new Error('n8n would have waited');
    if (id % 100 === 0) await new Promise((resolve) => void setImmediate(resolve));
    most = Math.max(most, n8n.stats().queuedBytes);
  }
  return most;
}

const garbage: RequestListener = (_, response) => void response.end('<html>It works!</html>');
const hangs: RequestListener = () => undefined;
const breaksOff: RequestListener = (request) => void request.socket.destroy();

test.each<[string, RequestListener | 'absent']>([
  ['hangs', hangs],
  ['answers garbage', garbage],
  ['breaks off', breaksOff],
  ['is absent', 'absent'],
])(
  'a server that %s: memory stays within its bound over 10,000 executions, and the newest are told when it is back',
  async (_, trouble) => {
    if (trouble === 'absent') await rollcall.stop();
    else rollcall.answerWith(trouble);
    const n8n = startProcess({ url: rollcall.url, settings: { queueBytes: QUEUE_BYTES } });
    const most = await execute(n8n, EXECUTIONS);
    expect(most).toBeLessThanOrEqual(QUEUE_BYTES);
    expect(most).toBeGreaterThan(QUEUE_BYTES * 0.9);
    const { queued, dropped, accepted, errors } = n8n.stats();
    expect(accepted + queued + dropped).toBe(EXECUTIONS);
    expect(dropped).toBeGreaterThan(EXECUTIONS / 2);
    expect(errors).toBe(0);
    if (trouble === 'absent') return;

    rollcall.answerWith(undefined);
    await n8n.end();
    const told = ofKind(rollcall.events, 'execution.finished').map(({ report }) =>
      Number(report.execution_id),
    );
    expect(told.at(-1)).toBe(EXECUTIONS - 1);
    expect(new Set(told).size).toBe(told.length);
    const [status] = ofKind(rollcall.events, 'hooks.status');
    expect(status?.hooks.dropped).toBeGreaterThan(EXECUTIONS / 2);
  },
  60_000,
);

test('the operator is told once that nothing gets through, and why', async () => {
  rollcall.answerWith((_, response) => {
    response.writeHead(401, { 'content-type': 'application/problem+json' });
    response.end(JSON.stringify({ code: 'invalid_key', detail: 'Nobody knows this key.' }));
  });
  const n8n = startProcess({ url: rollcall.url });
  await execute(n8n, 10);
  await n8n.call('n8n.stop');
  await execute(n8n, 10, 10);
  await n8n.call('n8n.stop');
  expect(n8n.lines).toEqual([
    'Not reporting for now: HTTP 401 (invalid_key: Nobody knows this key.): check the key. Events wait in memory; n8n is not held up.',
  ]);
});

test('what ends after n8n.stop is still told', async () => {
  const n8n = startProcess({ url: rollcall.url });
  await n8n.call('n8n.stop');
  await execute(n8n, 1);
  while (n8n.stats().queued > 0) await new Promise((resolve) => void setTimeout(resolve, 10));
  expect(ofKind(rollcall.events, 'execution.finished')).toHaveLength(1);
});
