import {
  FIX_ACTIONS,
  type EntityReference,
  type FixAction,
  type Gap,
  type GapFixRequest,
  type GapFixResult,
} from '@rollcall/client/contract';
import { Option, type Command } from 'commander';
import type { Api } from '../http/api.ts';
import { readPages } from '../http/pages.ts';
import { resolveId, SHORT_ID } from '../http/resolve-id.ts';
import { openSession } from '../http/session.ts';
import { entityReference } from '../options.ts';
import { print, printJson } from '../terminal/print.ts';
import { clean, paint } from '../terminal/text.ts';
import { parseMoment } from '../terminal/time.ts';
import { describeGap, stateText } from './gap-text.ts';

const PATH = '/api/v1/gaps';
const ID = 'its id, or the beginning of it';
const WHEN = 'a date, or a span such as 7d';

/** What one may see and do of a single gap. */
export function changeGapCommands(gaps: Command): void {
  gaps
    .command('show')
    .description('One gap: what shows it, and what can be done')
    .argument('<id>', ID)
    .action(show);
  gaps
    .command('fix')
    .description('Do what is on offer against a gap, the first offer by default; then check again')
    .argument('<id>', ID)
    .addOption(new Option('--action <action>').choices(FIX_ACTIONS))
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
    .option('--reason <text>', 'for mute')
    .option('--until <when>', `for mute: ${WHEN}`, (text) => parseMoment(text))
    .action(fix);
  gaps
    .command('mute')
    .description('Say nothing of a gap until a date; it still closes when its cause is gone')
    .argument('<id>', ID)
    .requiredOption('--reason <text>', 'why')
    .requiredOption('--until <when>', WHEN, (text) => parseMoment(text))
    .action(mute);
  gaps.command('unmute').description('End a mute').argument('<id>', ID).action(unmute);
}

/** Of the gaps that are not closed yet. */
const wholeId = (api: Api, given: string): Promise<string> =>
  resolveId<Gap>(given, {
    noun: 'open or muted gap',
    listing: 'rollcall gaps list',
    read: async () => {
      const read = async (state: string) =>
        (await readPages<Gap>(api, PATH, { state }, { noun: 'gaps' })).items;
      return [...(await read('open')), ...(await read('muted'))];
    },
    describe: ({ kind, summary }) => `${kind}  ${clean(summary)}`,
  });

async function show(given: string, _options: object, command: Command): Promise<void> {
  const { api, json } = await openSession(command);
  const gap = await api.call<Gap>('GET', `${PATH}/${await wholeId(api, given)}`);
  if (json) printJson(gap);
  else print(describeGap(gap));
}

interface FixOptions {
  action?: FixAction;
  entityType?: string;
  entityName?: string;
  parent?: EntityReference;
  state?: GapFixRequest['new_state'];
  reason?: string;
  until?: string;
}

async function fix(given: string, options: FixOptions, command: Command): Promise<void> {
  const { api, json } = await openSession(command);
  const id = await wholeId(api, given);
  const body: GapFixRequest = {
    action: options.action,
    entity_type: options.entityType,
    entity_name: options.entityName,
    parent_type: options.parent?.entity_type,
    parent_id: options.parent?.entity_id,
    new_state: options.state,
    reason: options.reason,
    until: options.until,
  };
  const result = await api.call<GapFixResult>('POST', `${PATH}/${id}/fix`, { body });
  if (json) return printJson(result);
  const { action, summary, gap } = result;
  print(`Done (${action}): ${clean(summary)}`);
  if (gap.state === 'closed')
    print(`${paint('green', 'The gap is closed:')} ${clean(gap.summary)}`);
  else if (gap.state === 'muted') print(`The gap is ${stateText(gap)}`);
  else print(`${paint('yellow', 'The gap is still open:')} ${clean(gap.summary)}`);
}

interface MuteOptions {
  reason: string;
  until: string;
}

async function mute(given: string, options: MuteOptions, command: Command): Promise<void> {
  const { api, json } = await openSession(command);
  const id = await wholeId(api, given);
  const body = { reason: options.reason, until: options.until };
  const gap = await api.call<Gap>('POST', `${PATH}/${id}/mute`, { body });
  if (json) return printJson(gap);
  print(`The gap ${gap.id.slice(0, SHORT_ID)} is ${stateText(gap)}`);
}

async function unmute(given: string, _options: object, command: Command): Promise<void> {
  const { api, json } = await openSession(command);
  const gap = await api.call<Gap>('DELETE', `${PATH}/${await wholeId(api, given)}/mute`);
  if (json) return printJson(gap);
  print(`The gap ${gap.id.slice(0, SHORT_ID)} is ${gap.state} again: ${clean(gap.summary)}`);
}
