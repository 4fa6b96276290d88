import { startReceiver, type Receiver } from '../../../../test/rollcall/receiver.ts';
import { allowance, isAllowEntry } from './allowance.ts';
import { checkDestination, type DestinationFault, type ResolveHost } from './destination.ts';
import { postOutbound } from './post.ts';
import { isPublicAddress } from './public-address.ts';

test.each([
  '0.0.0.0',
  '10.255.0.1',
  '100.64.0.1',
  '100.100.100.200',
  '127.0.0.1',
  '127.255.255.255',
  '168.63.129.16',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.1',
  '192.0.2.1',
  '192.168.0.1',
  '198.18.0.1',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:127.0.0.1',
  '::ffff:8.8.8.8',
  '::7f00:1',
  '64:ff9b::a00:1',
  '64:ff9b:1::1',
  '100::1',
  '2001::1',
  '2001:db8::1',
  '2002:7f00:1::',
  '3fff::1',
  '5f00::1',
  'fc00::1',
  'fd00:ec2::254',
  'fe80::1',
  'fec0::1',
  'ff02::1',
  'nonsense',
])('%s is not public', (address) => {
  expect(isPublicAddress(address)).toBe(false);
});

test.each(['1.1.1.1', '8.8.8.8', '172.32.0.1', '192.169.0.1', '2606:4700:4700::1111', '2a00::1'])(
  '%s is public',
  (address) => {
    expect(isPublicAddress(address)).toBe(true);
  },
);

test.each([
  ['10.0.0.0/8', true],
  ['10.0.0.1', true],
  ['fd00::/8', true],
  ['::1', true],
  ['n8n', true],
  ['hooks.internal', true],
  ['none', true],
  ['10.0.0.0/33', false],
  ['10.0.0.0/', false],
  ['10.0.0.0/8/8', false],
  ['10.0.0', false],
  ['fd00::/129', false],
  ['http://n8n', false],
  ['a b', false],
  ['*', false],
  ['n8n/8', false],
])('%s as an allowance: %s', (entry, valid) => {
  expect(isAllowEntry(entry)).toBe(valid);
});

const at =
  (...addresses: string[]): ResolveHost =>
  async () =>
    addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));

async function fault(
  url: string,
  resolve: ResolveHost = at('1.1.1.1'),
  allow: string[] = [],
): Promise<DestinationFault | undefined> {
  return checkDestination(url, allowance(allow), resolve).then(
    () => undefined,
    (error: { code: DestinationFault }) => error.code,
  );
}

describe('a destination', () => {
  test('is fine when all that its name leads to is public', async () => {
    expect(
      await fault('https://hooks.example.com/x', at('1.1.1.1', '2606:4700::1')),
    ).toBeUndefined();
  });

  test.each([
    ['one of its addresses is private', at('1.1.1.1', '10.0.0.1'), 'forbidden_address'],
    ['its name leads to the metadata service', at('169.254.169.254'), 'forbidden_address'],
    ['nobody knows its name', at(), 'unknown_host'],
    ['its name cannot be looked up', () => Promise.reject(new Error('no')), 'unknown_host'],
  ] as const)('is refused when %s', async (_, resolve, code) => {
    expect(await fault('https://hooks.example.com/x', resolve)).toBe(code);
  });

  test.each([
    ['http://127.1/', 'forbidden_address'],
    ['http://0177.0.0.1/', 'forbidden_address'],
    ['http://2130706433/', 'forbidden_address'],
    ['http://[::ffff:7f00:1]/', 'forbidden_address'],
    ['http://127.0.0.1./', 'forbidden_address'],
    ['http://①②⑦.0.0.1/', 'forbidden_address'],
    ['gopher://1.1.1.1/', 'invalid_url'],
    ['http://a:b@1.1.1.1/', 'credentials_in_url'],
    ['http://', 'invalid_url'],
  ])('%s is refused: %s', async (url, code) => {
    expect(await fault(url)).toBe(code);
  });

  test.each([
    ['http://10.1.2.3/', ['10.0.0.0/8']],
    ['http://10.1.2.3/', ['10.1.2.3']],
    ['http://[fd00::1]/', ['fd00::/8']],
    ['http://N8N.internal./', ['n8n.internal']],
  ])('%s may be allowed by %j', async (url, allow) => {
    expect(await fault(url, at('10.9.9.9'), allow)).toBeUndefined();
    expect(await fault(url, at('10.9.9.9'), ['192.168.0.0/16', 'other.internal'])).toBe(
      'forbidden_address',
    );
  });
});

describe('a post', () => {
  let receiver: Receiver;
  beforeEach(async () => {
    receiver = await startReceiver();
  });
  afterEach(() => receiver.stop());

  const post = (more: Partial<Parameters<typeof postOutbound>[0]> = {}) =>
    postOutbound({
      url: receiver.url,
      headers: { 'x-a': 'b' },
      body: '{"a":"ä"}',
      timeoutMs: 10_000,
      allowed: allowance(['127.0.0.1']),
      ...more,
    });

  test('goes to the address that was looked at, under the name that was given', async () => {
    let asked = 0;
    const url = receiver.url.replace('127.0.0.1', 'hooks.test');
    // A name that would lead elsewhere the second time.
    const resolve: ResolveHost = async () => [
      { address: asked++ === 0 ? '127.0.0.1' : '10.0.0.1', family: 4 },
    ];
    expect(await post({ url, resolve })).toEqual({ status: 204, retryAfter: undefined });
    expect(asked).toBe(1);
    expect(receiver.received[0]?.headers.host).toBe(new URL(url).host);
    expect(receiver.received[0]?.body).toEqual({ a: 'ä' });
  });

  test('follows no redirect', async () => {
    receiver.reply((response) => response.writeHead(307, { location: receiver.url }).end());
    expect((await post()).status).toBe(307);
    expect(receiver.received).toHaveLength(1);
  });

  test('reads no more of the answer than it needs', async () => {
    receiver.reply((response) => {
      response.writeHead(200);
      const pour = (): void => {
        while (response.write('x'.repeat(65_536)));
        response.once('drain', pour);
      };
      pour();
    });
    expect((await post()).status).toBe(200);
  });

  test('ends when its time is over, even while the name is looked up', async () => {
    receiver.reply(() => undefined);
    await expect(post({ timeoutMs: 20 })).rejects.toThrow('No answer within 0.02 s.');
    const resolve: ResolveHost = () => new Promise(() => undefined);
    const url = 'http://hooks.test/';
    await expect(post({ url, resolve, timeoutMs: 20 })).rejects.toThrow('No answer within');
  });
});
