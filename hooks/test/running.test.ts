import type { ExecutionReport } from '../../client/src/contract/index.ts';
import { watchRunning } from '../src/running.ts';
import { ofKind, startProcess } from './n8n-process.ts';
import { startStandIn } from './rollcall-stand-in.ts';

interface Row {
  id: string;
  workflowId: string;
  mode: string;
  status: string;
  startedAt: Date;
  stoppedAt?: Date;
  retryOf?: string;
}

const row = (id: number, status: string, more: Partial<Row> = {}): Row => ({
  id: String(id),
  workflowId: 'w1',
  mode: 'webhook',
  status,
  startedAt: new Date('2026-11-21T11:00:00Z'),
  ...more,
});

/** n8n's table of executions, and what is told of it. */
function table(rows: Row[]) {
  const told: [string, ExecutionReport][] = [];
  const questions: { take?: number; where?: { id: string }[] }[] = [];
  const find = async (question: (typeof questions)[number]) => {
    questions.push(question);
    const asked = question.where?.map(({ id }) => id);
    return asked
      ? rows.filter(({ id }) => asked.includes(id))
      : rows.toReversed().slice(0, question.take);
  };
  const manager = {
    getRepository: (name: string) => {
      if (name !== 'ExecutionEntity') throw new Error(`No ${name}`);
      return { find };
    },
  };
  const workflows = { manager, find: async () => [] };
  const watch = watchRunning(
    () => workflows,
    () => '2026-11-21T12:00:00.000Z',
    (kind, report) => told.push([kind, report]),
  );
  const of = (id: string) =>
    told.filter(([, one]) => one.execution_id === id).map(([kind, one]) => [kind, one.status]);
  return { rows, workflows, questions, watch, told, of };
}

test('a run is told once when it is seen to run, with what its row says', async () => {
  const { watch, told } = table([row(1, 'success'), row(2, 'running', { retryOf: '1' })]);
  await watch.look();
  await watch.look();
  expect(told).toEqual([
    [
      'execution.started',
      {
        execution_id: '2',
        workflow_id: 'w1',
        status: 'running',
        mode: 'webhook',
        started_at: '2026-11-21T11:00:00.000Z',
        retry_of: '1',
        at: '2026-11-21T12:00:00.000Z',
        source: 'hooks',
      },
    ],
  ]);
});

test('a run whose end a hook has told is not told to run, nor ended twice', async () => {
  const { watch, rows, told, of } = table([row(1, 'running'), row(2, 'running')]);
  watch.told({ execution_id: '1', workflow_id: 'w1', status: 'success' });
  await watch.look();
  expect(told.map(([, { execution_id }]) => execution_id)).toEqual(['2']);
  watch.told({ execution_id: '2', workflow_id: 'w1', status: 'error' });
  rows[1] = row(2, 'error');
  await watch.look();
  expect(of('2')).toEqual([['execution.started', 'running']]);
});

test('a waiting run that is stopped is told to have ended: n8n calls no hook for that', async () => {
  const { watch, rows, told, of } = table([row(1, 'waiting')]);
  watch.told({ execution_id: '1', workflow_id: 'w1', status: 'waiting' });
  await watch.look();
  expect(told).toEqual([]);
  rows[0] = row(1, 'canceled', { stoppedAt: new Date('2026-11-21T11:30:00Z') });
  // Far more have run since.
  for (let id = 2; id < 300; id += 1) rows.push(row(id, 'success'));
  await watch.look();
  await watch.look();
  expect(of('1')).toEqual([['execution.finished', 'canceled']]);
  expect(told[0]?.[1]).toMatchObject({
    completed_at: '2026-11-21T11:30:00.000Z',
    at: '2026-11-21T11:30:00.000Z',
  });
});

test('a run that goes on after waiting is told to run again', async () => {
  const { watch, rows, of } = table([row(1, 'running')]);
  await watch.look();
  watch.told({ execution_id: '1', workflow_id: 'w1', status: 'waiting' });
  rows[0] = row(1, 'waiting');
  await watch.look();
  rows[0] = row(1, 'running');
  await watch.look();
  expect(of('1')).toEqual([
    ['execution.started', 'running'],
    ['execution.started', 'running'],
  ]);
});

test('it asks for little, and keeps little, however many run', async () => {
  const rows = Array.from({ length: 50_000 }, (_, index) => row(index, 'running'));
  const { watch, questions } = table(rows);
  for (const { id } of rows) watch.told({ execution_id: id, workflow_id: 'w1', status: 'waiting' });
  for (let times = 0; times < 15; times += 1) await watch.look();
  for (const { take, where } of questions) {
    expect(take ?? where?.length).toBeLessThanOrEqual(100);
  }
  const asked = new Set(questions.flatMap(({ where = [] }) => where.map(({ id }) => id)));
  expect(asked.size).toBeLessThanOrEqual(1_100);
});

test('runs that are gone from the database are not asked for again', async () => {
  const { watch, rows, questions } = table([row(1, 'running')]);
  await watch.look();
  rows.length = 0;
  await watch.look();
  await watch.look();
  expect(questions.filter(({ where }) => where !== undefined)).toHaveLength(1);
});

test('an n8n that has no such table is left alone', async () => {
  const broken = { manager: { getRepository: () => void 0 } };
  const tell = () => expect('told').toBe('nothing');
  for (const repository of [undefined, null, {}, broken]) {
    await watchRunning(
      () => repository,
      () => '',
      tell,
    ).look();
  }
});

test('n8n.ready begins to look; what is seen reaches Rollcall', async () => {
  const rollcall = await startStandIn();
  const { workflows } = table([row(7, 'running')]);
  const settings = { runningSeconds: 1 };
  const n8n = startProcess({ url: rollcall.url, workflows, settings });
  n8n.call('n8n.ready', {}, {});
  while (ofKind(rollcall.events, 'execution.started').length === 0) {
    await new Promise((resolve) => void setTimeout(resolve, 10));
  }
  await n8n.end();
  await rollcall.stop();
  expect(ofKind(rollcall.events, 'execution.started')).toMatchObject([
    { report: { execution_id: '7', instance_id: 'instance-1', status: 'running' } },
  ]);
});
