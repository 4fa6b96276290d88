import fc from 'fast-check';
import type { OutboxEnvironment } from './environment.ts';
import { createOutbox, type OutboxOptions } from './outbox.ts';

type Answer = (items: unknown[]) => Response | Promise<Response>;

const kept: Answer = (items) =>
  Response.json({ accepted: items.length, duplicates: 0, rejected: 0, results: [] });
const status =
  (code: number, body: object = {}, headers: Record<string, string> = {}): Answer =>
  () =>
    Response.json(body, { status: code, headers });
const refusedConnection: Answer = () => Promise.reject(new TypeError('fetch failed'));

/** A machine whose clock stands until it is told, and a server that answers as it is told. */
function machine(options: Partial<OutboxOptions> = {}) {
  let now = 1_000_000;
  let answer: Answer = kept;
  let timers: { at: number; call: () => void }[] = [];
  const sent: unknown[][] = [];
  const changes: boolean[] = [];
  const environment: OutboxEnvironment = {
    now: () => now,
    random: () => 1,
    gzip: undefined,
    after(ms, call) {
      const timer = { at: now + ms, call };
      timers.push(timer);
      return () => void (timers = timers.filter((one) => one !== timer));
    },
    async fetch(_url, request) {
      const items = JSON.parse(new TextDecoder().decode(request.body as Uint8Array)) as unknown[];
      sent.push(items);
      const aborted = new Promise<never>((_, reject) => {
        request.signal?.addEventListener('abort', () => reject(request.signal?.reason as Error));
      });
      return Promise.race([answer(items), aborted]);
    },
  };
  const outbox = createOutbox({
    url: 'http://rollcall.test/',
    onChange: ({ ok }) => void changes.push(ok),
    environment,
    ...options,
  });
  const settled = () => new Promise((resolve) => void setImmediate(resolve));
  return {
    outbox,
    sent,
    changes,
    settled,
    answerWith: (next: Answer) => void (answer = next),
    /** Lets time pass, timer by timer. */
    async advance(ms: number) {
      const end = now + ms;
      await settled();
      for (;;) {
        const next = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
        if (!next) break;
        now = Math.max(now, next.at);
        timers = timers.filter((one) => one !== next);
        next.call();
        await settled();
      }
      now = end;
    },
    timers: () => timers.length,
  };
}

const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, i) => from + i);

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

describe('a server in trouble', () => {
  test('is tried again at growing distances, and gets the same batch', async () => {
    const { outbox, sent, advance, answerWith } = machine({ batchItems: 1 });
    answerWith(refusedConnection);
    outbox.add('x');
    await advance(130_000);
    // At 0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5, 63.5, 123.5 s.
    expect(sent).toHaveLength(9);
    answerWith(kept);
    await advance(60_000);
    expect(outbox.stats()).toMatchObject({ accepted: 1, queued: 0, failedRequests: 9 });
    expect(new Set(sent.map((items) => JSON.stringify(items)))).toEqual(new Set(['["x"]']));
  });

  test.each([
    ['seconds', '7', 7_000],
    ['a date', new Date(1_000_000 + 9_000).toUTCString(), 9_000],
    ['nonsense', 'soon', 500],
    ['years', '999999999', 600_000],
    ['the past', 'Thu, 01 Jan 1970 00:00:00 GMT', 500],
  ])('says in Retry-After how long to wait: %s', async (_, header, ms) => {
    const { outbox, sent, advance, answerWith } = machine({ batchItems: 1 });
    answerWith(status(503, {}, { 'retry-after': header }));
    outbox.add('x');
    await advance(0);
    answerWith(kept);
    await advance(ms - 1);
    expect(sent).toHaveLength(1);
    await advance(1);
    expect(sent).toHaveLength(2);
  });

  test.each([
    ['500', status(500)],
    ['429', status(429)],
    ['HTML with 200', () => new Response('<html>It works!</html>')],
    ['JSON of somebody else', status(200, { ok: true })],
    ['counts that do not add up', status(200, { accepted: 0, duplicates: 0, rejected: 0 })],
    ['204', () => new Response(null, { status: 204 })],
    ['nothing in time', () => new Promise<Response>(() => undefined)],
  ])('answers %s: nothing counts as told', async (_, answer) => {
    const { outbox, advance, answerWith } = machine({ batchItems: 1, timeoutMs: 5_000 });
    answerWith(answer);
    outbox.add('x');
    await advance(5_000);
    expect(outbox.stats()).toMatchObject({ accepted: 0, queued: 1, dropped: 0 });
    answerWith(kept);
    await advance(60_000);
    expect(outbox.stats()).toMatchObject({ accepted: 1, queued: 0 });
  });

  test('is told of once, and once more when it is over', async () => {
    const { outbox, changes, advance, answerWith } = machine({ batchItems: 1 });
    answerWith(refusedConnection);
    for (const item of numbers(20)) outbox.add(item);
    await advance(10_000);
    answerWith(kept);
    await advance(60_000);
    expect(changes).toEqual([false, true]);
  });
});

