import type { Command } from 'commander';
import { usageError } from '../failure.ts';
import { connect, type Api } from './api.ts';

/** Options that every command has. */
export interface GlobalOptions {
  url?: string;
  key?: string;
  json?: boolean;
}

export interface Session {
  api: Api;
  json: boolean;
}

/**
 * The server that a command talks to, by its options, else by the environment.
 * @throws CommandFailure, ConfigError
 */
export async function openSession(command: Command): Promise<Session> {
  const { json = false, ...given } = command.optsWithGlobals<GlobalOptions>();
  const settings = await readSettings();
  const url = given.url === undefined ? settings.url : webAddress(given.url, '--url');
  return { json, api: connect({ url, key: given.key ?? settings.apiKey }) };
}

/** The environment, read when it is needed: the schema that checks it takes its time to load. */
export async function readSettings() {
  const { readClientSettings } = await import('../../config.ts');
  return readClientSettings();
}

/** @throws CommandFailure when it is not the address of a web server */
export function webAddress(text: string, option: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
  throw usageError(`${option} must be an address such as http://127.0.0.1:7655, not ${text}`);
}
