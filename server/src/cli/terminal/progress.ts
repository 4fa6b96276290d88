export interface Progress {
  /** What goes on now; replaces what was said before. */
  say(text: string): void;
  /** Takes the line away. */
  end(): void;
}

const QUIET_MS = 2_000;
const CLEAR_LINE = '\r\u001b[K';

/** A line about work that takes more than two seconds, on standard error, where a person can see it. */
export function showProgress(
  stream: Pick<NodeJS.WriteStream, 'isTTY' | 'write'> = process.stderr,
): Progress {
  if (!stream.isTTY) return { say() {}, end() {} };
  let text: string | undefined;
  let quiet = true;
  let shown = false;
  const show = () => {
    if (quiet || text === undefined) return;
    shown = true;
    stream.write(CLEAR_LINE + text);
  };
  const timer = setTimeout(() => {
    quiet = false;
    show();
  }, QUIET_MS);
  timer.unref();
  return {
    say(said) {
      text = said;
      show();
    },
    end() {
      clearTimeout(timer);
      if (shown) stream.write(CLEAR_LINE);
    },
  };
}
