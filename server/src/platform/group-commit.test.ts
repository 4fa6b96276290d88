import type { Outcome } from './group-commit.ts';
import { open, plain, refusal, turn } from '../../../test/rollcall/open-commits.ts';
import { unavailable } from './problem.ts';

const stored = { duplicates: [], refused: [] };

test('requests of one turn share a transaction', async () => {
  const { submit, next, calls } = open();
  const outcomes = [submit(['a', 'b']), submit(['c'])];
  const call = await next();
  expect(call).toMatchObject({ tenant: 'one', items: ['a', 'b', 'c'] });
  call.end();
  expect((await Promise.all(outcomes)).map(plain)).toEqual([stored, stored]);
  expect(calls).toHaveLength(1);
});

test('an item weighs what it says: transactions and queues are filled by weight', async () => {
  const limits = { batchSize: 10, queueSize: 12, sizeOf: (item: string) => item.length };
  const { submit, next } = open(limits);
  const outcomes = [submit(['x'.repeat(6)]), submit(['y'.repeat(6)])];
  await expect(submit(['z'])).rejects.toMatchObject({ status: 503 });
  const first = await next();
  expect(first.items).toEqual(['xxxxxx']);
  first.end();
  const second = await next();
  expect(second.items).toEqual(['yyyyyy']);
  second.end();
  expect((await Promise.all(outcomes)).map(plain)).toEqual([stored, stored]);
});

test('nothing is answered before its transaction ends', async () => {
  const { submit, next } = open();
  let answered = false;
  const outcome = submit(['a']).then(() => (answered = true));
  const call = await next();
  await turn();
  expect(answered).toBe(false);
  call.end();
  await outcome;
});

test('while a transaction runs the next one gathers', async () => {
  const { submit, next, calls } = open();
  const first = submit(['a']);
  const running = await next();
  const rest = [submit(['b']), submit(['c'])];
  await turn();
  rest.push(submit(['d']));
  await turn();
  expect(calls).toHaveLength(1);
  running.end();
  const gathered = await next();
  expect(gathered.items).toEqual(['b', 'c', 'd']);
  gathered.end();
  await Promise.all([first, ...rest]);
});

test('a tenant has so many transactions at a time, and tenants do not share any', async () => {
  const { submit, next, calls } = open({ concurrency: 2, batchSize: 1 });
  const mine = [submit(['a']), submit(['b']), submit(['c'])];
  const other = submit(['a'], 'two');
  const began = [await next(), await next(), await next()];
  await turn();
  expect(calls).toHaveLength(3);
  expect(began.map(({ tenant, items }) => `${tenant} ${items.join()}`)).toEqual([
    'one a',
    'one b',
    'two a',
  ]);
  for (const call of began) call.end();
  (await next()).end();
  await Promise.all([...mine, other]);
});

test('beside a running transaction only a full one begins', async () => {
  const { submit, next, calls } = open({ concurrency: 2, batchSize: 3 });
  const outcomes = [submit(['a'])];
  const running = await next();
  outcomes.push(submit(['b', 'c']));
  await turn();
  expect(calls).toHaveLength(1);
  outcomes.push(submit(['d']));
  const full = await next();
  expect(full.items).toEqual(['b', 'c', 'd']);
  running.end();
  full.end();
  await Promise.all(outcomes);
});

test('the next transaction begins before the answers of the last one take their time', async () => {
  const { submit, next, calls } = open();
  let callsWhenAnswered = 0;
  const first = submit(['a']).then(() => (callsWhenAnswered = calls.length));
  const running = await next();
  const second = submit(['b']);
  running.end();
  await first;
  expect(callsWhenAnswered).toBe(2);
  (await next()).end();
  await second;
});

test('a transaction takes whole requests up to the batch size, and a larger one alone', async () => {
  const { submit, next } = open({ batchSize: 3 });
  const outcomes = [submit(['a', 'b']), submit(['c', 'd']), submit(['e', 'f', 'g', 'h'])];
  for (const items of [
    ['a', 'b'],
    ['c', 'd'],
    ['e', 'f', 'g', 'h'],
  ]) {
    const call = await next();
    expect(call.items).toEqual(items);
    call.end();
  }
  await Promise.all(outcomes);
});

test('of two requests with the same event the second one brought a duplicate', async () => {
  const { submit, next } = open();
  const outcomes = [submit(['a', 'b']), submit(['b', 'c']), submit(['c', 'a'])];
  const call = await next();
  expect(call.items).toEqual(['a', 'b', 'c']);
  call.end();
  expect((await Promise.all(outcomes)).map((outcome) => plain(outcome).duplicates)).toEqual([
    [],
    ['b'],
    ['a', 'c'],
  ]);
});

