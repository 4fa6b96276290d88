import { createPauses } from '../../nodes/TelemetryEmit/pause.ts';

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
