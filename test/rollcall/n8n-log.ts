import { randomUUID } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandFor, spawnRollcall, type Ended, type RunningCommand } from './command.ts';
import type { FreshTenant } from './tenant.ts';

/** A log as n8n keeps it, in a folder of its own, and the command that ships it to a tenant. */
export interface N8nLog {
  folder: string;
  path: string;
  /** A line on the run `n`. */
  line(n: number): string;
  lines(from: number, to: number): string;
  write(text: string): void;
  /** What n8n does at each start: renames the log and begins another. */
  rotate(): void;
  run(...args: string[]): Promise<Ended>;
  /** Runs it to the end of the log; answers what it counted. */
  once(...args: string[]): Promise<Record<string, number>>;
  follow(args?: string[], url?: string): RunningCommand;
  /** Resolves when the tenant has as many runs, and checks that they are these. */
  arrived(...runs: number[]): Promise<void>;
  /** Events that the tenant's server has counted. */
  counted(): Promise<number>;
  /** Ends what still follows, and removes the folder. */
  end(): Promise<void>;
}

export function n8nLog(tenant: FreshTenant): N8nLog {
  const folder = mkdtempSync(join(tmpdir(), 'n8n-log-'));
  const path = join(folder, 'n8nEventLog.log');
  const rotated = (age: number) => join(folder, `n8nEventLog-${age}.log`);
  const running: RunningCommand[] = [];
  const line = (n: number) =>
    `${JSON.stringify({
      __type: '$$EventMessageWorkflow',
      id: randomUUID(),
      ts: new Date(tenant.clock.now().getTime() - 60_000).toISOString().replace('Z', '+00:00'),
      eventName: 'n8n.workflow.success',
      message: 'n8n.workflow.success',
      payload: { executionId: String(n), workflowId: 'w', _email: 'owner@example.com' },
    })}\n`;
  const run = (...args: string[]) => commandFor(tenant)(['n8n', 'follow-log', path, ...args]);
  return {
    folder,
    path,
    line,
    lines: (from, to) =>
      Array.from({ length: to - from + 1 }, (_, place) => line(from + place)).join(''),
    write: (text) => appendFileSync(path, text),
    rotate() {
      for (const age of [2, 1]) {
        if (existsSync(rotated(age))) renameSync(rotated(age), rotated(age + 1));
      }
      renameSync(path, rotated(1));
      writeFileSync(path, '');
    },
    run,
    async once(...args) {
      const { code, stdout, stderr } = await run('--once', '--json', ...args);
      if (code !== 0) throw new Error(stderr);
      return JSON.parse(stdout) as Record<string, number>;
    },
    follow(args = [], url = tenant.url) {
      const command = spawnRollcall(['n8n', 'follow-log', path, ...args], {
        env: { ROLLCALL_URL: url, ROLLCALL_API_KEY: tenant.key },
      });
      running.push(command);
      return command;
    },
    async arrived(...runs) {
      const wanted = runs.map(String).sort();
      for (;;) {
        const rows = await tenant.sql<{ execution_id: string }>(
          'select execution_id from rollcall.executions where tenant_id = $1',
          [tenant.tenant],
        );
        const found = rows.map(({ execution_id }) => execution_id).sort();
        if (found.length >= wanted.length) return expect(found).toEqual(wanted);
      }
    },
    async counted() {
      const [sum] = await tenant.sql<{ n: string }>(
        'select coalesce(sum(events), 0) as n from rollcall.n8n_events where tenant_id = $1',
        [tenant.tenant],
      );
      return Number(sum?.n);
    },
    async end() {
      for (const { process, ended } of running) {
        process.kill('SIGKILL');
        await ended;
      }
      rmSync(folder, { recursive: true });
    },
  };
}
