import { readFileSync } from 'node:fs';
import { processTree } from './processes.ts';

/** What processes hold of the memory, in MB of 1,000,000 bytes. */
export interface Memory {
  processes: number;
  /** Every page counted in each process that has it. */
  rss: number;
  /** Every page divided by the number of processes that have it. */
  pss: number;
}

/** The memory of a process, alone or with all below it, as Linux counts it in /proc/<pid>/smaps_rollup. */
export function memoryOf(root: number, extent: 'alone' | 'tree' = 'tree'): Memory {
  const pids = extent === 'tree' ? processTree(root) : [root];
  const tree = pids.map((pid) => readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'));
  const sum = (field: string) =>
    tree.reduce((total, text) => {
      const kilobytes = new RegExp(`^${field}: +(\\d+) kB$`, 'm').exec(text)?.[1];
      return total + Number(kilobytes) * 1024;
    }, 0) / 1e6;
  return { processes: tree.length, rss: sum('Rss'), pss: sum('Pss') };
}