describe('a batch that is not taken', () => {
  test('items that the server refuses are gone, and counted; the reason is kept', async () => {
    const { outbox, sent, advance, answerWith } = machine({ batchItems: 2 });
    const results = [
      { index: 1, status: 'rejected', code: 'invalid', path: 'kind', message: 'no' },
    ];
    answerWith(status(200, { accepted: 1, duplicates: 0, rejected: 1, results }));
    for (const item of numbers(2)) outbox.add(item);
    await advance(0);
    const allRefused = { accepted: 0, duplicates: 0, rejected: 2, results };
    answerWith(status(422, allRefused));
    for (const item of numbers(2)) outbox.add(item);
    await advance(600_000);
    expect(sent).toHaveLength(2);
    expect(outbox.stats()).toMatchObject({
      accepted: 1,
      rejected: 3,
      queued: 0,
      lastFailure: 'invalid kind no',
    });
  });

  test.each([413, 422, 400])(
    'with %i it is halved until the one that spoils it stands alone',
    async (code) => {
      const { outbox, sent, advance, answerWith } = machine({ batchItems: 8 });
      answerWith((items) => (items.includes(5) ? status(code)(items) : kept(items)));
      for (const item of numbers(8)) outbox.add(item);
      await advance(10_000);
      expect(outbox.stats()).toMatchObject({ accepted: 7, dropped: 1, queued: 0 });
      expect(sent.length).toBeLessThanOrEqual(10);
    },
  );

  test('a server that takes nothing is not asked item by item', async () => {
    const { outbox, sent, advance, answerWith } = machine({ batchItems: 100, mostItems: 1_000 });
    answerWith(status(400));
    for (const item of numbers(1_000)) outbox.add(item);
    await advance(20_000);
    expect(sent.length).toBeLessThan(20);
    expect(outbox.stats().queued).toBeGreaterThan(990);
  });

  test.each([401, 403, 404, 301])('with %i nothing more is sent for a while', async (code) => {
    const { outbox, sent, changes, advance, answerWith } = machine({ batchItems: 1 });
    answerWith(status(code, { code: 'invalid_key', detail: 'Nobody knows this key.' }));
    for (const item of numbers(5)) outbox.add(item);
    await advance(29_999);
    expect(sent).toHaveLength(1);
    expect(await outbox.flush(1_000)).toBe(false);
    expect(sent).toHaveLength(1);
    answerWith(kept);
    await advance(1);
    await advance(1_000);
    expect(outbox.stats()).toMatchObject({ accepted: 5, queued: 0 });
    expect(outbox.stats().lastFailure).toMatch(/invalid_key: Nobody knows this key/);
    expect(changes).toEqual([false, true]);
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

test('whatever the server answers: everything added is accounted for, in bounds, and in order', async () => {
  const answers: fc.Arbitrary<Answer> = fc.oneof(
    fc.constant(kept),
    fc.constantFrom(400, 401, 404, 408, 413, 422, 429, 500, 502, 503).map((code) => status(code)),
    fc.constant(refusedConnection),
    fc.string().map((text) => () => new Response(text)),
    fc.json().map((text) => () => new Response(text)),
  );
  const steps = fc.array(
    fc.record({ answer: answers, items: fc.nat(30), wait: fc.nat(40_000), flush: fc.boolean() }),
    { maxLength: 12 },
  );
  await fc.assert(
    fc.asyncProperty(steps, fc.integer({ min: 1, max: 40 }), async (script, mostItems) => {
      const { outbox, sent, advance, answerWith } = machine({ mostItems, batchItems: 7 });
      let added = 0;
      const taken: unknown[] = [];
      for (const { answer, items, wait, flush } of script) {
        answerWith((batch) => {
          if (answer === kept) taken.push(...batch);
          return answer(batch);
        });
        for (const item of numbers(items, added)) outbox.add(item);
        added += items;
        if (flush) void outbox.flush(500);
        await advance(wait);
        expect(outbox.stats().queued).toBeLessThanOrEqual(mostItems);
      }
      const { accepted, duplicates, rejected, dropped, queued } = outbox.stats();
      expect(accepted + duplicates + rejected + dropped + queued).toBe(added);
      expect(accepted).toBe(taken.length);
      expect(taken).toEqual([...new Set(taken as number[])].sort((a, b) => a - b));
      expect(sent.every((items) => items.length <= 7)).toBe(true);
    }),
    { numRuns: 60 },
  );
});
