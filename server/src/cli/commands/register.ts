import {
  ENTITY_STATES,
  type EntityReference,
  type EntityRegistration,
  type RegisteredEntity,
} from '@rollcall/client/contract';
import { Option, type Command } from 'commander';
import { CommandFailure } from '../failure.ts';
import { openSession, type Session } from '../http/session.ts';
import { collect, entityReference, referenceText } from '../options.ts';
import { print, printJson } from '../terminal/print.ts';
import { showProgress } from '../terminal/progress.ts';
import { clean, paint } from '../terminal/text.ts';
import { stateColour } from './entity-text.ts';
import { readRegistrations } from './registrations.ts';

export interface RegisterOptions {
  id?: string;
  type?: string;
  name?: string;
  description?: string;
  capability?: string[];
  tag?: string[];
  parent?: EntityReference;
  endpoint?: string;
  state?: EntityRegistration['current_state'];
  workflow?: string;
}

/** `rollcall entities register`: from a file, from flags, or from n8n workflow JSON. */
export function registerCommand(entities: Command): void {
  entities
    .command('register')
    .description('Register one entity, or all of a file; again is a success')
    .argument('[file]', 'JSON: a registration or an array of them; - reads standard input')
    .option('--id <id>')
    .option('--type <type>', 'workflow, mcp_server, team, agent, ...')
    .option('--name <name>')
    .option('--description <text>')
    .option('--capability <capability>', 'may be given several times', collect)
    .option('--tag <tag>', 'may be given several times', collect)
    .option('--parent <type/id>', 'what it belongs to', entityReference)
    .option('--endpoint <url>', 'where it answers')
    .addOption(
      new Option('--state <state>', 'state to move it to').choices(
        ENTITY_STATES.filter((state) => state !== 'deleted'),
      ),
    )
    .option(
      '--workflow <file>',
      'n8n workflow JSON, or an export of several; - reads standard input',
    )
    .action(register);
}

async function register(file: string | undefined, options: RegisterOptions, command: Command) {
  const { several, registrations } = await readRegistrations(file, options);
  const session = await openSession(command);
  const done = await registerAll(session, registrations);
  if (session.json) printJson(several ? done : done[0]);
}

async function registerAll({ api, json }: Session, registrations: EntityRegistration[]) {
  const done: RegisteredEntity[] = [];
  const progress = showProgress();
  try {
    for (const registration of registrations) {
      const body = registration;
      const result = await api
        .call<RegisteredEntity>('POST', '/api/v1/entities', { body })
        .catch((error: unknown) => {
          throw registrations.length > 1 ? inList(error, registration, done.length) : error;
        });
      done.push(result);
      if (!json) print(describeOutcome(result));
      progress.say(`${done.length} of ${registrations.length} registered`);
    }
  } finally {
    progress.end();
  }
  return done;
}

function describeOutcome({ outcome, entity, refused_dependencies }: RegisteredEntity): string {
  const { current_state: state } = entity;
  return [
    `${outcome === 'created' ? 'Registered' : 'Updated'} ${clean(referenceText(entity))} ` +
      `(${clean(entity.entity_name)}), ${paint(stateColour(state), state)}.`,
    ...refused_dependencies.map((refused) =>
      clean(`Left out: the dependency on ${referenceText(refused)}. ${refused.reason}`),
    ),
  ].join('\n');
}

/** Which of many could not be registered, and what was done before it. */
function inList(error: unknown, { entity_type, entity_id }: EntityRegistration, done: number) {
  if (!(error instanceof CommandFailure)) return error;
  return new CommandFailure(
    `Item ${done + 1}, ${clean(`${entity_type}/${entity_id}`)}: ${error.message}`,
    {
      ...error,
      problem: undefined,
      next: done > 0 ? 'What stands before it is registered; doing it again is safe.' : error.next,
    },
  );
}
