import module from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import type { PageReading, StoredWorkflow } from './stored-pages.ts';

// A thread of its own for the pages of one inventory: takes bytes, answers what stands in them, one after the other.
module.enableCompileCache();
const { storedIn } = await import('./stored-pages.ts');
parentPort?.on('message', (sent: Uint8Array<ArrayBuffer>) => {
  parentPort?.postMessage(read(Buffer.from(sent.buffer)));
});

/** Undefined when it is no page of workflows. */
function read(page: Buffer): StoredWorkflow[] | undefined {
  try {
    return [...storedIn(page, workerData as PageReading)];
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
