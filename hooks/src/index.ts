import { createHooks, type Hooks } from './hooks.ts';
import { createReporter } from './reporter.ts';
import { readSettings } from './settings.ts';

/** stderr: n8n's commands print results on stdout. */
const log = (line: string): void => console.error(`Rollcall: ${line}`);

/** A hooks file that throws when it is loaded ends n8n: this one leaves it alone instead. */
function hooksOfThisProcess(): Hooks {
  try {
    const read = readSettings(process.env);
    if ('off' in read) {
      if (read.off !== undefined) log(read.off);
      return {};
    }
    const facts = { environment: process.env, arguments: process.argv };
    return createHooks(createReporter(read.settings, facts, log), read.settings);
  } catch (error) {
    log(`The hooks could not start, so nothing is reported: ${String(error)}`);
    return {};
  }
}

/** What n8n takes from a file in `EXTERNAL_HOOK_FILES`: by resource, by operation, what to call. */
export const { n8n = {}, worker = {}, workflow = {} } = hooksOfThisProcess();
