import type { CreatedProject, Project } from '@rollcall/client/contract';
import type { Command } from 'commander';
import { readPages } from '../http/pages.ts';
import { openSession } from '../http/session.ts';
import { print, printJson, printTable } from '../terminal/print.ts';
import type { Column } from '../terminal/table.ts';
import { clean } from '../terminal/text.ts';
import { localTime } from '../terminal/time.ts';

const PATH = '/api/v1/projects';

/** `rollcall projects`: what a tenant divides its fleet into. */
export function projectsCommand(program: Command): void {
  const projects = program.command('projects').description('Projects of the fleet');
  projects.command('list').description('List projects by id').action(list);
  projects
    .command('create')
    .description('Make a project, or rename it (needs a key with the scope admin)')
    .argument('<id>', 'what keys, entities and events call it')
    .option('--name <name>', 'what people call it (default: its id)')
    .action(create);
}

async function list(_options: object, command: Command): Promise<void> {
  const { api, json } = await openSession(command);
  const page = await readPages<Project>(api, PATH, {}, { noun: 'projects' });
  if (json) printJson(page);
  else printTable(COLUMNS, page.items);
}

const COLUMNS: Column<Project>[] = [
  { title: 'PROJECT', value: ({ project_id }) => project_id },
  { title: 'NAME', value: ({ name }) => name, shrinks: true },
  { title: 'CREATED', value: ({ created_at }) => localTime(created_at) },
];

async function create(id: string, { name }: { name?: string }, command: Command): Promise<void> {
  const { api, json } = await openSession(command);
  const made = await api.call<CreatedProject>('POST', PATH, { body: { project_id: id, name } });
  if (json) return printJson(made);
  const { outcome, project } = made;
  const done = outcome === 'created' ? 'Made' : 'Already there:';
  print(`${done} the project ${project.project_id} (${clean(project.name)}).`);
}
