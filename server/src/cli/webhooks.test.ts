import { commandFor } from '../../../test/rollcall/command.ts';
import { startWorker, type TestWorker } from '../../../test/rollcall/delivery-worker.ts';
import { startReceiver, type Receiver } from '../../../test/rollcall/receiver.ts';
import { startTestRollcall, type TestRollcall } from '../../../test/rollcall/start.ts';

let rollcall: TestRollcall;
let worker: TestWorker;
let receiver: Receiver;
let run: ReturnType<typeof commandFor>;
beforeAll(async () => {
  rollcall = await startTestRollcall();
  worker = startWorker(rollcall);
  run = commandFor(rollcall);
});
afterAll(async () => {
  await worker.close();
  await rollcall.stop();
});
beforeEach(async () => {
  receiver = await startReceiver();
});
afterEach(async () => {
  await rollcall.sql('delete from rollcall.webhooks');
  await receiver.stop();
});

const create = async (...more: string[]): Promise<{ id: string; secret: string }> =>
  JSON.parse((await run(['webhooks', 'create', receiver.url, '--json', ...more])).stdout);
const register = (entity_id: string) =>
  rollcall.post('/api/v1/entities', { entity_type: 'service', entity_id });

test('create shows the secret once, and how to try it', async () => {
  const { code, stdout } = await run(['webhooks', 'create', receiver.url, '--event', 'gap.opened']);
  expect(code).toBe(0);
  const [, id = ''] = /is told of gap\.opened \(([0-9a-f]{8})\)/.exec(stdout) ?? [];
  const [, secret = ''] = /^ {2}(whsec_\S{44})$/m.exec(stdout) ?? [];
  expect(secret).not.toBe('');
  expect(stdout).toContain(`rollcall webhooks test ${id}`);
  expect((await run(['webhooks', 'list'])).stdout).not.toContain(secret);
});

test('create passes events, filter and description on', async () => {
  const filter = ['--kind', 'silent', 'missing', '--severity', 'critical', '--grade', 'certain'];
  const more = ['--state', 'error', '--type', 'workflow', '--type', 'team'];
  const { id } = await create(
    ...['--event', 'gap.opened', 'gap.closed', ...filter, ...more],
    ...['--description', 'on call'],
  );
  expect((await rollcall.get(`/api/v1/webhooks/${id}`)).body).toMatchObject({
    url: receiver.url,
    events: ['gap.opened', 'gap.closed'],
    description: 'on call',
    filter: {
      kinds: ['silent', 'missing'],
      severities: ['critical'],
      grades: ['certain'],
      states: ['error'],
      entity_types: ['workflow', 'team'],
    },
  });
});

test('create refuses an address that deliveries may not go to, and names it', async () => {
  const { code, stdout, stderr } = await run(['webhooks', 'create', 'http://169.254.169.254/x']);
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toContain('url (ADDRESS)');
  const asked = await run(['webhooks', 'create', 'http://169.254.169.254/x', '--json']);
  expect(JSON.parse(asked.stderr)).toMatchObject({ errors: [{ code: 'forbidden_address' }] });
});

test('an event that is none is a wrong call', async () => {
  const { code, stderr } = await run(['webhooks', 'create', receiver.url, '--event', 'gap.muted']);
  expect([code, stderr]).toEqual([2, expect.stringContaining('entity.state_changed')]);
});

test('list shows who is told of what, and those of an address', async () => {
  expect((await run(['webhooks', 'list'])).stdout).toContain('rollcall webhooks create');
  const { id } = await create('--event', 'gap.opened', '--kind', 'silent');
  await rollcall.post('/api/v1/webhooks', { url: `${receiver.url}/other` });
  const { stdout } = await run(['webhooks', 'list']);
  const line = stdout.split('\n').find((text) => text.startsWith(id.slice(0, 8)));
  expect(line).toMatch(/\/hook +active +gap\.opened +kinds silent +just now +default admin$/);
  const asked = await run(['webhooks', 'list', '--to', receiver.url, '--json']);
  expect(JSON.parse(asked.stdout)).toMatchObject({ items: [{ id }], next_cursor: null });
});

test('deliveries shows what arrived and what did not; retry sends that again', async () => {
  const { id } = await create('--event', 'entity.state_changed');
  const short = id.slice(0, 8);
  const listed = async (...more: string[]) =>
    (await run(['webhooks', 'deliveries', short, ...more])).stdout;
  expect(await listed()).toBe('Nothing yet.\n');
  await register('stock');
  await worker.sendDue();
  expect(await listed()).toMatch(
    /entity\.state_changed +service\/stock +delivered +1 +\S.* – +204$/m,
  );
  receiver.reply(500);
  await register('orders');
  await worker.sendDue();
  await rollcall.sql(
    `update rollcall.webhook_deliveries set status = 'dead' where status = 'pending'`,
  );
  expect(await listed('--status', 'pending')).toBe('None is pending.\n');
  const dead = await listed('--status', 'dead');
  expect(dead).toMatch(/service\/orders +dead +1 .* The receiver answered 500\.$/m);
  const [, delivery = ''] =
    new RegExp(`rollcall webhooks retry ${short} (\\S{8})`).exec(dead) ?? [];
  receiver.reply(204);
  const again = await run(['webhooks', 'retry', short, delivery]);
  expect([again.code, again.stdout]).toEqual([
    0,
    'entity.state_changed of service/orders is sent again now.\n',
  ]);
  await worker.sendDue();
  expect(receiver.received.at(-1)?.body.data.entity_id).toBe('orders');
  expect(await listed('--limit', '1')).toMatch(/service\/orders +delivered/);
  const twice = await run(['webhooks', 'retry', short, delivery]);
  expect([twice.code, twice.stderr]).toEqual([1, expect.stringContaining('has arrived')]);
});

test('test says how it went, by text and by exit code', async () => {
  const { id } = await create();
  const good = await run(['webhooks', 'test', id]);
  expect([good.code, good.stdout]).toEqual([0, 'It arrived; the receiver answered 204.\n']);
  receiver.reply(500);
  const bad = await run(['webhooks', 'test', id]);
  expect([bad.code, bad.stdout]).toEqual([1, '']);
  expect(bad.stderr).toContain('The receiver answered 500.');
  const told = await run(['webhooks', 'test', id, '--json']);
  expect([told.stdout, JSON.parse(told.stderr).code]).toEqual(['', 'not_delivered']);
});

test('remove ends a subscription by the beginning of its id', async () => {
  const { id } = await create();
  const { code, stdout } = await run(['webhooks', 'remove', id.slice(0, 8)]);
  expect([code, stdout]).toEqual([
    0,
    `${receiver.url} is told of nothing more (${id.slice(0, 8)}).\n`,
  ]);
  expect((await rollcall.get(`/api/v1/webhooks/${id}`)).status).toBe(404);
  const again = await run(['webhooks', 'remove', id.slice(0, 8)]);
  expect([again.code, again.stderr]).toEqual([
    1,
    expect.stringContaining('rollcall webhooks list'),
  ]);
});
