import { ofKind, startProcess, storedWorkflows } from './n8n-process.ts';
import { recordedCalls } from './recorded.ts';
import { startStandIn, type StandIn } from './rollcall-stand-in.ts';

const EXECUTE = ['execute', '--id=1'];

let rollcall: StandIn;
beforeEach(async () => {
  rollcall = await startStandIn();
});
afterEach(() => rollcall.stop());

const [recorded] = recordedCalls().filter(({ hook }) => hook === 'workflow.postExecute');
const ended = (id: string, mode = 'cli'): [string, ...unknown[]] => {
  const [run, workflow, , context] = recorded?.args ?? [];
  return ['workflow.postExecute', { ...(run as object), mode }, workflow, id, context];
};

test('a command waits until its run has left: it ends without a word as soon as the hook is through', async () => {
  const n8n = startProcess({ url: rollcall.url, command: EXECUTE });
  await n8n.call(...ended('1'));
  expect(ofKind(rollcall.events, 'execution.finished').map(({ report }) => report.mode)).toEqual([
    'cli',
  ]);
});

test('its run carries the instance id that n8n has stored', async () => {
  const findOne = async () => ({ id: 1, value: 'the-stored-one' });
  const workflows = { ...storedWorkflows([]), manager: { getRepository: () => ({ findOne }) } };
  const n8n = startProcess({ url: rollcall.url, command: EXECUTE, environment: {}, workflows });
  await n8n.call(...ended('1'));
  expect(rollcall.events.map(({ instance_id }) => instance_id)).toEqual(['the-stored-one']);
});

test('a sub-workflow waits for nothing: its run leaves with the one that called it', async () => {
  const n8n = startProcess({ url: rollcall.url, command: EXECUTE });
  expect(n8n.call(...ended('2', 'integrated'))).toBeUndefined();
  await n8n.call(...ended('1'));
  expect(ofKind(rollcall.events, 'execution.finished')).toHaveLength(2);
});

test('a server that takes nothing is waited for once', async () => {
  rollcall.answerWith(() => undefined);
  const n8n = startProcess({ url: rollcall.url, command: EXECUTE });
  await n8n.call(...ended('1'));
  expect(n8n.call(...ended('2'))).toBeUndefined();
  expect(n8n.stats().errors).toBe(0);
});

test('n8n itself never waits', () => {
  for (const command of [['start'], ['worker'], ['webhook'], []]) {
    const n8n = startProcess({ url: rollcall.url, command });
    expect(n8n.call(...ended('1'))).toBeUndefined();
  }
});
