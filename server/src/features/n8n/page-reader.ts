import { availableParallelism } from 'node:os';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { readStored, workflowsIn, type PageReading, type StoredWorkflow } from './stored-pages.ts';

/** Characters of a page that is read before a thread for it would have started. */
const SMALL = 250_000;
const THREADS = Math.min(2, availableParallelism());
/** Megabytes for objects that are young, twice what they have by default: most of a page's are let go of before they are moved. */
const YOUNG = 96;

type Page = StoredWorkflow[] | undefined;

/**
 * Reads the pages of one inventory beside the thread that answers requests: a large one takes up to half a second.
 * `read` answers undefined for a text that is no page of workflows.
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
    read: async (text: string): Promise<Page> =>
      text.length < SMALL ? readHere(text, reading) : thread().read(text),
    readOne: (workflow: unknown): StoredWorkflow | undefined => readStored(workflow, reading),
    close: async (): Promise<void> => {
      closed = true;
      await Promise.all(threads.map(({ close }) => close()));
    },
  };
}

async function readHere(text: string, reading: PageReading): Promise<Page> {
  const found: StoredWorkflow[] = [];
  const workflows = workflowsIn(text);
  for (const workflow of workflows ?? []) {
    const one = readStored(workflow, reading);
    if (one) found.push(one);
    // One takes up to some milliseconds, and others wait to be answered.
    await nextTurn();
  }
  return workflows && found;
}

interface Thread {
  read: (text: string) => Promise<Page>;
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
    read(text) {
      if (ended) return Promise.reject(ended);
      const answer = Promise.withResolvers<Page>();
      waiting.push(answer);
      worker.postMessage(text);
      return answer.promise;
    },
    close: () => worker.terminate(),
  };
}
