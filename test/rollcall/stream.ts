/** A server-sent event as a reader gets it. */
export interface Heard {
  event: string;
  id: string | undefined;
  // Tests look into whatever came.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  data: any;
}

export interface EventReader {
  response: Response;
  /** All so far, in order. */
  heard: Heard[];
  /** Of the last event, as a browser would send it on coming back. */
  lastId(): string | undefined;
  /** The next event with this name that `next` has not answered yet; rejects if the stream ends without. */
  next(event: string): Promise<Heard>;
  /** Resolves when `enough` says so of all that was heard; rejects if the stream ends before. */
  until(enough: (heard: Heard[]) => boolean): Promise<Heard[]>;
  /** Resolves when the server has ended it. */
  ended: Promise<void>;
  /** Goes away. */
  close(): void;
}

export interface ReadOptions {
  key: string;
  lastEventId?: string | undefined;
  /** Nothing is read before it resolves. */
  from?: Promise<void>;
}

/** Reads a stream of events as they come. Fails unless it is one. */
export async function readEvents(
  url: string,
  path: string,
  { key, lastEventId, from }: ReadOptions,
): Promise<EventReader> {
  const leaving = new AbortController();
  const response = await fetch(url + path, {
    headers: {
      accept: 'text/event-stream',
      authorization: `Bearer ${key}`,
      ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
    },
    signal: leaving.signal,
  });
  if (response.headers.get('content-type') !== 'text/event-stream' || !response.body) {
    leaving.abort();
    throw new Error(`${path} answered ${response.status} and no events`);
  }
  const heard: Heard[] = [];
  let over = false;
  let lastId: string | undefined;
  let moved = Promise.withResolvers<void>();
  const tell = () => {
    moved.resolve();
    moved = Promise.withResolvers<void>();
  };
  const ended = (async (body: ReadableStream<Uint8Array>) => {
    try {
      let rest = '';
      await from;
      for await (const text of body.pipeThrough(new TextDecoderStream())) {
        const blocks = (rest + text).split('\n\n');
        rest = blocks.pop() ?? '';
        for (const block of blocks) {
          const { id, event, data } = parse(block);
          lastId = id ?? lastId;
          if (data !== undefined) heard.push({ event, id, data: JSON.parse(data) });
        }
        tell();
      }
    } catch {
      // The connection broke, or was left.
    } finally {
      over = true;
      tell();
    }
  })(response.body);

  async function until(enough: (heard: Heard[]) => boolean): Promise<Heard[]> {
    while (!enough(heard)) {
      if (over) throw new Error(`The stream ended after ${JSON.stringify(heard)}`);
      await moved.promise;
    }
    return heard;
  }

  const answered = new Map<string, number>();
  return {
    response,
    heard,
    lastId: () => lastId,
    until,
    async next(name) {
      const count = answered.get(name) ?? 0;
      answered.set(name, count + 1);
      const named = () => heard.filter(({ event }) => event === name);
      await until(() => named().length > count);
      return named()[count] as Heard;
    },
    ended,
    close: () => leaving.abort(),
  };
}

/** The fields of one event; comments are left out. */
function parse(block: string): { event: string; id?: string; data?: string } {
  const fields = block
    .split('\n')
    .filter((line) => !line.startsWith(':'))
    .map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]);
  return { event: 'message', ...Object.fromEntries(fields) };
}
