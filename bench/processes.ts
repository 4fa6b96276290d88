import { readdirSync, readFileSync } from 'node:fs';

/** A process and all below it. */
export function processTree(root: number): number[] {
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const stat = statOf(Number(name));
      return stat ? [{ pid: Number(name), parent: Number(stat[1]) }] : [];
    });
  const tree = [root];
  for (const pid of tree) {
    for (const child of parents) if (child.parent === pid) tree.push(child.pid);
  }
  return tree;
}

/** Seconds of CPU that processes, and their children that have ended, have used. */
export function cpuSeconds(pids: number[]): number {
  return pids.reduce((sum, pid) => {
    const [, , , , , , , , , , , user, system, ofChildren, systemOfChildren] = statOf(pid) ?? [];
    return (
      sum +
      [user, system, ofChildren, systemOfChildren].reduce((a, b) => a + Number(b ?? 0), 0) / 100
    );
  }, 0);
}

/** The fields of /proc/<pid>/stat after the name: state, parent, ... */
function statOf(pid: number): string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').pop()?.split(' ');
  } catch {
    return undefined;
  }
}
