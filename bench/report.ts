import { mkdirSync, writeFileSync } from 'node:fs';
import { arch, cpus, platform, release, totalmem } from 'node:os';

const FOLDER = new URL('./results/', import.meta.url);

/** Prints rows under a heading: first column left, the others right. */
export function printTable(title: string, columns: string[], rows: (string | number)[][]): void {
  const cells = [columns, ...rows.map((row) => row.map(String))];
  const widths = columns.map((_, index) =>
    Math.max(...cells.map((row) => row[index]?.length ?? 0)),
  );
  const line = (row: string[]) =>
    row
      .map((cell, index) =>
        index === 0 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0),
      )
      .join('  ');
  const [head = [], ...body] = cells;
  console.log(
    ['', title, '', line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)]
      .join('\n')
      .concat('\n'),
  );
}

/** Writes what was measured to `results/<name>.json`, with the machine it was measured on. */
export function saveResults(name: string, results: object): void {
  const machine = {
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    memory_gb: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()} ${arch()}`,
    node: process.version,
  };
  mkdirSync(FOLDER, { recursive: true });
  const file = new URL(`${name}.json`, FOLDER);
  const measured_at = new Date().toISOString();
  writeFileSync(file, `${JSON.stringify({ measured_at, machine, ...results }, null, 2)}\n`);
  console.log(`Saved in bench/results/${name}.json`);
}

/** The value below which `share` (0 to 1) of the values lie, by nearest rank. */
export function quantile(values: number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.max(Math.ceil(sorted.length * share) - 1, 0)] ?? NaN;
}

export const median = (values: number[]): number => quantile(values, 0.5);

export const thousands = (value: number): string => Math.round(value).toLocaleString('en-US');
