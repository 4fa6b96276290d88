import module from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import type { PageReading } from './stored-pages.ts';

// A thread of its own for the pages of one inventory: takes a text, answers what stands in it, one after the other.
module.enableCompileCache();
const { readStored, workflowsIn } = await import('./stored-pages.ts');
parentPort?.on('message', (text: string) => {
  const page = workflowsIn(text)?.flatMap(
    (workflow) => readStored(workflow, workerData as PageReading) ?? [],
  );
  parentPort?.postMessage(page);
});