test('what the database had before is told to whoever sent it', async () => {
  const { submit, next } = open();
  const outcomes = [submit(['a', 'b']), submit(['b', 'c'])];
  (await next()).end({ duplicates: ['b'] });
  const [first, second] = await Promise.all(outcomes);
  expect(first?.duplicates.has('b')).toBe(true);
  expect(second?.duplicates.has('b')).toBe(true);
  expect(first?.duplicates.has('a') || second?.duplicates.has('c')).toBe(false);
});

/** Ends transactions as a database does that takes everything but these. */
async function refuse(
  poison: string[],
  { next }: ReturnType<typeof open>,
  until: Promise<unknown>,
) {
  const kept: string[] = [];
  let count = 0;
  let over = false;
  void until.finally(() => (over = true));
  while (!over) {
    const call = await Promise.race([next(), until.then(() => undefined)]);
    if (!call) break;
    count += 1;
    if (call.items.some((item) => poison.includes(item))) call.end(refusal);
    else {
      kept.push(...call.items);
      call.end();
    }
    await turn();
  }
  return { kept: kept.sort(), count };
}

test('an item that the database refuses is found, and its neighbours are stored', async () => {
  const group = open();
  const items = Array.from({ length: 64 }, (_, index) => `i${index}`);
  const requests = [items.slice(0, 40), items.slice(40), ['alone']];
  const outcomes = requests.map((request) => group.submit(request));
  const { kept, count } = await refuse(['i3', 'i39', 'alone'], group, Promise.all(outcomes));
  expect((await Promise.all(outcomes)).map(plain)).toEqual([
    { duplicates: [], refused: ['i3', 'i39'] },
    stored,
    { duplicates: [], refused: ['alone'] },
  ]);
  expect(kept).toEqual(items.filter((item) => item !== 'i3' && item !== 'i39').sort());
  // Each halving costs one transaction more per level, not one per item.
  expect(count).toBeLessThan(30);
});

test('a duplicate of what another request of the group had refused is judged by itself', async () => {
  const group = open();
  const outcomes = [group.submit(['bad', 'x']), group.submit(['x', 'y'])];
  await refuse(['bad'], group, Promise.all(outcomes));
  const [first, second] = await Promise.all(outcomes);
  expect(plain(first as Outcome).refused).toEqual(['bad']);
  expect(plain(second as Outcome).refused).toEqual([]);
});

test('when the database fails, each request of the group fails, and the next one is tried', async () => {
  const { submit, next } = open();
  const failure = unavailable('database_unavailable', 'gone');
  const outcomes = [submit(['a']), submit(['b'])];
  (await next()).end(failure);
  for (const outcome of await Promise.allSettled(outcomes)) {
    expect(outcome).toEqual({ status: 'rejected', reason: failure });
  }
  const later = submit(['c']);
  (await next()).end();
  expect(plain(await later)).toEqual(stored);
});

test('when the database fails while an item is looked for, nothing is called stored or refused', async () => {
  const { submit, next } = open();
  const failure = unavailable('database_unavailable', 'gone');
  const outcome = submit(['a', 'b', 'c', 'd']);
  (await next()).end(refusal);
  (await next()).end();
  (await next()).end(failure);
  await expect(outcome).rejects.toBe(failure);
});

test('more than the queue holds is refused at once, and there is room again later', async () => {
  const { submit, next } = open({ queueSize: 3 });
  const running = submit(['a', 'b', 'c', 'd']);
  const first = await next();
  const waiting = submit(['e', 'f']);
  await expect(submit(['g', 'h'])).rejects.toMatchObject({ status: 503, code: 'overloaded' });
  const fits = submit(['i']);
  await expect(submit(['j'], 'one')).rejects.toMatchObject({ retryAfter: 1 });
  const other = submit(['j'], 'two');
  first.end();
  (await next()).end();
  (await next()).end();
  await Promise.all([running, waiting, fits, other]);
  const later = submit(['k', 'l']);
  (await next()).end();
  await later;
});

test('beside a running transaction another begins when enough waits, however little fills one', async () => {
  const { submit, next, calls } = open({ concurrency: 2, besideSize: 3 });
  const outcomes = [submit(['a'])];
  const first = await next();
  outcomes.push(submit(['b', 'c']));
  await turn();
  expect(calls).toHaveLength(1);
  outcomes.push(submit(['d']));
  const second = await next();
  expect(second.items).toEqual(['b', 'c', 'd']);
  outcomes.push(submit(['e', 'f', 'g']));
  await turn();
  expect(calls).toHaveLength(2);
  first.end();
  (await next()).end();
  second.end();
  await Promise.all(outcomes);
});
