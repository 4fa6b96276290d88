import type { Command } from 'commander';
import { auditCommand } from './audit.ts';
import { doctorCommand } from './doctor.ts';
import { entitiesCommand } from './entities.ts';
import { executionsCommand } from './executions.ts';
import { gapsCommand } from './gaps.ts';
import { instrumentCommand } from './instrument.ts';
import { keysCommand } from './keys.ts';
import { migrateCommand } from './migrate.ts';
import { n8nCommand } from './n8n.ts';
import { projectsCommand } from './projects.ts';
import { telemetryCommand } from './telemetry.ts';
import { webhooksCommand } from './webhooks.ts';

/** Every command but `start`, in the order of the help. */
export function addCommands(program: Command): void {
  migrateCommand(program);
  doctorCommand(program);
  keysCommand(program);
  projectsCommand(program);
  entitiesCommand(program);
  gapsCommand(program);
  auditCommand(program);
  instrumentCommand(program);
  executionsCommand(program);
  telemetryCommand(program);
  webhooksCommand(program);
  n8nCommand(program);
}
