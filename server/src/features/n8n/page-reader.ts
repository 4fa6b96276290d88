import { availableParallelism } from 'node:os';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { storedIn, storedOf, type PageReading, type StoredWorkflow } from './stored-pages.ts';

/** Bytes of a page that is read before a thread for it would have started. */
const SMALL = 250_000;
const THREADS = Math.min(2, availableParallelism());
/** Megabytes for young objects, twice the default: most of a page's are let go of before they would be moved. */
const YOUNG = 96;

type Page = StoredWorkflow[] | undefined;

/**
 * Reads the pages of one inventory beside the thread that answers requests: a large one takes up to half a second.
 * `read` takes the bytes for itself, and nothing else may lie in their memory. It answers undefined for what is no page
 * of workflows.
 */
export function openPageReader(reading: PageReading) {
  const threads: Thread[] = [];
  let pages = 0;
  let closed = false;

  function thread(): Thread {
    if (closed) throw new Error('The reader of these pages has been closed');
    const place = pages++ % THREADS;
    return (threads[place] ??= startThread(reading));
  }

  return {
    read: async (sent: Buffer<ArrayBuffer>): Promise<Page> =>
      sent.length < SMALL ? readHere(sent, reading) : thread().read(sent),
    readOne: (workflow: unknown): StoredWorkflow | undefined => storedOf(workflow, reading),
    close: async (): Promise<void> => {
      closed = true;
      await Promise.all(threads.map(({ close }) => close()));
    },
  };
}

async function readHere(sent: Buffer, reading: PageReading): Promise<Page> {
  const found: StoredWorkflow[] = [];
  try {
    for (const one of storedIn(sent, reading)) {
      found.push(one);
      // One takes up to some milliseconds, and others wait to be answered.
      await nextTurn();
    }
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  return found;
}

interface Thread {
  read: (sent: Buffer<ArrayBuffer>) => Promise<Page>;
  close: () => Promise<unknown>;
}

function startThread(reading: PageReading): Thread {
  const worker = new Worker(new URL('./page-thread.ts', import.meta.url), {
    workerData: reading,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG },
  });
  // Answers come in the order of what was asked.
  const waiting: PromiseWithResolvers<Page>[] = [];
  let ended: Error | undefined;
  function end(error: Error): void {
    ended ??= error;
    for (const { reject } of waiting.splice(0)) reject(ended);
  }
  worker.on('message', (page: Page) => waiting.shift()?.resolve(page));
  worker.on('error', end);
  worker.on('exit', () => end(new Error('The thread that reads pages of workflows has ended')));
  return {
    read(sent) {
      if (ended) return Promise.reject(ended);
      const answer = Promise.withResolvers<Page>();
      waiting.push(answer);
      worker.postMessage(sent, [sent.buffer]);
      return answer.promise;
    },
    close: () => worker.terminate(),
  };
}
