import { jest } from '@jest/globals';
import { showProgress } from './progress.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

function watched(isTTY: boolean) {
  const written: string[] = [];
  const write = (text: string) => written.push(text) > 0;
  return { progress: showProgress({ isTTY, write }), written };
}

const line = (text: string) => `\r\u001b[K${text}`;

test('progress shows its latest line once the work takes two seconds, and takes it away', () => {
  const { progress, written } = watched(true);
  progress.say('500 gaps so far');
  progress.say('1000 gaps so far');
  jest.advanceTimersByTime(1_999);
  expect(written).toEqual([]);
  jest.advanceTimersByTime(1);
  progress.say('1500 gaps so far');
  expect(written).toEqual([line('1000 gaps so far'), line('1500 gaps so far')]);
  progress.end();
  expect(written.at(-1)).toBe(line(''));
});

test('progress stays silent where no person looks', () => {
  const { progress, written } = watched(false);
  progress.say('500 gaps so far');
  jest.advanceTimersByTime(5_000);
  progress.end();
  expect(written).toEqual([]);
});

test('progress stays silent about quick work', () => {
  const { progress, written } = watched(true);
  progress.say('500 gaps so far');
  progress.end();
  jest.advanceTimersByTime(5_000);
  expect(written).toEqual([]);
});
