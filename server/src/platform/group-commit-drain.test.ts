import { open, turn } from '../../../test/rollcall/open-commits.ts';
import { unavailable } from './problem.ts';

describe('draining', () => {
  test('ends when all that waits is stored, and refuses what comes', async () => {
    const { submit, drain, next } = open();
    const running = submit(['a']);
    const first = await next();
    const waiting = submit(['b']);
    let drained = false;
    const drainage = drain().then(() => (drained = true));
    await expect(submit(['c'])).rejects.toMatchObject({ status: 503, code: 'shutting_down' });
    first.end();
    await running;
    const second = await next();
    await turn();
    expect(drained).toBe(false);
    second.end();
    await Promise.all([waiting, drainage]);
  });

  test('ends at once when nothing waits, also a second time', async () => {
    const { drain } = open();
    await drain();
    await drain();
  });

  test('ends even if the last transaction fails', async () => {
    const { submit, drain, next } = open();
    const outcome = submit(['a']);
    const call = await next();
    const drainage = drain();
    call.end(unavailable('database_unavailable', 'gone'));
    await expect(outcome).rejects.toMatchObject({ status: 503 });
    await drainage;
  });

  test('asked for twice while something waits ends both times', async () => {
    const { submit, drain, next } = open();
    const outcome = submit(['a']);
    const call = await next();
    const drainages = [drain(), drain()];
    call.end();
    await Promise.all([outcome, ...drainages]);
  });
});
