import {
  PROTOCOLS,
  TELEMETRY_STATUSES,
  type Page,
  type StoredTelemetryEvent,
} from '@rollcall/client/contract';
import { Option, type Command } from 'commander';
import type { Query } from '../http/api.ts';
import { readPages } from '../http/pages.ts';
import { openSession } from '../http/session.ts';
import { wholeNumber } from '../options.ts';
import { note, print } from '../terminal/print.ts';
import { followTelemetry } from './follow.ts';
import { eventLine } from './event-line.ts';

const PATH = '/api/v1/telemetry';

/** `rollcall telemetry`: who called whom. */
export function telemetryCommand(program: Command): void {
  program
    .command('telemetry')
    .description('Who called whom, and how it went')
    .command('tail')
    .description('The latest events, oldest first, and those that follow')
    .option('-n, --lines <number>', 'how many of the latest', wholeNumber(0), 20)
    .option('-f, --follow', 'go on with what comes (default: on a terminal)')
    .option('--no-follow', 'end after the latest (default: in a pipe)')
    .option('--source <id>', 'who called')
    .option('--target <id>', 'who was called')
    .addOption(new Option('--protocol <protocol>').choices(PROTOCOLS))
    .addOption(new Option('--status <status>').choices(TELEMETRY_STATUSES))
    .option('--workflow <id>')
    .option('--execution <id>')
    .option('--correlation <id>')
    .action(tail);
}

interface TailOptions {
  lines: number;
  follow?: boolean;
  source?: string;
  target?: string;
  protocol?: string;
  status?: string;
  workflow?: string;
  execution?: string;
  correlation?: string;
}

async function tail(options: TailOptions, command: Command): Promise<void> {
  const { api, json } = await openSession(command);
  const filter: Query = {
    source_id: options.source,
    target_id: options.target,
    protocol: options.protocol,
    status: options.status,
    workflow_id: options.workflow,
    execution_id: options.execution,
    correlation_id: options.correlation,
  };
  const show = (event: StoredTelemetryEvent) =>
    print(json ? JSON.stringify(event) : eventLine(event));

  const { items }: Page<StoredTelemetryEvent> =
    options.lines === 0
      ? await api.call('GET', PATH, { query: { ...filter, limit: 1 } })
      : await readPages(api, PATH, filter, { wanted: options.lines, noun: 'events' });
  const follows = options.follow ?? process.stdout.isTTY;
  if (!follows) {
    items.slice(0, options.lines).reverse().forEach(show);
    if (items.length === 0 && !json) note('No event fits.');
    return;
  }
  await followTelemetry({
    api,
    path: PATH,
    filter,
    latest: items,
    lines: options.lines,
    show,
    note,
  });
}
