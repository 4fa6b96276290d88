import {
  ENTITY_STATES,
  HEALTH_STATUSES,
  type Entity,
  type EntityDetail,
  type EntityReference,
  type Page,
  type StateChange,
} from '@rollcall/client/contract';
import { Option, type Command } from 'commander';
import { usageError } from '../failure.ts';
import { readPages } from '../http/pages.ts';
import { openSession } from '../http/session.ts';
import { entityReference, referenceText, wholeNumber } from '../options.ts';
import { print, printFooter, printJson, printTable } from '../terminal/print.ts';
import type { Column } from '../terminal/table.ts';
import { count } from '../terminal/text.ts';
import { ago } from '../terminal/time.ts';
import { describeEntity, healthColour, stateColour } from './entity-text.ts';
import { registerCommand } from './register.ts';

const PATH = '/api/v1/entities';
const STATES_SHOWN = 10;

/** `rollcall entities`: what is in the registry. */
export function entitiesCommand(program: Command): void {
  const entities = program.command('entities').description('What is in the registry');
  entities
    .command('list')
    .description('Search entities, by name; deleted ones only with --state deleted')
    .option('--type <type>', 'workflow, mcp_server, team, agent, ...')
    .addOption(new Option('--state <state>').choices(ENTITY_STATES))
    .addOption(new Option('--health <health>').choices(HEALTH_STATUSES))
    .option('--tag <tag>')
    .option('--capability <capability>')
    .option('--parent <type/id>', 'directly below this one', entityReference)
    .option('--text <text>', 'part of the name, id or description')
    .option('--limit <number>', 'how many at most', wholeNumber(1), 50)
    .option('--all', 'every one of them')
    .action(list);
  entities
    .command('show')
    .description('One entity: its relations and its latest states')
    .argument('<type>', 'its type, or TYPE/ID')
    .argument('[id]')
    .action(show);
  registerCommand(entities);
}

interface ListOptions {
  type?: string;
  state?: string;
  health?: string;
  tag?: string;
  capability?: string;
  parent?: EntityReference;
  text?: string;
  limit: number;
  all?: boolean;
}

async function list(options: ListOptions, command: Command): Promise<void> {
  const { api, json } = await openSession(command);
  const query = {
    entity_type: options.type,
    current_state: options.state,
    health_status: options.health,
    tag: options.tag,
    capability: options.capability,
    parent_type: options.parent?.entity_type,
    parent_id: options.parent?.entity_id,
    text: options.text,
  };
  const wanted = options.all ? Infinity : options.limit;
  const page = await readPages<Entity>(api, PATH, query, { wanted, noun: 'entities' });
  if (json) return printJson(page);
  if (page.items.length === 0) {
    return print('No entity fits. Register one: rollcall entities register --help');
  }
  printTable(COLUMNS, page.items);
  const shown = count(page.items.length, 'entity', 'entities');
  printFooter(page.next_cursor ? `${shown}, and more: add --all, or a filter.` : `${shown}.`);
}

const COLUMNS: Column<Entity>[] = [
  { title: 'TYPE', value: ({ entity_type }) => entity_type },
  { title: 'ID', value: ({ entity_id }) => entity_id, shrinks: true },
  { title: 'NAME', value: ({ entity_name }) => entity_name, shrinks: true },
  {
    title: 'STATE',
    value: ({ current_state }) => current_state,
    colour: ({ current_state }) => stateColour(current_state),
  },
  {
    title: 'HEALTH',
    value: ({ health_status }) => health_status,
    colour: ({ health_status }) => healthColour(health_status),
  },
  { title: 'LAST SEEN', value: ({ last_activity }) => ago(last_activity) },
  { title: 'PARENT', value: ({ parent }) => (parent ? referenceText(parent) : ''), shrinks: true },
];

async function show(type: string, id: string | undefined, _: object, command: Command) {
  const entity = id === undefined ? splitReference(type) : { entity_type: type, entity_id: id };
  const { api, json } = await openSession(command);
  const path = `${PATH}/${encodeURIComponent(entity.entity_type)}/${encodeURIComponent(entity.entity_id)}`;
  const [detail, states] = await Promise.all([
    api.call<EntityDetail>('GET', path),
    api.call<Page<StateChange>>('GET', `${path}/state`, { query: { limit: STATES_SHOWN } }),
  ]);
  if (json) return printJson({ ...detail, states: states.items });
  print(describeEntity(detail, states));
}

function splitReference(text: string): EntityReference {
  try {
    return entityReference(text);
  } catch {
    throw usageError('Give the type and the id: rollcall entities show workflow 4711');
  }
}
