import { clean, fit, paint, widthOf, type Colour } from './text.ts';

export interface Column<Row> {
  title: string;
  value: (row: Row) => string;
  colour?: (row: Row) => Colour | undefined;
  /** May be cut short where the terminal is too narrow. */
  shrinks?: boolean;
}

const GAP = '  ';
const NARROWEST = 12;

/**
 * Rows under titles, without a line break at the end.
 * @param width columns of the terminal; undefined (a pipe, a file) cuts nothing
 */
export function table<Row>(columns: Column<Row>[], rows: Row[], width?: number): string {
  const cells = rows.map((row) => columns.map(({ value }) => clean(value(row))));
  const widths = columns.map(({ title }, index) =>
    Math.max(widthOf(title), ...cells.map((cell) => widthOf(cell[index] ?? ''))),
  );
  if (width !== undefined) shrink(widths, columns, width);
  const line = (parts: string[]) => parts.join(GAP).trimEnd();
  const titles = columns.map(({ title }, index) => paint('bold', fit(title, widths[index] ?? 0)));
  const lines = rows.map((row, at) =>
    line(
      columns.map(({ colour }, index) =>
        paint(colour?.(row), fit(cells[at]?.[index] ?? '', widths[index] ?? 0)),
      ),
    ),
  );
  return [line(titles), ...lines].join('\n');
}

function shrink(widths: number[], columns: { shrinks?: boolean }[], width: number): void {
  const total = () => widths.reduce((sum, each) => sum + each, GAP.length * (widths.length - 1));
  for (let over = total() - width; over > 0; over = total() - width) {
    const shrinkable = widths.map((each, index) => (columns[index]?.shrinks ? each : 0));
    const widest = Math.max(...shrinkable);
    if (widest <= NARROWEST) return;
    // Down to the next widest, so that two long columns end up equal.
    const next = Math.max(NARROWEST, ...shrinkable.filter((each) => each < widest));
    widths[shrinkable.indexOf(widest)] = Math.max(next - 1, NARROWEST, widest - over);
  }
}
