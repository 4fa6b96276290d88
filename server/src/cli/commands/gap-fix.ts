import {
  FIX_ACTIONS,
  GAP_KINDS,
  GAP_SEVERITIES,
  type EntityReference,
  type FixAction,
  type FixChoice,
  type GapFilter,
  type GapFixRequest,
  type GapFixResult,
  type GapKind,
  type GapSeverity,
} from '@rollcall/client/contract';
import { Option, type Command } from 'commander';
import { usageError } from '../failure.ts';
import { openSession } from '../http/session.ts';
import { entityReference } from '../options.ts';
import { print, printJson } from '../terminal/print.ts';
import { clean, paint } from '../terminal/text.ts';
import { parseMoment } from '../terminal/time.ts';
import { fixMany } from './gap-fix-many.ts';
import { changeLines } from './fix-text.ts';
import { stateText } from './gap-text.ts';
import { wholeGapId } from './whole-gap-id.ts';

/** `rollcall gaps fix`: one gap by its id, or all that fit a filter. */
export function fixCommand(gaps: Command): void {
  gaps
    .command('fix')
    .description('Do what is on offer against a gap, the first offer by default; then check again')
    .argument('[id]', 'its id, or the beginning of it; or --all with a filter')
    .addOption(new Option('--action <action>').choices(FIX_ACTIONS))
    .option('--dry-run', 'show what would change, and change nothing')
    .option('--all', 'every open gap that fits the filter')
    .addOption(new Option('--kind <kind>', 'filter').choices(GAP_KINDS))
    .addOption(new Option('--severity <severity>', 'filter').choices(GAP_SEVERITIES))
    .option('--type <type>', 'filter: gaps of entities of this type')
    .option('--id <id>', 'filter: gaps of the entity with this id')
    .option('--yes', 'with --all: do not ask')
    .option('--entity-type <type>', 'for register')
    .option('--entity-name <name>', 'for register')
    .option('--parent <type/id>', 'for reparent', entityReference)
    .addOption(
      new Option('--state <state>', 'for set_state').choices([
        'active',
        'inactive',
        'error',
        'archived',
      ]),
    )
    .option('--credential <name>', 'for instrument: name of the Rollcall credential in n8n')
    .option('--reason <text>', 'for mute')
    .option('--until <when>', 'for mute: a date, or a span such as 7d', (text) => parseMoment(text))
    .action(fix);
}

interface FixOptions {
  action?: FixAction;
  dryRun?: boolean;
  all?: boolean;
  kind?: GapKind;
  severity?: GapSeverity;
  type?: string;
  id?: string;
  yes?: boolean;
  entityType?: string;
  entityName?: string;
  parent?: EntityReference;
  state?: FixChoice['new_state'];
  credential?: string;
  reason?: string;
  until?: string;
}

async function fix(given: string | undefined, options: FixOptions, command: Command) {
  const filter: GapFilter = {
    kind: options.kind,
    severity: options.severity,
    entity_type: options.type,
    entity_id: options.id,
  };
  const filtered = Object.values(filter).some((value) => value !== undefined);
  if (given === undefined ? !options.all : options.all || filtered) {
    throw usageError('Give the id of one gap, or --all with a filter.', {
      next: 'Such as: rollcall gaps fix --kind unregistered --all --dry-run',
    });
  }
  const session = await openSession(command);
  const choice: FixChoice = {
    action: options.action,
    dry_run: options.dryRun,
    entity_type: options.entityType,
    parent_type: options.parent?.entity_type,
    parent_id: options.parent?.entity_id,
    new_state: options.state,
    credential: options.credential,
    reason: options.reason,
    until: options.until,
  };
  if (given === undefined) {
    if (options.entityName !== undefined) throw usageError('--entity-name is for one gap.');
    return fixMany(session, filter, choice, options.yes ?? false);
  }
  const { api, json } = session;
  const body: GapFixRequest = { ...choice, entity_name: options.entityName };
  const id = await wholeGapId(api, given);
  const result = await api.call<GapFixResult>('POST', `/api/v1/gaps/${id}/fix`, { body });
  if (json) printJson(result);
  else print(describe(result));
}

function describe({ action, summary, dry_run, fix_id, changes, gap }: GapFixResult): string {
  const lines = [
    `${dry_run ? 'Would be done' : 'Done'} (${action}): ${clean(summary)}`,
    ...(dry_run ? changeLines(changes) : []),
  ];
  const would = dry_run ? 'would be' : 'is';
  if (gap.state === 'closed') {
    const closed = paint('green', `The gap ${would} closed:`);
    lines.push(`${closed} ${clean(gap.summary)}`);
  } else if (gap.state === 'muted') {
    lines.push(`The gap ${would} ${stateText(gap)}`);
  } else {
    const open = paint('yellow', `The gap ${dry_run ? 'would still be' : 'is still'} open:`);
    lines.push(`${open} ${clean(gap.summary)}`);
  }
  if (fix_id) lines.push(paint('dim', `Undo: rollcall gaps undo ${fix_id.slice(0, 8)}`));
  return lines.join('\n');
}
