import type { Command } from 'commander';
import { followLogCommand } from './follow-log.ts';
import { connectCommand } from './n8n-connect.ts';
import { connectionsCommand } from './n8n-connections.ts';

/** `rollcall n8n`: how n8n instances come to be known. */
export function n8nCommand(program: Command): void {
  const n8n = program.command('n8n').description('Connect an n8n');
  connectCommand(n8n);
  connectionsCommand(n8n);
  followLogCommand(n8n);
}
