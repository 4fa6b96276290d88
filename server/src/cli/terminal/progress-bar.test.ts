import { progressBar } from './progress-bar.ts';

function watched(isTTY: boolean, columns = 80) {
  const written: string[] = [];
  const write = (text: string) => written.push(text) > 0;
  return { bar: progressBar({ isTTY, write, columns }), written };
}

const CLEAR = '\r\u001b[K';

test('a bar shows how much is done, and is taken away', () => {
  const { bar, written } = watched(true);
  bar.show(undefined, '7 workflows listed');
  bar.show(0.5, '250 of 500 applied');
  bar.show(0.5, '250 of 500 applied');
  bar.show(1, '500 of 500 applied');
  bar.end();
  expect(written).toEqual([
    `${CLEAR}[${'.'.repeat(24)}]   ? %  7 workflows listed`,
    `${CLEAR}[${'#'.repeat(12)}${'.'.repeat(12)}]  50 %  250 of 500 applied`,
    `${CLEAR}[${'#'.repeat(24)}] 100 %  500 of 500 applied`,
    CLEAR,
  ]);
});

test('a bar never takes more than a line', () => {
  const { bar, written } = watched(true, 40);
  bar.show(0.25, 'a text that is much longer than there is room for');
  expect(written[0]?.length).toBe(CLEAR.length + 39);
});

test('a bar stays silent where no person looks', () => {
  const { bar, written } = watched(false);
  bar.show(0.5, 'half');
  bar.end();
  expect(written).toEqual([]);
});
