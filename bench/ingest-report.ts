import type { Side } from './ingest-sides.ts';
import type { LoadResult } from './load.ts';
import { median, printTable, thousands } from './report.ts';

export interface Cell {
  eventsPerRequest: number;
  connections: number;
}

export interface Measurement extends LoadResult, Cell {
  side: Side['name'];
  round: number;
  /** Cores that the side used, load process not included. */
  cores: number;
  /** Microseconds of CPU for one event, load process not included. */
  cpuPerEvent: number;
}

/** Prints what was measured: medians over the rounds. */
export function printIngest(sides: Side[], cells: Cell[], measurements: Measurement[]): void {
  const of = (side: Side['name'], cell: Cell) =>
    measurements.filter(
      (one) =>
        one.side === side &&
        one.eventsPerRequest === cell.eventsPerRequest &&
        one.connections === cell.connections,
    );
  const typical = (
    side: Side['name'],
    cell: Cell,
    field: keyof LoadResult | 'cores' | 'cpuPerEvent',
  ) => median(of(side, cell).map((one) => one[field]));
  // Within a round the sides follow each other closely, so a ratio is taken there.
  const ratio = (cell: Cell, side: Side['name'], connections = cell.connections) => {
    const others = of(side, { ...cell, connections });
    const ratios = of('rollcall', cell).map(
      (one, round) => one.eventsPerSecond / (others[round]?.eventsPerSecond ?? NaN),
    );
    return median(ratios).toFixed(2);
  };
  const name = ({ eventsPerRequest, connections }: Cell) => `${eventsPerRequest} x ${connections}`;

  printTable(
    'Durable ingest, events a second, and what Rollcall reaches of each side',
    [
      'events x connections',
      ...sides.map(({ label }) => label),
      '/ COPY',
      '/ one COPY',
      '/ PostgREST',
      '/ HTTP only',
    ],
    cells.map((cell) => [
      name(cell),
      ...sides.map((side) => thousands(typical(side.name, cell, 'eventsPerSecond'))),
      ratio(cell, 'copy'),
      ratio(cell, 'copy', 1),
      ratio(cell, 'postgrest'),
      ratio(cell, 'http'),
    ]),
  );
  printTable(
    'Microseconds of CPU for one event',
    ['events x connections', ...sides.map(({ label }) => label)],
    cells.map((cell) => [
      name(cell),
      ...sides.map((side) => typical(side.name, cell, 'cpuPerEvent').toFixed(0)),
    ]),
  );
  printTable(
    'Rollcall: milliseconds to the acknowledgement, cores, and requests sent away to come again',
    ['events x connections', 'p50', 'p99', 'cores', 'sent away'],
    cells.map((cell) => [
      name(cell),
      typical('rollcall', cell, 'p50').toFixed(1),
      typical('rollcall', cell, 'p99').toFixed(1),
      typical('rollcall', cell, 'cores').toFixed(2),
      typical('rollcall', cell, 'refused'),
    ]),
  );
}
