/**
 * What a statement saw of the database, as PostgreSQL writes a pg_snapshot: `xmin:xmax:xip`. All transactions
 * before xmin had ended, none from xmax on had, and of those between these were under way.
 */
export interface Snapshot {
  xmin: bigint;
  xmax: bigint;
  running: ReadonlySet<bigint>;
}

const TEXT = /^(\d{1,19}):(\d{1,19}):((?:\d{1,19},)*\d{1,19})?$/;
const LAST = 2n ** 63n - 1n;

/** `undefined` for a text that PostgreSQL would refuse. */
export function parseSnapshot(text: string): Snapshot | undefined {
  const match = TEXT.exec(text);
  if (!match) return undefined;
  const xmin = BigInt(match[1] as string);
  const xmax = BigInt(match[2] as string);
  const running = match[3]?.split(',').map(BigInt) ?? [];
  if (xmin < 1n || xmax < xmin || xmax > LAST) return undefined;
  const rising = running.every(
    (xact, index) => xact >= (running[index - 1] ?? xmin) && xact < xmax,
  );
  return rising ? { xmin, xmax, running: new Set(running) } : undefined;
}

/** Whether a row of this transaction was there to see. */
export const holds = ({ xmin, xmax, running }: Snapshot, xact: bigint): boolean =>
  xact < xmin || (xact < xmax && !running.has(xact));

/** Of two snapshots of one database, the one taken later sees all that the other saw. */
export function isLater(one: Snapshot, other: Snapshot): boolean {
  if (one.xmax !== other.xmax) return one.xmax > other.xmax;
  return one.running.size < other.running.size;
}
