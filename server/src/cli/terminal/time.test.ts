import { ago, clockTime, duration, localTime, parseMoment, parsePast } from './time.ts';

const now = Date.parse('2026-03-10T12:00:00Z');
const before = (seconds: number) => new Date(now - seconds * 1000).toISOString();

test.each([
  [-5, 'just now'],
  [9, 'just now'],
  [59, '59 s ago'],
  [150, '2 min ago'],
  [3 * 3600, '3 h ago'],
  [3 * 86_400, '3 days ago'],
])('%d seconds before now is %s', (seconds, text) => {
  expect(ago(before(seconds), now)).toBe(text);
});

test('what is long ago has a date, and what never was says so', () => {
  expect(ago(before(60 * 86_400), now)).toMatch(/^2026-01-\d\d$/);
  expect(ago(null, now)).toBe('never');
});

test('a clock has a date when it is not today’s', () => {
  const today = new Date(2026, 2, 10, 15, 30, 1, 7);
  expect(clockTime(today.toISOString(), new Date(2026, 2, 10, 23))).toBe('15:30:01.007');
  expect(clockTime(today.toISOString(), new Date(2026, 2, 11))).toBe('2026-03-10 15:30:01.007');
  expect(localTime(today.toISOString())).toBe('2026-03-10 15:30:01');
});

test.each([
  [0.42, '0.4 ms'],
  [132.4, '132 ms'],
  [1320, '1.3 s'],
  [125_000, '2 min 5 s'],
])('%d milliseconds are %s', (milliseconds, text) => {
  expect(duration(milliseconds)).toBe(text);
});

test.each([
  ['30m', '2026-03-10T12:30:00.000Z'],
  ['12h', '2026-03-11T00:00:00.000Z'],
  ['90d', '2026-06-08T12:00:00.000Z'],
  ['2w', '2026-03-24T12:00:00.000Z'],
  ['2026-12-31T10:00:00Z', '2026-12-31T10:00:00.000Z'],
  ['2026-12-31T10:00:00+02:00', '2026-12-31T08:00:00.000Z'],
  ['2026-12-31', new Date(2026, 11, 31).toISOString()],
  ['2026-12-31 10:00', new Date(2026, 11, 31, 10).toISOString()],
])('%s is the moment %s', (text, moment) => {
  expect(parseMoment(text, now)).toBe(moment);
});

test.each(['', 'soon', '90', '90y', '-1d', '2026-13-40', '12/31/2026', '9999999d'])(
  '%j is no moment',
  (text) => {
    expect(() => parseMoment(text, now)).toThrow('Give a date');
  },
);

test('a span may reach back', () => {
  expect(parsePast('12h', now)).toBe('2026-03-10T00:00:00.000Z');
  expect(parsePast('2026-01-01T00:00:00Z', now)).toBe('2026-01-01T00:00:00.000Z');
  expect(() => parsePast('yesterday', now)).toThrow(/Give a date/);
});
