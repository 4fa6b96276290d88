import {
  kept,
  machine,
  numbers,
  refusedConnection,
} from '../../../test/rollcall/outbox-machine.ts';

describe('batches', () => {
  test('go when the oldest item is old enough, in the order in which they came', async () => {
    const { outbox, sent, advance } = machine({ batchAgeMs: 1_000 });
    outbox.add('a');
    await advance(600);
    outbox.add('b');
    await advance(399);
    expect(sent).toEqual([]);
    await advance(1);
    expect(sent).toEqual([['a', 'b']]);
    expect(outbox.stats()).toMatchObject({ accepted: 2, queued: 0, queuedBytes: 0, dropped: 0 });
  });

  test('go at once when there are enough items, or bytes', async () => {
    const full = machine({ batchItems: 3 });
    for (const item of numbers(7)) full.outbox.add(item);
    await full.advance(0);
    expect(full.sent).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
    const heavy = machine({ batchBytes: 100 });
    for (const letter of 'abc') heavy.outbox.add(letter.repeat(60));
    await heavy.advance(0);
    expect(heavy.sent.map((items) => items.length)).toEqual([1, 1]);
  });

  test('adding an item never calls the network itself', () => {
    const { outbox, sent } = machine({ batchItems: 1 });
    outbox.add('now');
    expect(sent).toEqual([]);
  });

  test('there is one request at a time', async () => {
    const { outbox, sent, advance, answerWith } = machine({ batchItems: 1 });
    let release: (response: Response) => void = () => undefined;
    answerWith(() => new Promise((resolve) => void (release = resolve)));
    outbox.add(1);
    outbox.add(2);
    await advance(5_000);
    expect(sent).toEqual([[1]]);
    release((await kept([1])) as Response);
    await advance(0);
    expect(sent).toEqual([[1], [2]]);
  });
});

describe('memory', () => {
  test('is bounded by items: the oldest go first, and are counted', async () => {
    const { outbox, sent, advance } = machine({ mostItems: 3 });
    for (const item of numbers(10)) outbox.add(item);
    expect(outbox.stats()).toMatchObject({ queued: 3, dropped: 7 });
    await advance(1_000);
    expect(sent).toEqual([[7, 8, 9]]);
  });

  test('is bounded by bytes', () => {
    const { outbox } = machine({ mostBytes: 1_000 });
    for (const item of numbers(50)) outbox.add(String(item).padEnd(100, '.'));
    expect(outbox.stats().queuedBytes).toBeLessThanOrEqual(1_000);
    expect(outbox.stats()).toMatchObject({ queued: 9, dropped: 41 });
  });

  test('counts what is on its way too', async () => {
    const { outbox, advance, answerWith } = machine({ mostItems: 4, batchItems: 3 });
    answerWith(() => new Promise(() => undefined));
    for (const item of numbers(3)) outbox.add(item);
    await advance(0);
    expect(outbox.add('fits')).toBe(true);
    expect(outbox.add('takes its place')).toBe(true);
    expect(outbox.stats()).toMatchObject({ queued: 4, dropped: 1 });
  });

  test('with all of it on its way, what is new is dropped', async () => {
    const { outbox, advance, answerWith } = machine({ mostItems: 3, batchItems: 3 });
    answerWith(() => new Promise(() => undefined));
    for (const item of numbers(3)) outbox.add(item);
    await advance(0);
    expect(outbox.add('no room')).toBe(false);
    expect(outbox.stats()).toMatchObject({ queued: 3, dropped: 1 });
  });

  test('an item that is too large, or no JSON, is dropped, and makes no other go', () => {
    const { outbox } = machine({ mostItemBytes: 100, mostItems: 2 });
    outbox.add('kept');
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    const hostile = {
      get x(): never {
        throw new Error('no');
      },
    };
    expect([circle, 1n, undefined, hostile, 'x'.repeat(200)].map(outbox.add)).toEqual(
      Array(5).fill(false),
    );
    expect(outbox.stats()).toMatchObject({ queued: 1, dropped: 5 });
  });

  test('an item is taken as it is now', async () => {
    const { outbox, sent, advance } = machine();
    const item = { a: 1 };
    outbox.add(item);
    item.a = 2;
    await advance(1_000);
    expect(sent).toEqual([[{ a: 1 }]]);
  });
});

describe('flush and close', () => {
  test('flush sends what waits, at once', async () => {
    const { outbox, advance } = machine({ batchItems: 2 });
    for (const item of numbers(5)) outbox.add(item);
    const flushed = outbox.flush(2_000);
    await advance(0);
    expect(await flushed).toBe(true);
    expect(outbox.stats()).toMatchObject({ accepted: 5, queued: 0 });
    expect(await outbox.flush(0)).toBe(true);
  });

  test('flush tries once where a pause would have been, and says that it failed', async () => {
    const { outbox, sent, advance, answerWith } = machine({ batchItems: 1 });
    answerWith(refusedConnection);
    outbox.add('x');
    await advance(0);
    const flushed = outbox.flush(2_000);
    await advance(1);
    expect(await flushed).toBe(false);
    expect(sent).toHaveLength(2);
    expect(outbox.stats()).toMatchObject({ queued: 1, dropped: 0 });
  });

  test('flush ends in time although the server hangs', async () => {
    const { outbox, advance, answerWith } = machine({ batchItems: 1 });
    answerWith(() => new Promise(() => undefined));
    outbox.add('x');
    const flushed = outbox.flush(2_000);
    await advance(2_000);
    expect(await flushed).toBe(false);
    expect(outbox.stats()).toMatchObject({ queued: 1, dropped: 0 });
  });

  test('close gives up what is on its way, and leaves no timer', async () => {
    const { outbox, sent, advance, answerWith, timers } = machine({ batchItems: 1 });
    answerWith(() => new Promise(() => undefined));
    for (const item of numbers(3)) outbox.add(item);
    const closed = outbox.close(2_000);
    await advance(2_000);
    expect(await closed).toBe(false);
    await advance(600_000);
    expect(outbox.stats()).toMatchObject({ queued: 0, dropped: 3, accepted: 0 });
    expect(timers()).toBe(0);
    expect(sent).toHaveLength(1);
    expect(outbox.add('late')).toBe(false);
    expect(await outbox.close(0)).toBe(true);
  });
});
