import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { secretBesideData, secretBox } from './secret-box.ts';

const box = secretBox(() => 'a good secret of some length');

test('opens what it has sealed', () => {
  for (const text of ['', 'whsec_abc', 'ä💥'.repeat(1000)]) {
    expect(box.open(box.seal(text))).toBe(text);
  }
});

test('never seals the same text the same way, and never shows it', () => {
  expect(box.seal('whsec_abc')).not.toBe(box.seal('whsec_abc'));
  expect(Buffer.from(box.seal('whsec_abc').slice(3), 'base64url').toString()).not.toContain(
    'whsec',
  );
});

test('what was changed, cut off or sealed with another secret does not open, and says what to do', () => {
  const sealed = box.seal('whsec_abc');
  const flipped = Buffer.from(sealed.slice(3), 'base64url');
  flipped[flipped.length - 1]! ^= 1;
  const other = secretBox(() => 'another secret of some length').seal('whsec_abc');
  for (const bad of [
    `v1.${flipped.toString('base64url')}`,
    sealed.slice(0, 20),
    'v1.',
    '',
    other,
  ]) {
    expect(() => box.open(bad)).toThrow('ROLLCALL_SECRET');
  }
});

test('the secret beside the data is made once, for this user alone', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-secret-'));
  try {
    const secret = secretBesideData(join(folder, 'data'));
    expect(secret).toMatch(/^[\w-]{43}$/);
    expect(secretBesideData(join(folder, 'data'))).toBe(secret);
    expect((await stat(join(folder, 'data/secret'))).mode & 0o777).toBe(0o600);
  } finally {
    await rm(folder, { recursive: true });
  }
});
