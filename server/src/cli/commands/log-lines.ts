import {
  isIn,
  logFiles,
  positionIn,
  readBytes,
  type LogFile,
  type LogPosition,
} from './log-file.ts';

/** Lines that go together, and where to go on once they are done with. */
export interface LogBatch {
  events: object[];
  /** Lines that are no events of n8n: half of one, or somebody else's. */
  broken: number;
  next: LogPosition;
  /** Bytes behind it that are there already. */
  behind: number;
}

const CHUNK_BYTES = 1_000_000;
const MOST_EVENTS = 500;
/** Nothing that n8n writes about itself is longer; what is, is skipped. */
const LONGEST_LINE = 4_000_000;
/** n8n keeps three renamed files unless told otherwise. */
const POSITIONS_KEPT = 50;

/** Positions at the end of everything that is there now, so that only what comes is read. */
export async function endOfLog(path: string): Promise<LogPosition[]> {
  const files = await logFiles(path);
  return Promise.all(
    files.map(async (file) =>
      positionIn(file, file.path === path ? await endOfLines(file) : file.size),
    ),
  );
}

/** After the last whole line: the rest of a line that is being written comes later. */
async function endOfLines({ path, size }: LogFile): Promise<number> {
  for (let end = size; end > 0; end -= Math.min(end, CHUNK_BYTES)) {
    const from = Math.max(0, end - CHUNK_BYTES);
    const newline = (await readBytes(path, from, end - from)).lastIndexOf(NEWLINE);
    if (newline >= 0) return from + newline + 1;
  }
  return 0;
}

const NEWLINE = 0x0a;

/**
 * The next whole lines that no position is behind yet, oldest file first; undefined when there are none. `lost`: the
 * file of the latest position is gone or was cut short, so that lines may be missing.
 */
export async function nextLines(
  path: string,
  positions: LogPosition[],
): Promise<{ batch: LogBatch | undefined; lost: boolean }> {
  const files = await logFiles(path);
  const known = await Promise.all(
    files.map(async (file) => {
      const position = positions.findLast((each) => each.file === file.file);
      return position && (await isIn(position, file)) ? position : undefined;
    }),
  );
  const latest = positions.at(-1);
  const lost = latest !== undefined && latest.offset > 0 && !known.includes(latest);
  let batch: LogBatch | undefined;
  let behind = 0;
  for (const [index, file] of files.entries()) {
    const from = known[index]?.offset ?? 0;
    if (batch) behind += file.size - from;
    else batch = await linesIn(file, from, index < files.length - 1);
  }
  return { batch: batch && { ...batch, behind: batch.behind + behind }, lost };
}

/** Positions with one more, which stands for its file from now on. */
export const advanced = (positions: LogPosition[], next: LogPosition): LogPosition[] =>
  [...positions.filter(({ file }) => file !== next.file), next].slice(-POSITIONS_KEPT);

/** @param finished nothing will be written to it any more, so that its last line needs no end */
async function linesIn(
  file: LogFile,
  from: number,
  finished: boolean,
): Promise<LogBatch | undefined> {
  if (file.size <= from) return undefined;
  let length = CHUNK_BYTES;
  let bytes = await readBytes(file.path, from, length);
  while (bytes.length === length && !bytes.includes(NEWLINE) && length <= LONGEST_LINE) {
    length *= 2;
    bytes = await readBytes(file.path, from, length);
  }
  const isWhole = from + bytes.length >= file.size;
  const events: object[] = [];
  let broken = 0;
  let done = 0;
  while (done < bytes.length && events.length < MOST_EVENTS) {
    const newline = bytes.indexOf(NEWLINE, done);
    const isLast = newline < 0;
    if (isLast && !(finished && isWhole) && bytes.length - done <= LONGEST_LINE) break;
    const line = bytes.toString('utf8', done, isLast ? bytes.length : newline);
    const event = eventIn(line);
    if (event) events.push(event);
    if (event === undefined) broken += 1;
    done = isLast ? bytes.length : newline + 1;
  }
  if (done === 0) return undefined;
  const next = await positionIn(file, from + done);
  return { events, broken, next, behind: Math.max(0, file.size - from - done) };
}

/** The event of a line; null for lines that are none on purpose, undefined for broken ones. */
function eventIn(line: string): object | null | undefined {
  const text = line.replaceAll('\0', '').trim();
  if (text === '') return null;
  try {
    const said = JSON.parse(text) as Record<string, unknown> | null;
    if (typeof said !== 'object' || said === null) return undefined;
    // n8n notes here which events it has sent to log streaming.
    if (said.__type === '$$EventMessageConfirm') return null;
    if (typeof said.eventName !== 'string') return undefined;
    return { ...said, __type: undefined, payload: impersonal(said.payload) };
  } catch {
    return undefined;
  }
}

/** Without the fields that n8n itself marks as naming a person. */
const impersonal = (payload: unknown): unknown =>
  typeof payload === 'object' && payload !== null && !Array.isArray(payload)
    ? Object.fromEntries(Object.entries(payload).filter(([key]) => !key.startsWith('_')))
    : payload;
