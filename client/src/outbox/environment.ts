/** What the outbox needs of the machine it runs on; tests bring their own. */
export interface OutboxEnvironment {
  fetch: (url: string, request: RequestInit) => Promise<Response>;
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls once, and holds no process open; the answer takes it back. */
  after(ms: number, call: () => void): () => void;
  /** From 0 up to 1. */
  random(): number;
  /** Undefined where nothing can: bodies then go as they are. */
  gzip: ((body: Uint8Array<ArrayBuffer>) => Promise<Uint8Array<ArrayBuffer>>) | undefined;
}

/** The one that runs this: Node 20 or newer, or a browser. */
export const runningEnvironment: OutboxEnvironment = {
  fetch: (url, request) => fetch(url, request),
  now: () => Date.now(),
  after(ms, call) {
    const timer = setTimeout(call, ms);
    (timer as { unref?: () => void }).unref?.();
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
  gzip:
    typeof CompressionStream === 'undefined'
      ? undefined
      : async (body) => {
          const zipped = new Blob([body]).stream().pipeThrough(new CompressionStream('gzip'));
          return new Uint8Array(await new Response(zipped).arrayBuffer());
        },
};
