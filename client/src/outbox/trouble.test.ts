import fc from 'fast-check';
import {
  kept,
  machine,
  numbers,
  refusedConnection,
  status,
  type Answer,
} from '../../../test/rollcall/outbox-machine.ts';

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
