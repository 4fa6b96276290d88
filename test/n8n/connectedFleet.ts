import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type {
  Connection,
  Gap,
  GapFixOutcome,
  GapFixResult,
  GapKind,
  Page,
} from '../../client/src/contract/index.ts';
import type { ClockedRollcall } from './clockedRollcall.ts';
import { WORKFLOWS } from './connectedWorkflows.ts';
import type { N8nInstance } from './instance.ts';

/** What docs/n8n.md asks of a key, and no more. */
export const SCOPES = [
  ...['list', 'read', 'update', 'activate', 'deactivate'].map((verb) => `workflow:${verb}`),
  ...['list', 'read'].map((verb) => `execution:${verb}`),
];

/** Workflows in an n8n, and what a user does about them on Rollcall's command line. */
export interface ConnectedFleet {
  /** Puts workflows into n8n as a user does, by file; they stay unpublished. */
  import(workflows: object[]): Promise<void>;
  /** Makes a key in n8n and connects it; resolves after the first inventory. */
  connect(): Promise<Connection>;
  /** The fleet is in n8n, published, connected and registered; done once, whoever asks first. */
  registered(): Promise<void>;
  /** Takes an inventory now. */
  sync(): Promise<Connection>;
  /** Changes the connection. */
  change(changes: object): Promise<void>;
  /** Looks for gaps, and lists those that fit. */
  gaps(query: GapQuery): Promise<Gap[]>;
  /** The only one that fits, after an inventory; rejects when there is another number of them. */
  gap(kind: GapKind, entityId: string, state?: Gap['state']): Promise<Gap>;
  fix(gap: Gap, ...options: string[]): Promise<GapFixResult>;
  undo(fix: GapFixResult): Promise<GapFixOutcome>;
}

export type GapQuery = { kind?: GapKind; state?: Gap['state']; id?: string };

export function connectedFleet(
  n8n: N8nInstance,
  rollcall: ClockedRollcall,
  folder: string,
): ConnectedFleet {
  let connection: Promise<Connection> | undefined;
  let registering: Promise<void> | undefined;
  let files = 0;

  const run = async <Answer>(args: string[], environment?: NodeJS.ProcessEnv): Promise<Answer> =>
    JSON.parse(await rollcall.command([...args, '--json'], environment)) as Answer;

  const fleet: ConnectedFleet = {
    async import(workflows) {
      const file = join(folder, `import-${(files += 1)}.json`);
      await writeFile(file, JSON.stringify(workflows));
      await n8n.command('import:workflow', `--input=${file}`);
    },

    connect: () =>
      (connection ??= n8n.api
        .createApiKey(SCOPES)
        .then((key) => run(['n8n', 'connect', n8n.api.url], { N8N_API_KEY: key }))),

    registered: () => (registering ??= register()),

    async sync() {
      const { id } = await fleet.connect();
      return run(['n8n', 'connections', 'sync', id]);
    },

    async change(changes) {
      const { id } = await fleet.connect();
      await rollcall.patch(`n8n/connections/${id}`, changes);
    },

    async gaps(query) {
      const options = Object.entries(query).flatMap(([name, value]) => [`--${name}`, value]);
      return (await run<Page<Gap>>(['gaps', 'list', '--all', ...options])).items;
    },

    async gap(kind, id, state = 'open') {
      await fleet.sync();
      const [gap, ...more] = await fleet.gaps({ kind, id, state });
      if (gap && more.length === 0) return gap;
      const all = (await fleet.gaps({})).map((one) => `${one.kind} ${one.entity_id}`);
      throw new Error(`${more.length} more ${state} ${kind} of ${id}; open: ${all.join(', ')}`);
    },

    fix: (gap, ...options) => run(['gaps', 'fix', gap.id, ...options]),
    undo: ({ fix_id }) => run(['gaps', 'undo', fix_id ?? '']),
  };

  async function register(): Promise<void> {
    const there = await n8n.api.workflows();
    const missing = WORKFLOWS.filter(({ id }) => !there.includes(id));
    if (missing.length > 0) {
      await fleet.import(missing);
      for (const { id } of missing) await n8n.api.publish(id);
    }
    await fleet.connect();
    await fleet.sync();
    await fleet.gaps({});
    await rollcall.command(['gaps', 'fix', '--all', '--kind', 'unreported', '--yes']);
    await fleet.sync();
  }

  return fleet;
}
