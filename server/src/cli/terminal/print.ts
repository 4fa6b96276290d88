import { table, type Column } from './table.ts';
import { paint } from './text.ts';

/** Standard output: what a command was asked for. */
export const print = (text: string): void => void process.stdout.write(`${text}\n`);

export const printJson = (value: unknown): void => print(JSON.stringify(value, null, 2));

export const printTable = <Row>(columns: Column<Row>[], rows: Row[]): void =>
  print(table(columns, rows, process.stdout.isTTY ? process.stdout.columns : undefined));

/** A closing line under a table. */
export const printFooter = (text: string): void => print(paint('dim', `\n${text}`));

/** Standard error: what a person should know and a program need not read. */
export const note = (text: string): void => void process.stderr.write(`${text}\n`);
