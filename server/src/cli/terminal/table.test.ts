import { table, type Column } from './table.ts';
import { widthOf } from './text.ts';

type Row = [string, string, string];
const columns: Column<Row>[] = [
  { title: 'ID', value: ([id]) => id },
  { title: 'NAME', value: ([, name]) => name, shrinks: true },
  { title: 'WHAT', value: ([, , what]) => what, shrinks: true },
];
const lines = (rows: Row[], width?: number) => table(columns, rows, width).split('\n');

describe('a table', () => {
  test('lines its columns up, whatever the script', () => {
    expect(
      lines([
        ['1', '請求書', 'x'],
        ['22', '🚀 ok', 'y'],
      ]),
    ).toEqual(['ID  NAME    WHAT', '1   請求書  x', '22  🚀 ok   y']);
  });

  test('cuts nothing where the width is not known', () => {
    const long = 'a'.repeat(500);
    expect(lines([['1', long, 'end']])[1]).toBe(`1   ${long}  end`);
  });

  test('cuts the longest columns down to the width, and no other', () => {
    const rows: Row[] = [['12345678', 'n'.repeat(20), 'w'.repeat(80)]];
    const [, row = ''] = lines(rows, 70);
    expect(widthOf(row)).toBe(70);
    expect(row).toBe(`12345678  ${'n'.repeat(20)}  ${'w'.repeat(37)}…`);
    const [, narrow = ''] = lines(rows, 44);
    expect(narrow).toBe(`12345678  ${'n'.repeat(15)}…  ${'w'.repeat(15)}…`);
  });

  test('keeps columns readable where the width is too small for them', () => {
    const [, row = ''] = lines([['12345678', 'n'.repeat(20), 'w'.repeat(80)]], 10);
    expect(row).toBe(`12345678  ${'n'.repeat(11)}…  ${'w'.repeat(11)}…`);
  });

  test('cuts wide characters whole', () => {
    const [, row = ''] = lines([['1', '請求書'.repeat(10), 'x']], 24);
    expect(widthOf(row)).toBeLessThanOrEqual(24);
    expect(row).toMatch(/^1 {3}[請求書]+… +x$/);
  });

  test('shows what would steer the terminal or break the line as something harmless', () => {
    const [, row = ''] = lines([['1', 'a\u001b[31m\u202eb', 'c\nd\te\u0000']]);
    expect(row).toBe('1   a·[31m·b  c d e·');
  });
});
