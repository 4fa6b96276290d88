import { fit } from './text.ts';

export interface ProgressBar {
  /** @param share done, from 0 to 1; undefined while nobody knows */
  show(share: number | undefined, text: string): void;
  /** Takes the line away. */
  end(): void;
}

const CELLS = 24;
const CLEAR_LINE = '\r\u001b[K';

/** How far something has come, in one line on standard error; nothing where no person looks. */
export function progressBar(
  stream: Pick<NodeJS.WriteStream, 'isTTY' | 'write' | 'columns'> = process.stderr,
): ProgressBar {
  if (!stream.isTTY) return { show() {}, end() {} };
  let shown = '';
  return {
    show(share, text) {
      const full = Math.round(Math.min(Math.max(share ?? 0, 0), 1) * CELLS);
      const bar = `[${'#'.repeat(full)}${'.'.repeat(CELLS - full)}]`;
      const percent =
        share === undefined ? '  ? %' : `${String(Math.floor(share * 100)).padStart(3)} %`;
      const line = fit(`${bar} ${percent}  ${text}`, (stream.columns || 80) - 1).trimEnd();
      if (line === shown) return;
      shown = line;
      stream.write(CLEAR_LINE + line);
    },
    end() {
      if (shown) stream.write(CLEAR_LINE);
      shown = '';
    },
  };
}
